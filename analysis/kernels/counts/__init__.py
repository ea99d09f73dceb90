"""Counts of entries, events and censorings, and what follows from them: product limits, log-rank, incidence."""
