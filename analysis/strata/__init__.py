"""A continuous marker to groups: cut-points with their source, quantiles, strata."""
