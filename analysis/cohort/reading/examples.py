"""Cohorts to try things on: the committed synthetic one, and real data that lifelines ships."""

from __future__ import annotations

import difflib
from importlib import import_module
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from analysis.cohort.columns import first_few
from analysis.cohort.schema import Schema
from analysis.cohort.synthetic import COHORT_SCHEMA, LABS_SCHEMA
from analysis.errors import CohortError, InputError


def load_cohort() -> pd.DataFrame:
    """The committed synthetic cohort: simulated, illustrative, no patient.

    Returns
    -------
    DataFrame
        480 rows, the columns of `COHORT_SCHEMA`: categories in the order of their levels, indicators and counts as
        integers, magnesium in mmol/L with NaN where missing, times in months.

    Raises
    ------
    CohortError
        When the file is not where the package expects it.

    Examples
    --------
    >>> cohort = load_cohort()
    >>> cohort["treatment"].cat.categories.tolist()
    ['checkpoint inhibitor', 'CAR T cells']
    """
    return _read(synthetic_folder() / "cohort.csv", COHORT_SCHEMA)


def load_labs() -> pd.DataFrame:
    """Repeated serum magnesium of the committed synthetic cohort.

    Returns
    -------
    DataFrame
        patient_id, month (from first infusion; 0 is baseline), magnesium (mmol/L); by patient, then month.

    Examples
    --------
    >>> load_labs().columns.tolist()
    ['patient_id', 'month', 'magnesium']
    """
    return _read(synthetic_folder() / "magnesium_labs.csv", LABS_SCHEMA)


def synthetic_folder() -> Path:
    """Where the committed synthetic data lie: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "data" / "synthetic", package.parent / "data" / "synthetic"):
        if (folder / "cohort.csv").is_file():
            return folder
    raise CohortError(
        f"no synthetic cohort in {package.parent / 'data' / 'synthetic'}; write it with: python -m analysis simulate"
    )


def _read(path: Path, schema: Schema) -> pd.DataFrame:
    """A file that this project wrote, typed by its schema."""
    frame = pd.read_csv(path, dtype={column.name: str for column in schema if column.type == "identifier"})
    for column in schema:
        if column.type == "category":
            frame[column.name] = pd.Categorical(frame[column.name], categories=list(column.levels))
    return frame


ExampleName = Literal["gbsg2", "lung", "larynx", "kidney_transplant", "rossi", "stanford_heart_transplants"]
_EXAMPLES: dict[ExampleName, str] = {
    "gbsg2": "time=rfs_days cens=rfs_event horTh=hormone_therapy age=age menostat=menopause tsize=tumour_size"
    " tgrade=grade pnodes=nodes progrec=progesterone_receptor estrec=oestrogen_receptor",
    "lung": "time=os_days status=os_event age=age sex=sex ph.ecog=ecog ph.karno=karnofsky_by_physician"
    " pat.karno=karnofsky_by_patient meal.cal=meal_calories wt.loss=weight_loss inst=institution",
    "larynx": "time=os_years death=os_event age=age Stage_II=stage_2 Stage_III=stage_3 Stage_IV=stage_4",
    "kidney_transplant": "time=os_days death=os_event age=age black_male=black_male white_male=white_male"
    " black_female=black_female",
    "rossi": "week=arrest_weeks arrest=arrest_event fin=financial_aid age=age race=black wexp=work_experience"
    " mar=married paro=parole prio=prior_convictions",
    "stanford_heart_transplants": "id=patient_id start=entry_days stop=exit_days event=death_event age=age_minus_48"
    " year=year_since_start surgery=earlier_surgery transplant=transplant",
}
"""The columns of each data set, as "name in lifelines=name here"."""


def load_example(name: ExampleName) -> pd.DataFrame:
    """Real data that lifelines ships, its columns named plainly; every event column holds 0 and 1.

    Parameters
    ----------
    name : {"gbsg2", "lung", "larynx", "kidney_transplant", "rossi", "stanford_heart_transplants"}
        "gbsg2": recurrence-free survival of 686 women with node-positive breast cancer. rfs_days, rfs_event;
        age (years), tumour_size (mm), nodes (positive, count), progesterone_receptor and oestrogen_receptor (fmol/mg),
        hormone_therapy ("no", "yes"), menopause ("Post", "Pre"), grade ("I", "II", "III").
        "lung": overall survival of 228 patients with advanced lung cancer. os_days, os_event (1: died; R codes the same
        status 1 and 2); age (years), sex (1 male, 2 female), ecog, Karnofsky scores, meal_calories (kcal), weight_loss
        (pounds in six months), institution.
        "larynx": os_years, os_event of 90 men with cancer of the larynx; age (years), stage indicators against stage 1.
        "kidney_transplant": os_days, os_event of 863 patients; age (years), indicators against white women.
        "rossi": arrest_weeks, arrest_event of 432 released prisoners; age (years), indicators, prior_convictions.
        "stanford_heart_transplants": entry_days to exit_days, death_event, 172 spells of 103 patients waiting;
        age_minus_48 and year_since_start (years), earlier_surgery, transplant (1 once transplanted).

    Returns
    -------
    DataFrame
        One row a patient ("stanford_heart_transplants": a spell); text columns as categories in sorted order.

    Raises
    ------
    InputError
        When the name is none of these.

    Examples
    --------
    >>> load_example("gbsg2")[["rfs_days", "rfs_event"]].head(2).to_numpy().tolist()
    [[1814, 1], [2018, 1]]
    """
    if name not in get_args(ExampleName):
        near = difflib.get_close_matches(str(name).lower(), get_args(ExampleName), n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(f"no example {name!r}; {hint}examples: {first_few(map(repr, get_args(ExampleName)), 10)}")
    names = dict(pair.split("=") for pair in _EXAMPLES[name].split())
    shipped: pd.DataFrame = getattr(import_module("lifelines.datasets"), f"load_{name}")()
    frame = shipped[list(names)].rename(columns=names).reset_index(drop=True)
    text = [column for column in frame if not pd.api.types.is_numeric_dtype(frame[column].dtype)]
    return frame.astype(dict.fromkeys(text, "category"))
