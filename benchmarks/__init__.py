"""Commands that measure the package: calibration where the answer is known, and speed beside its peers."""
