"""How closely the estimates equal R's: ``python -m tests.reference.agreement`` writes docs/agreement.md.

Every comparison of the tests with a value of R is made again, and its largest difference kept; the same counts go into
a file of the package, for the report's page of verification.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from analysis.present.text.tables import csv_text
from tests.reference import DATASETS, Case

ROOT = Path(__file__).parents[2]
PAGE, COUNTS = ROOT / "docs" / "agreement.md", ROOT / "analysis" / "study" / "r_agreement.csv"
MODULES = (
    "tests.survival.curves.test_against_r",
    "tests.survival.cox.test_against_r",
    "tests.survival.test_competing",
    "tests.strata.test_cutpoints",
    "tests.strata.test_dose_response",
    "tests.strata.search.test_one_cut",
)
SMALL = 1e-3
STATISTICS = {
    "km": ("Kaplan-Meier curves, errors, limits of three types, quantiles (both engines)", "`survfit`, `quantile`"),
    "km_at": ("Survival and numbers at risk at given times", "`summary(survfit, times = )`"),
    "median_followup": ("Median follow-up", "`survfit(Surv(time, 1 - event) ~ g)`"),
    "surv_diff_at_time": ("Difference in survival at one time", "from `summary(survfit, times = )`"),
    "rmst": ("Restricted means, their difference and ratio", "`print(survfit, rmean = )`"),
    "logrank": ("Log-rank test, stratified too", "`survdiff`"),
    "weighted_logrank": ("Weighted log-rank tests", "`survdiff(rho = )`; others from its table of risk sets"),
    "pairwise_logrank": ("Pairwise log-rank, adjusted", "`survdiff`, `p.adjust`"),
    "logrank_trend": ("Log-rank test for trend", "from `survdiff`"),
    "landmark": ("Log-rank test after a landmark", "`survdiff(subset = )`"),
    "cox": ("Cox models: coefficients, errors, likelihoods, tests, concordance", "`coxph`"),
    "cox_interaction": ("Interactions in Cox models", "`coxph(~ a * b)`"),
    "cox_baseline": ("Baseline hazard", "`basehaz(centered = FALSE)`"),
    "cox_zph": ("Score test of proportional hazards", "`cox.zph(terms = FALSE)`"),
    "cox_residuals": ("Six kinds of residuals", "`residuals(coxph, type = )`"),
    "concordance": ("Harrell's and Uno's concordance", "`concordance(timewt = )`"),
    "cuminc": ("Cumulative incidence, Gray's test", "`survfit` with a factor status, `cmprsk::cuminc`"),
    "finegray": ("Fine and Gray's model", "`coxph` on `finegray` data"),
    "quantile_groups": ("Quantile cut-points", "`quantile(type = 7)`"),
    "rcs_cox": ("Dose response by restricted cubic splines", "`rms::cph(~ rcs(x, k))`"),
    "maxstat": ("Searched cut-point, its statistic and approximate p-values", "`maxstat::maxstat.test`"),
    "cutpoint_scan": ("Log-rank test and hazard ratio at every cut", "`survdiff`, `coxph` cut by cut"),
}


@dataclass
class Tally:
    """What was compared of one kind of statistic."""

    cases: set[str] = field(default_factory=set)
    n_values: int = 0
    largest: float = 0.0

    def add(self, case: Case, ours: Any, theirs: Any) -> None:
        """Count the values that R gives as numbers, and keep the largest relative difference."""
        theirs = np.asarray(theirs, dtype=np.float64).ravel()
        ours = np.broadcast_to(np.asarray(ours, dtype=np.float64).ravel(), theirs.shape)
        known = np.isfinite(theirs)
        difference = np.abs(ours - theirs)[known] / np.maximum(np.abs(theirs[known]), SMALL)
        self.cases.add(str(case))
        self.n_values += int(known.sum())
        self.largest = max(self.largest, difference.max(initial=0.0))


def tallies() -> dict[str, Tally]:
    """Every test that takes a case of R, run with its comparisons recorded (and still made)."""
    found = {kind: Tally() for kind in STATISTICS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in MODULES:
            module = import_module(name)
            for test in [value for key, value in vars(module).items() if key.startswith("test_")]:
                for arguments in _calls(test):
                    _record(module, test, arguments, found[arguments["case"].kind])
    return found


def _record(module: Any, test: Callable[..., None], arguments: dict[str, Any], tally: Tally) -> None:
    """One test with one case."""
    original = np.testing.assert_allclose

    def compare(ours: Any, theirs: Any, **tolerance: float) -> None:
        """As numpy's, with a record."""
        original(ours, theirs, **tolerance)
        tally.add(arguments["case"], ours, theirs)

    with (
        patch.object(np.testing, "assert_allclose", compare),
        patch.object(module, "assert_allclose", compare, create=True),
    ):
        test(**arguments)


def _calls(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """The arguments of a test that is parametrised by cases of R; nothing for others."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if any(mark.args[0] == "case" for mark in marks):
        names = [mark.args[0] for mark in marks]
        for values in product(*(mark.args[1] for mark in marks)):
            yield dict(zip(names, values, strict=True))


def agreement() -> pd.DataFrame:
    """One row a statistic: statistic equals_in_r n_cases n_values bound (a power of ten, 0 for no difference)."""
    rows = []
    for kind, tally in tallies().items():
        words, call = STATISTICS[kind]
        bound = 10.0 ** math.ceil(math.log10(tally.largest)) if tally.largest else 0.0
        rows.append((words, call, len(tally.cases), tally.n_values, bound))
    return pd.DataFrame(rows, columns=["statistic", "equals_in_r", "n_cases", "n_values", "bound"])


def page(counts: pd.DataFrame) -> str:
    """The page: one row a statistic."""
    lines = [
        "# Agreement with R",
        "",
        f"What the tests compare with values that R computed on {len(DATASETS)} small data sets"
        " ([sources and versions](../tests/reference/README.md)). Differences are relative to R's value (to"
        f" {SMALL:g} where that is smaller); R's values are kept with ten digits. Written by"
        " `python -m tests.reference.agreement`.",
        "",
        "| statistic | equals in R | cases | values compared | largest difference |",
        "|---|---|---:|---:|---:|",
    ]
    for row in counts.to_dict("records"):
        below = f"below 1e{math.log10(row['bound']):.0f}" if row["bound"] else "none"
        cells = (row["statistic"], row["equals_in_r"], row["n_cases"], f"{row['n_values']:,}", below)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])


def documents() -> dict[Path, str]:
    """Both files with what belongs into them; the package's speaks plain text."""
    counts = agreement()
    plain = counts.assign(equals_in_r=counts["equals_in_r"].str.replace("`", ""))
    return {PAGE: page(counts), COUNTS: csv_text(plain)}


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8", newline="\n")
