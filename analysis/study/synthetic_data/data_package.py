"""The Frictionless data package of the synthetic data: its columns, units, ranges and licence, from the schemas."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from analysis.cohort.schema import Column, Schema
from analysis.cohort.synthetic import COHORT_SCHEMA, LABS_SCHEMA

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
            _resource("cohort.csv", files, "One row a patient.", _table_schema(COHORT_SCHEMA, ["patient_id"])),
            _resource(
                "magnesium_labs.csv",
                files,
                "Repeated serum magnesium, one row a sample.",
                _table_schema(LABS_SCHEMA, ["patient_id", "month"]) | {"foreignKeys": [labs_key]},
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
