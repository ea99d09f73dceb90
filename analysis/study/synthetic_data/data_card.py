"""The data card of the synthetic cohort: what it is, how it was made, what was planted, and where it ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from analysis.cohort.columns import OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL, Endpoint
from analysis.cohort.schema import Column, Schema
from analysis.cohort.synthetic import (
    CAUSES,
    COHORT_SCHEMA,
    DISEASES,
    LABS_SCHEMA,
    REFERENCE_MAGNESIUM,
    TRANSITIONS,
    CohortDesign,
    SyntheticCohort,
    draw_covariates,
    draw_magnesium,
    magnesium_law,
)
from analysis.survival.curves import kaplan_meier, survival_quantile
from analysis.truth.estimands import TrueEstimands

N_MOMENTS = 200_000
"""Simulated patients behind the mean and standard deviation of true magnesium."""
SHOWN_TARGETS = (
    "planted on death",
    "planted on progression",
    "conditional, true magnesium",
    "conditional, measured magnesium",
    "crude, measured magnesium",
    "low against reference, crude",
    "low against reference, adjusted",
)


def data_card(simulated: SyntheticCohort, truth: TrueEstimands) -> str:
    """The data card as Markdown.

    Parameters
    ----------
    simulated : SyntheticCohort
        The cohort that the card describes.
    truth : TrueEstimands
        What follows from its design.

    Returns
    -------
    str
        Markdown with LF line ends.
    """
    design = simulated.design
    text = _TEXT.format(
        n=design.n,
        n_checkpoint_inhibitor=design.n_checkpoint_inhibitor,
        n_car_t=design.n_car_t,
        death=f"{design.hazard_ratio_death:.2f}",
        progression=f"{design.hazard_ratio_progression:.2f}",
        error=f"{design.measurement_error:g}",
        missing=f"{design.missing_share:.0%}",
        first_cut=f"{design.minimum_follow_up:g}",
        last_cut=f"{design.minimum_follow_up + design.accrual_months:g}",
        lost=f"{design.drop_out_share:.0%}",
        scan=f"{design.scan_interval:g}",
        seed=truth.seed,
        million=f"{truth.n:,}",
        cohort_columns=_column_table(COHORT_SCHEMA),
        labs_columns=_column_table(LABS_SCHEMA),
        clinic=_clinic_table(simulated.cohort),
        causes=_cause_table(),
        diseases=_disease_table(design),
        reference=f"{REFERENCE_MAGNESIUM:.2f}",
        many=f"{N_MOMENTS:,}",
        targets=_target_table(truth),
    )
    return text.strip() + "\n"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table.

    Examples
    --------
    >>> print(markdown_table(["unit", "factor"], [["mEq/L", 0.5]]))
    | unit | factor |
    |---|---|
    | mEq/L | 0.5 |
    """
    lines = [header, ["---"] * len(header), *rows]
    text = ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    text[1] = text[1].replace(" ", "")
    return "\n".join(text)


def _column_table(schema: Schema) -> str:
    """The data dictionary of one file."""
    header = ["column", "type", "unit", "range or levels", "may be missing", "meaning"]
    return markdown_table(
        header,
        [[f"`{c.name}`", c.type, c.unit, _values(c), "no" if c.required else "yes", c.meaning] for c in schema],
    )


def _values(column: Column) -> str:
    """The values a column may hold, in words."""
    if column.levels:
        return ", ".join(column.levels)
    if column.type == "indicator":
        return "0, 1"
    return "" if column.low is None else f"{column.low:g} to {column.high:g}"


def _clinic_table(cohort: pd.DataFrame) -> str:
    """What a clinician looks at first, by treatment."""
    rows = {}
    for treatment, group in cohort.groupby("treatment", observed=True):
        magnesium = group["magnesium"]
        rows[str(treatment)] = [
            f"{len(group)}",
            f"{_median(group, OVERALL_SURVIVAL)} months",
            f"{_median(group, PROGRESSION_FREE_SURVIVAL)} months",
            f"{group['os_event'].mean():.0%}",
            f"{group['pfs_event'].mean():.0%}",
            f"{magnesium.mean():.2f} ({magnesium.std():.2f}) mmol/L",
            f"{(magnesium < 0.75).sum() / magnesium.notna().sum():.0%}",
            f"{magnesium.isna().mean():.0%}",
        ]
    header = [
        "patients",
        "median overall survival",
        "median progression-free survival",
        "died under observation",
        "progressed or died under observation",
        "magnesium, mean (SD)",
        "of those measured, below 0.75 mmol/L",
        "magnesium missing",
    ]
    return markdown_table(["", *rows], zip(header, *rows.values(), strict=True))


def _median(cohort: pd.DataFrame, endpoint: Endpoint) -> str:
    """A Kaplan-Meier median with one decimal."""
    median = survival_quantile(kaplan_meier(cohort, endpoint, engine="kernel"))["time"].iloc[0]
    return "not reached" if pd.isna(median) else f"{median:.1f}"


def _cause_table() -> str:
    """The arrows of the synthetic world."""
    header = [
        "term (one unit more)",
        "zero at",
        "magnesium, mmol/L",
        *(f"log HR, {name.replace('_', ' ')}" for name in TRANSITIONS),
    ]
    rows = [
        [
            f"`{cause.term}`",
            f"{cause.centre:g}",
            f"{cause.magnesium:+g}",
            *(f"{getattr(cause, name):+g}" for name in TRANSITIONS),
        ]
        for cause in CAUSES
    ]
    return markdown_table(header, [[cell.replace("+0", "0") if cell == "+0" else cell for cell in row] for row in rows])


def _disease_table(design: CohortDesign) -> str:
    """The baseline hazards and the law of magnesium by treatment."""
    header = [
        "",
        *(f"{name.replace('_', ' ')}: rate a month, fade" for name in TRANSITIONS),
        "magnesium where the terms are zero: mean, residual SD",
        "true magnesium: mean, SD",
    ]
    moments, rows = true_magnesium(design), []
    for treatment, disease in DISEASES.items():
        hazards = [getattr(disease, name) for name in TRANSITIONS]
        law = f"{disease.magnesium_mean:g}, {disease.magnesium_sd:g} mmol/L"
        mean, deviation = moments.loc[treatment]
        rates = [f"{hazard.rate:g}, {hazard.fade:g} months" for hazard in hazards]
        rows.append([treatment, *rates, law, f"{mean:.3f}, {deviation:.3f} mmol/L"])
    return markdown_table(header, rows)


def true_magnesium(design: CohortDesign) -> pd.DataFrame:
    """Mean and standard deviation of true magnesium by treatment, in many patients simulated with a seed of their own.

    Parameters
    ----------
    design : CohortDesign

    Returns
    -------
    DataFrame
        Index treatment; mean, std in mmol/L.
    """
    drawing, covering = (np.random.default_rng(child) for child in np.random.SeedSequence(0).spawn(2))
    covariates = draw_covariates(design.of_size(N_MOMENTS), covering)
    magnesium = draw_magnesium(magnesium_law(covariates, design), drawing)
    return pd.Series(magnesium).groupby(covariates["treatment"].astype(str)).agg(["mean", "std"])


def _target_table(truth: TrueEstimands) -> str:
    """The hazard ratios that matter most, by endpoint."""
    table = truth.log_hazard_ratios.pivot_table(index="target", columns="endpoint", values="hazard_ratio", sort=False)
    shown = table.loc[list(SHOWN_TARGETS)]
    rows = [[target, *(f"{ratio:.2f}" for ratio in shown.loc[target])] for target in shown.index]
    return markdown_table(["target", *(f"hazard ratio, {name.lower()}" for name in shown.columns)], rows)


_TEXT = """
# Synthetic immunotherapy cohort with serum magnesium

**Simulated and illustrative. No patient is in these files, and no published estimate is reproduced.** Only the
direction of the planted effect, low magnesium going with faster progression and shorter survival, echoes a
published observation (Lötscher et al., Cell 2022, DOI 10.1016/j.cell.2021.12.039). Sizes, effects, cut-points and
times are ours. Recovering what was planted is a software test, not evidence.

This card and all files beside it but `plan.toml` are written by `python -m analysis simulate`, byte for byte.

| file | holds |
|---|---|
| `cohort.csv` | one row a patient |
| `magnesium_labs.csv` | repeated serum magnesium, one row a sample |
| `truth.json` | what was planted, and what each analysis would find in {million} patients |
| `datapackage.json` | columns, units, ranges and licence for machines (Frictionless Data Package) |
| `plan.toml` | the study plan of the report |

## At a glance

{clinic}

## How it was made

* {n} patients: {n_checkpoint_inhibitor} given a checkpoint inhibitor for lung cancer, {n_car_t} given CAR T cells
  for large B-cell lymphoma. Seed {seed}, fixed beforehand and not searched; the design was set on large samples,
  not on these patients.
* One unseen severity makes tumour burden, LDH, CRP, albumin, ECOG and acid-suppressing drugs go together. The
  columns are rounded first and everything else is drawn from the rounded columns, so the confounders hold no error
  and adjustment for the terms below can succeed.
* True magnesium is drawn from its causes; `magnesium` is one measurement of it, with a normal error of standard
  deviation {error} mmol/L, rounded to 0.01.
* Progression, death without progression and death after progression form an illness-death process. Each hazard is a
  baseline that fades, rate * exp(-t / fade) a month, times exp(causes + magnesium); the clock of death after
  progression starts at progression. What fades leaves a plateau. The baseline rates hold where every term of the
  table of causes is at its zero, and at a true magnesium of {reference} mmol/L.
* Progression is seen at the next scan: every {scan} months, at dates that differ between patients. Death before
  that scan counts as death without progression. Times are rounded up to 0.01 month.
* Follow-up ends {first_cut} to {last_cut} months after entry, evenly (staggered entry, one data cut), or earlier
  for the {lost} who are lost to follow-up at random.
* About {missing} of the baseline values of magnesium are missing: more with high CRP, low albumin and death within
  3 months.
* Repeated samples come every 3 to 6 weeks while the patient is alive and under observation; magnesium drifts down
  under proton-pump inhibitors and after platinum. The hazards know the baseline value only.

## What was planted

Per 0.1 mmol/L lower true magnesium: hazard ratio {death} on both deaths, {progression} on progression. An analysis
does not estimate these directly: endpoints mix transitions, magnesium is measured with error, and its causes raise
the hazards by themselves. What each analysis estimates, from {million} simulated patients (per 0.1 mmol/L lower, or
low, below 0.75, against 0.75 to 0.95 mmol/L):

{targets}

The arrows of the synthetic world, all of them assumptions. A term counts from the value in "zero at":

{causes}

Mean and SD of true magnesium are those of {many} simulated patients; the residual SD is what its causes leave:

{diseases}

## Columns

`cohort.csv`

{cohort_columns}

`magnesium_labs.csv`

{labs_columns}

An empty field is a missing value.

## Limits

* No conclusion about patients can be drawn from these files: their answer was put in by hand.
* Plausible distributions are not real ones. Hazards are proportional within each transition and treatment by
  construction, effects are alike for both treatments, and no confounder is unmeasured. Real cohorts promise none of
  this.
* Sites, sex and identifiers mean nothing.

## Licence

CC0 1.0: no rights reserved.
"""
