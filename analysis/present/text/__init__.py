"""Numbers, tables and column formats as text."""
