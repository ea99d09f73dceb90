"""Measurement error of the marker: reclassification, attenuation, simulation-extrapolation."""
