"""The synthetic files described: a data card for people, and a Frictionless data package for machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib import resources
from string import Template

import numpy as np
import pandas as pd

from analysis.cohort import synthetic
from analysis.cohort.columns import OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL, Endpoint
from analysis.cohort.schema import Column, Schema
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


def data_card(simulated: synthetic.SyntheticCohort, truth: TrueEstimands) -> str:
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
    template = resources.files("analysis.study.synthetic_data").joinpath("data_card.md").read_text(encoding="utf-8")
    return Template(template).substitute(
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
        cohort_columns=_column_table(synthetic.COHORT_SCHEMA),
        labs_columns=_column_table(synthetic.LABS_SCHEMA),
        clinic=_clinic_table(simulated.cohort),
        causes=_cause_table(),
        diseases=_disease_table(design),
        reference=f"{synthetic.REFERENCE_MAGNESIUM:.2f}",
        many=f"{N_MOMENTS:,}",
        targets=_target_table(truth),
    )


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
        *(f"log HR, {name.replace('_', ' ')}" for name in synthetic.TRANSITIONS),
    ]
    rows = [
        [
            f"`{cause.term}`",
            f"{cause.centre:g}",
            f"{cause.magnesium:+g}",
            *(f"{getattr(cause, name):+g}" for name in synthetic.TRANSITIONS),
        ]
        for cause in synthetic.CAUSES
    ]
    return markdown_table(header, [[cell.replace("+0", "0") if cell == "+0" else cell for cell in row] for row in rows])


def _disease_table(design: synthetic.CohortDesign) -> str:
    """The baseline hazards and the law of magnesium by treatment."""
    header = [
        "",
        *(f"{name.replace('_', ' ')}: rate a month, fade" for name in synthetic.TRANSITIONS),
        "magnesium where the terms are zero: mean, residual SD",
        "true magnesium: mean, SD",
    ]
    moments, rows = true_magnesium(design), []
    for treatment, disease in synthetic.DISEASES.items():
        hazards = [getattr(disease, name) for name in synthetic.TRANSITIONS]
        law = f"{disease.magnesium_mean:g}, {disease.magnesium_sd:g} mmol/L"
        mean, deviation = moments.loc[treatment]
        rates = [f"{hazard.rate:g}, {hazard.fade:g} months" for hazard in hazards]
        rows.append([treatment, *rates, law, f"{mean:.3f}, {deviation:.3f} mmol/L"])
    return markdown_table(header, rows)


def true_magnesium(design: synthetic.CohortDesign) -> pd.DataFrame:
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
    covariates = synthetic.draw_covariates(design.of_size(N_MOMENTS), covering)
    magnesium = synthetic.draw_magnesium(synthetic.magnesium_law(covariates, design), drawing)
    return pd.Series(magnesium).groupby(covariates["treatment"].astype(str)).agg(["mean", "std"])


def _target_table(truth: TrueEstimands) -> str:
    """The hazard ratios that matter most, by endpoint."""
    table = truth.log_hazard_ratios.pivot_table(index="target", columns="endpoint", values="hazard_ratio", sort=False)
    shown = table.loc[list(SHOWN_TARGETS)]
    rows = [[target, *(f"{ratio:.2f}" for ratio in shown.loc[target])] for target in shown.index]
    return markdown_table(["target", *(f"hazard ratio, {name.lower()}" for name in shown.columns)], rows)


LICENCE = {
    "name": "CC0-1.0",
    "title": "Creative Commons CC0 1.0 Universal",
    "path": "https://creativecommons.org/publicdomain/zero/1.0/",
}

_TYPES = {
    "identifier": "string",
    "category": "string",
    "number": "number",
    "integer": "integer",
    "indicator": "integer",
}


def data_package(files: Mapping[str, bytes]) -> dict[str, object]:
    """The descriptor (Data Package version 1) of the synthetic files, with their sizes and SHA-256.

    Parameters
    ----------
    files : Mapping[str, bytes]
        The contents of cohort.csv, magnesium_labs.csv and truth.json.

    Returns
    -------
    dict
        Ready for JSON.

    Examples
    --------
    >>> package = data_package({"cohort.csv": b"", "magnesium_labs.csv": b"", "truth.json": b""})
    >>> [resource["path"] for resource in package["resources"]]
    ['cohort.csv', 'magnesium_labs.csv', 'truth.json']
    """
    labs_key = {"fields": "patient_id", "reference": {"resource": "cohort", "fields": "patient_id"}}
    return {
        "profile": "data-package",
        "name": "magnesium-survival-synthetic",
        "title": "Synthetic immunotherapy cohort with serum magnesium",
        "description": "Simulated, illustrative: no patient, no published estimate. See README.md.",
        "licenses": [LICENCE],
        "resources": [
            _resource(
                "cohort.csv", files, "One row a patient.", _table_schema(synthetic.COHORT_SCHEMA, ["patient_id"])
            ),
            _resource(
                "magnesium_labs.csv",
                files,
                "Repeated serum magnesium, one row a sample.",
                _table_schema(synthetic.LABS_SCHEMA, ["patient_id", "month"]) | {"foreignKeys": [labs_key]},
            ),
            _resource(
                "truth.json", files, "What was planted, and what each analysis would find in a million patients."
            ),
        ],
    }


def _resource(
    path: str, files: Mapping[str, bytes], description: str, schema: Mapping[str, object] | None = None
) -> dict[str, object]:
    """One file of the package: a table when it has a schema."""
    name, ending = path.split(".")
    resource: dict[str, object] = {
        "profile": "tabular-data-resource" if schema else "data-resource",
        "name": name,
        "path": path,
        "description": description,
        "format": ending,
        "mediatype": "text/csv" if ending == "csv" else "application/json",
        "encoding": "utf-8",
        "bytes": len(files[path]),
        "hash": f"sha256:{sha256(files[path]).hexdigest()}",
    }
    return resource | ({"schema": schema} if schema else {})


def _table_schema(schema: Schema, key: list[str]) -> dict[str, object]:
    """The Table Schema of a file."""
    return {"fields": [_field(column, schema.key) for column in schema], "missingValues": [""], "primaryKey": key}


def _field(column: Column, key: str | None) -> dict[str, object]:
    """One column: name, type, unit, meaning, and what its values may be."""
    constraints: dict[str, object] = {"required": column.required}
    if column.name == key:
        constraints["unique"] = True
    if column.low is not None:
        constraints["minimum"] = column.low
    if column.high is not None:
        constraints["maximum"] = column.high
    if column.type == "indicator":
        constraints |= {"minimum": 0, "maximum": 1}
    if column.levels:
        constraints["enum"] = list(column.levels)
    field: dict[str, object] = {"name": column.name, "type": _TYPES[column.type], "description": column.meaning}
    if column.unit:
        field["unit"] = column.unit
    return field | {"constraints": constraints}
