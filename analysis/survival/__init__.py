"""Groups to estimates: curves, tests, Cox models and their diagnostics."""
