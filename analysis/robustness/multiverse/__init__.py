"""The choices that an analysis makes, all of them together: the multiverse of cut-points."""

from analysis.robustness.multiverse.multiverse import Multiverse, cutpoint_multiverse
