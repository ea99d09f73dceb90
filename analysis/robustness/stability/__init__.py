"""Whether one site, patient or subgroup makes the result: influence, leaving out, subgroups."""
