"""Tidy frames to figures, tables, words and pages; nothing is estimated here."""
