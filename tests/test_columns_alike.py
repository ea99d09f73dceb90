"""A column holds the same whatever its dtype and its name: every function gives the same numbers for it."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from analysis import CompetingEndpoint, Endpoint
from analysis.cohort.columns import holds_numbers
from benchmarks.fuzz_calls import CALLS
from benchmarks.fuzz_inputs import ROLES, Draw, plain_cohort

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")

NOT_HERE = {"fit_cox_file", "read_cohort", "write_cohort", "csv_text", "html_table", "display_frame", "time_from_dates"}
"""What writes or shows a column as it stands, or takes no numbers."""
NAMES = [name for name in CALLS if not name.startswith("plot_") and name not in NOT_HERE]


class First(Draw):
    """The first of all choices: every option plain."""

    endpoint = property(lambda self: Endpoint(self.name["time"], self.name["event"]))
    causes = property(lambda self: CompetingEndpoint(self.name["time"], self.name["status"]))
    by = property(lambda self: self.name["arm"])
    strata = property(lambda self: None)

    def pick(self, *choices):
        return choices[0]

    def changed(self, frame):
        return frame


def sample() -> pd.DataFrame:
    return plain_cohort(np.random.default_rng(7), 60).assign(z=lambda rows: (rows["key"] % 3).astype(float))


def called(name: str, cohort: pd.DataFrame) -> list[float]:
    draw = First(np.random.default_rng(1), cohort, dict(zip(ROLES, cohort.columns, strict=True)))
    return list(numbers_in(CALLS[name](draw)))


def numbers_in(result: object) -> Iterator[float]:
    """Every number of a result, in order; of what is no frame or array, the fractions (integers may be names)."""
    if isinstance(result, pd.DataFrame):
        for place in range(result.shape[1]):
            yield from numbers_in(result.iloc[:, place])
    elif isinstance(result, (pd.Series, np.ndarray)):
        values = pd.Series(np.ravel(np.asarray(result)))
        yield from values.astype(float) if holds_numbers(values) else ()
    elif isinstance(result, (float, np.floating)):
        yield float(result)
    elif isinstance(result, tuple):
        for part in result:
            yield from numbers_in(part)
    elif is_dataclass(result):
        yield from numbers_in(tuple(getattr(result, field.name) for field in fields(result)))


def objects(column: pd.Series, change=lambda value, place: value) -> pd.Series:
    return pd.Series([change(value, place) for place, value in enumerate(column.tolist())], dtype=object)


FORMS = {
    "numbers as objects": objects,
    "decimals": lambda column: objects(column, lambda value, _: Decimal(repr(value))),
    "numpy scalars and Python's": lambda column: objects(
        column, lambda value, place: (float, np.float64)[place % 2](value)
    ),
    "nullable": lambda column: column.astype("Float64"),
    "Arrow": lambda column: column.astype("double[pyarrow]"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_column_gives_the_same_in_every_dtype_of_numbers(name):
    plain = sample()
    expected = called(name, plain)
    form = list(FORMS)[sum(map(ord, name)) % len(FORMS)]
    numeric = ["time", "event", "entry", "status", "s", "x", "z", "w", "key"]
    found = called(name, plain.assign(**{role: FORMS[form](plain[role]) for role in numeric}))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", sorted({*NAMES} - {"validate_cohort"}))  # whose schema names the columns
def test_names_of_columns_may_be_integers(name):
    expected = called(name, sample().set_axis([f"c{place}" for place in range(len(ROLES))], axis=1))
    found = called(name, sample().set_axis(range(len(ROLES)), axis=1))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
