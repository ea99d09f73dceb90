"""A searched cut-point: scans, p-values, and the correction for having searched."""
