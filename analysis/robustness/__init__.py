"""What could fool us, a shelf a threat: confounding, missing values, measurement error, values that change and more."""
