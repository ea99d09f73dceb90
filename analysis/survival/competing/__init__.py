"""Competing events: cumulative incidence, Gray's test, the model of Fine and Gray."""

from __future__ import annotations

from analysis.survival.competing.fine_gray import fit_fine_gray
from analysis.survival.competing.incidence_and_gray import cumulative_incidence, gray_test
