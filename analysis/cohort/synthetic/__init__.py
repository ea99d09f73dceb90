"""The synthetic cohort: its design, the causes of magnesium, the illness-death process, its dictionary."""
