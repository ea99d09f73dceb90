"""The survival figure: curves, labels and the risk table."""
