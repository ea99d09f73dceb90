"""Files to typed rows: cells, tables, event codes, validation, the cohorts that ship with the package."""
