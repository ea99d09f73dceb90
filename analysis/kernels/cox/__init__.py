"""The Cox likelihood in numpy, the reference: risk sets, Newton's steps, residuals, exact ties, concordance."""
