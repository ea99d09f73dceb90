"""Values computed with R, case by case, and the rows that they belong to (see README.md)."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FOLDER = Path(__file__).parent
DATASETS = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@dataclass(frozen=True)
class Case:
    """One answer of R: the data set, what was asked (`args` name its columns) and what is expected."""

    dataset: str
    id: str
    kind: str
    args: dict[str, Any]
    expected: dict[str, Any]

    def __str__(self) -> str:
        """The name that pytest shows."""
        return f"{self.dataset}-{self.id}"


@functools.cache
def _read(dataset: str) -> dict[str, Case]:
    """Every case of one data set by its id."""
    document = json.loads((FOLDER / f"{dataset}.json").read_text(encoding="utf-8"))
    return {item["id"]: Case(dataset, **item) for item in document["cases"]}


@functools.cache
def _rows(dataset: str) -> pd.DataFrame:
    """The CSV as it stands, its times to the last digit."""
    return pd.read_csv(FOLDER / f"{dataset}.csv", float_precision="round_trip")


def rows(dataset: str) -> pd.DataFrame:
    """A data set, all rows, in a frame of one's own."""
    return _rows(dataset).copy()


def cases(*kinds: str, dataset: str | None = None) -> list[Case]:
    """The cases of some kinds, in the order of the files: made for ``parametrize("case", cases("km"), ids=str)``."""
    return [case for name in DATASETS if dataset in (None, name) for case in _read(name).values() if case.kind in kinds]


def referred(case: Case) -> Case:
    """The Cox case that a diagnostic belongs to (the case itself where it names none)."""
    return _read(case.dataset)[case.args["ref"]] if case.args.get("ref") else case


def cohort(case: Case, *columns: str | Iterable[str] | None) -> pd.DataFrame:
    """The rows complete in these columns (None is skipped, a list unpacked); by default in all that `args` names."""
    held = rows(case.dataset)
    wanted = columns or [value for value in case.args.values() if _names_columns(value, held)]
    names = [name for value in wanted if value is not None for name in ([value] if isinstance(value, str) else value)]
    return held.dropna(subset=names).reset_index(drop=True)


def _names_columns(value: object, held: pd.DataFrame) -> bool:
    """Whether an argument is a column of the data set or a list of them."""
    listed = value if isinstance(value, list) else [value]
    return all(isinstance(name, str) and name in held for name in listed)


def with_groups(case: Case, held: pd.DataFrame) -> tuple[pd.DataFrame, str | None]:
    """The cohort with a categorical column of R's group labels, and that column's name (None: no group)."""
    group = case.args.get("group")
    if group is None:
        return held, None
    values = sorted(held[group].unique())
    labels = {value: f"{value:g}" if isinstance(value, (int, float, np.number)) else str(value) for value in values}
    column = pd.Categorical(held[group].map(labels), categories=[labels[value] for value in values], ordered=True)
    return held.assign(stratum_label=column), "stratum_label"


def floats(values: Any) -> NDArray[np.float64]:
    """Numbers as floats; null is NaN."""
    listed = np.atleast_1d(np.asarray(values, dtype=object)).ravel()
    return np.array([np.nan if value is None else float(value) for value in listed])
