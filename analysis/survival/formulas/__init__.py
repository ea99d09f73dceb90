"""The right-hand side of a model's formula as data: grammar, values, design matrix."""
