"""A continuous marker to groups, or to a curve: cut-points with their source, strata, searched cuts, splines."""
