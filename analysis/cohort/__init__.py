"""Rows to trusted rows: schema, units, files, validation, and the synthetic cohort."""
