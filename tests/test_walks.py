"""How many files of the package a reader meets who follows one call: no more than today."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pandas as pd
import pytest

import analysis

PACKAGE = Path(analysis.__file__).parent
ENDPOINT = analysis.OVERALL_SURVIVAL
WALKS: dict[str, tuple[Callable[[pd.DataFrame], object], int]] = {
    "kaplan_meier": (lambda rows: analysis.kaplan_meier(rows, ENDPOINT, by="ppi"), 7),
    "fit_cox": (lambda rows: analysis.fit_cox(rows, ENDPOINT, ["age"]), 8),
    "adjusted_curves": (
        lambda rows: analysis.adjusted_curves(rows, ENDPOINT, ["age"], by="ppi", n_bootstrap=20, seed=1), 17
    ),
}  # fmt: skip


def files_entered(call: Callable[[], object]) -> set[str]:
    """The files of the package that define what one call calls; what runs at import does not count."""
    entered = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and PACKAGE in path.parents and frame.f_code.co_name != "<module>":
            entered.add(str(path.relative_to(PACKAGE)))

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return entered


@pytest.mark.parametrize("name", WALKS)
def test_one_call_enters_few_files(name):
    call, most = WALKS[name]
    rows = analysis.load_cohort()
    call(rows)  # imports what it needs
    entered = files_entered(lambda: call(rows))
    assert len(entered) <= most, sorted(entered)
    assert sum(path.startswith("robustness") for path in entered) <= 3
