"""The files of the synthetic cohort: data, truth, data package, data card."""

from __future__ import annotations

from analysis.study.synthetic_data.write import read_truth, write_synthetic
