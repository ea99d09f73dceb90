"""The cut-point explorer: one page with every cut's numbers computed beforehand."""
