"""The Cox likelihood of very many rows, in tiles of compiled loops."""
