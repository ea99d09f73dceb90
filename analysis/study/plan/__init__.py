"""Study plans: the parts, the TOML file, and a first plan guessed from a cohort's columns."""
