"""A searched cut-point: scans, p-values, and the correction for having searched."""

from analysis.strata.search.correction import resample_size
from analysis.strata.search.one_cut import CutpointSearch, search_cutpoint
from analysis.strata.search.scans import Scan, search_rows
