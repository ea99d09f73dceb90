"""Cox models: design, fit, separation, results, residuals, proportional hazards, bootstrap."""
