"""The committed synthetic data: cohort, repeated labs, truth, data package and data card, written byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

SEED = 20220106
"""Fixed before any cohort was looked at, and never searched."""

DECIMALS = {
    "magnesium": 2,
    "os_months": 2,
    "pfs_months": 2,
    "month": 2,
    "tumour_burden": 1,
    "ldh_ratio": 2,
    "crp": 1,
}
"""Decimals of each number in the files: what the simulation rounds to."""


def _write_csv(frame: pd.DataFrame, path: Path, decimals: Mapping[str, int] = DECIMALS) -> None:
    """A comma-separated file with LF line ends, a fixed number of decimals, and nothing where a value is missing."""
    text = frame.copy()
    for name, places in decimals.items():
        if name in frame:
            text[name] = [f"{value:.{places}f}" if value == value else "" for value in frame[name]]
    path.write_text(text.to_csv(index=False, lineterminator="\n"), encoding="utf-8", newline="\n")
