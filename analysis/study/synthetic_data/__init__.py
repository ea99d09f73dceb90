"""The files of the synthetic cohort: data, truth, data package, data card."""
