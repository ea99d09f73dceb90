"""Missing values: multiple imputation and Rubin's rules."""
