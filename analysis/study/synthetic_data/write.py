"""The committed synthetic data: cohort, repeated labs, truth, data package and data card, written byte for byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from analysis.cohort.synthetic import ADJUSTMENT, DEFAULT_DESIGN, CohortDesign, simulate_cohort
from analysis.errors import InputError
from analysis.present.canvas import replace_file
from analysis.study.synthetic_data.descriptions import data_card, data_package
from analysis.truth.estimands import TrueEstimands, true_estimands

SEED = 20220106
"""Fixed beforehand, and never searched."""

DECIMALS = {
    "magnesium": 2,
    "os_months": 2,
    "pfs_months": 2,
    "month": 2,
    "tumour_burden": 1,
    "ldh_ratio": 2,
    "crp": 1,
}
"""Decimals of each number in the tables: what the simulation rounds to."""

DIGITS = 5
"""Digits of each number in truth.json: far fewer than arithmetic on another machine could change."""

_FRAMES = ("log_hazard_ratios", "curves", "restricted_means")

_NOTE = (
    "Simulated and illustrative. What was planted, and what each analysis would find in n simulated patients with the"
    " same censoring and scans and no magnesium missing. Recovering it is a software test, not evidence."
)

_CRUDE, _ADJUSTED = (
    "Cox model of this alone",
    "Cox model with the adjustment terms, stratified by the adjustment strata",
)
_TARGETS = {
    "planted on death": "hazard ratio of true magnesium, per 0.1 mmol/L lower, on death without and after progression;"
    " no analysis of one endpoint estimates it",
    "planted on progression": "the same on progression; no analysis of one endpoint estimates it",
    "conditional, true magnesium": f"{_ADJUSTED}: magnesium without measurement error, per 0.1 mmol/L lower;"
    " what correction for measurement error aims at",
    "conditional, measured magnesium": f"{_ADJUSTED}: measured magnesium, per 0.1 mmol/L lower;"
    " what the adjusted model estimates",
    "crude, measured magnesium": f"{_CRUDE}: measured magnesium, per 0.1 mmol/L lower; what the crude model estimates",
    "... against ..., crude": f"{_CRUDE}: strata of measured magnesium, or at or above a cut against below",
    "... against ..., adjusted": f"{_ADJUSTED}: strata of measured magnesium, or at or above a cut against below",
    "survival": "share of the stratum without the event at time (months); what Kaplan-Meier curves estimate",
    "standardised_survival": "the same were the whole cohort, its confounders and treatments kept, in the stratum;"
    " what adjusted curves estimate",
    "restricted_mean": "months without the event up to the horizon; what the area under Kaplan-Meier curves estimates",
    "standardised_restricted_mean": "the same under the standardised curve; what adjusted restricted means estimate",
    "std_error": "Monte-Carlo standard error of the target",
}


def write_synthetic(directory: str | Path, *, seed: int = SEED, n: int = 1_000_000) -> tuple[Path, ...]:
    """Write the synthetic cohort of `DEFAULT_DESIGN`, its truth, its data package and its data card.

    Parameters
    ----------
    directory : str or Path
        Made where it does not exist; files of the same names are replaced.
    seed : int
        Seed of the cohort and of the truth.
    n : int
        Patients simulated for the truth.

    Returns
    -------
    tuple of Path
        cohort.csv, magnesium_labs.csv, truth.json, datapackage.json, README.md: the same bytes each time.
    """
    simulated = simulate_cohort(DEFAULT_DESIGN, seed=seed)
    truth = true_estimands(DEFAULT_DESIGN, n=n, seed=seed)
    data = {
        "cohort.csv": table_text(simulated.cohort),
        "magnesium_labs.csv": table_text(simulated.labs),
        "truth.json": truth_text(truth),
    }
    package = data_package({name: text.encode("utf-8") for name, text in data.items()})
    words = {"datapackage.json": _json(package), "README.md": data_card(simulated, truth)}
    return tuple(replace_file(Path(directory) / name, text) for name, text in (data | words).items())


def table_text(frame: pd.DataFrame) -> str:
    """A frame as CSV with LF line ends, a fixed number of decimals, and nothing where a value is missing."""
    shown = frame.copy()
    for name, decimals in DECIMALS.items():
        if name in frame:
            shown[name] = [f"{value:.{decimals}f}" if pd.notna(value) else "" for value in frame[name]]
    return str(shown.to_csv(index=False, lineterminator="\n"))


def truth_text(truth: TrueEstimands) -> str:
    """The targets as JSON, each named in words, one row of a table a line, numbers to five digits."""
    head = {
        "note": _NOTE,
        "n": truth.n,
        "seed": truth.seed,
        "design": asdict(truth.design),
        "adjustment": list(ADJUSTMENT),
        "adjustment_strata": ["treatment"],
        "targets": _TARGETS,
    }
    parts = [json.dumps(head, indent=2, ensure_ascii=False).removesuffix("\n}")]
    for name in _FRAMES:
        frame = getattr(truth, name)
        rows = [[_rounded(value) for value in row] for row in frame.astype(object).to_numpy().tolist()]
        lines = ",\n    ".join(json.dumps(row, ensure_ascii=False) for row in [list(frame.columns), *rows])
        parts.append(f'  "{name}": [\n    {lines}\n  ]')
    return ",\n".join(parts) + "\n}\n"


def read_truth(path: str | Path) -> TrueEstimands:
    """The targets of a `truth.json`.

    Parameters
    ----------
    path : str or Path
        A file that `write_synthetic` wrote.

    Returns
    -------
    TrueEstimands
        As `true_estimands` gave them, to five digits.

    Raises
    ------
    InputError
        When there is no such file, or it is something else.

    Examples
    --------
    >>> from analysis.cohort.reading.examples import synthetic_folder
    >>> read_truth(synthetic_folder() / "truth.json").n
    1000000
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no file {path}; write it with: python -m analysis simulate")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        frames = {name: _frame(content[name]) for name in _FRAMES}
        return TrueEstimands(**frames, design=CohortDesign(**content["design"]), n=content["n"], seed=content["seed"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a truth.json of this project ({type(error).__name__}: {error})") from error


def _frame(table: list[list[object]]) -> pd.DataFrame:
    """A table whose first row names the columns."""
    return pd.DataFrame(table[1:], columns=pd.Index(table[0]))


def _rounded(value: object) -> object:
    """A number to `DIGITS` digits; whole numbers and words as they are."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _json(content: Mapping[str, object]) -> str:
    """Indented JSON that ends with a line end."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
