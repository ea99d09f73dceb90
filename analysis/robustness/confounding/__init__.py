"""Confounding: propensities, weights, balance, adjusted curves, means and tests, E-values."""
