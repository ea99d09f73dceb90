"""Scans over every cut of a marker: statistics, permutations, resamples."""
