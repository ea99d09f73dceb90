"""Whole pages: the report, the explorer, the Word file."""
