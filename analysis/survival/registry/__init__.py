"""Estimates from event counts and files of any size, added up over sources.

Nothing here is for other shelves: the functions are the package's public ones, each imported from its module when it is
first asked for, since the Cox models bring the compiler and the sources pyarrow, DuckDB or Dask.
"""
