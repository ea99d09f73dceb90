"""Estimates from event counts and files of any size, added up over sources."""
