"""Results to files: figures, tables, pages, notebooks, and drift against an earlier report."""
