"""A column holds the same whatever its dtype and its name: every function gives the same numbers for it."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CompetingEndpoint,
    Endpoint,
    ManyTies,
    NotSupported,
    baseline_hazard,
    baseline_table,
    concordance,
    dose_response,
    event_counts,
    fit_cox,
    incidence_rates,
    kaplan_meier,
    logrank_test,
    median_follow_up,
    permutation_logrank,
    risk_table,
    search_cutpoint,
)
from analysis.cohort.columns import holds_numbers
from benchmarks.fuzz_calls import CALLS
from benchmarks.fuzz_inputs import ROLES, Draw, plain_cohort

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")

NOT_HERE = {"fit_cox_file", "read_cohort", "write_cohort", "csv_text", "html_table", "display_frame", "time_from_dates"}
NOT_HERE |= {"endpoint_from_adtte"}  # whose columns have the names of a standard
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


LATE_ROLES = ("time", "event", "entry", "weight", "stratum", "patient", "group", "marker", "covariate")


def spells() -> pd.DataFrame:
    """Forty patients, the follow-up of each cut in two; every column matters to what is estimated."""
    rng = np.random.default_rng(11)
    patient, second = np.repeat(np.arange(40), 2), np.tile([0, 1], 40)
    middle = rng.integers(1, 10, 40)[patient]
    end = middle + rng.integers(1, 12, 40)[patient]
    columns = [
        np.where(second, end, middle),
        second * (rng.random(40) < 0.7)[patient],
        second * middle,
        rng.uniform(0.3, 3, 80).round(2),
        patient % 2,
        patient,
        np.array(["a", "b"])[rng.integers(0, 2, 40)[patient]],
        rng.normal(0.8, 0.1, 40)[patient],
        rng.normal(0, 1, 40)[patient],
    ]
    return pd.DataFrame(dict(zip(LATE_ROLES, columns, strict=True)))


def late(name: dict) -> Endpoint:
    return Endpoint(name["time"], name["event"], entry=name["entry"])


def cox_numbers(rows: pd.DataFrame, name: dict, **options: object) -> tuple:
    fit = fit_cox(rows, late(name), [name["marker"], name["covariate"]], **options)
    return fit.coefficients, fit.concordance, fit.concordance_std_error


OPTIONS = {
    "weighted curves": lambda rows, n: kaplan_meier(rows, late(n), by=n["group"], weights=n["weight"]),
    "curves of patients": lambda rows, n: kaplan_meier(rows, late(n), cluster=n["patient"]),
    "risk table of patients": lambda rows, n: risk_table(rows, late(n), times=[3, 9], cluster=n["patient"]),
    "median follow-up": lambda rows, n: median_follow_up(rows, late(n), by=n["group"], cluster=n["patient"]),
    "rows as if from the start, of patients": lambda rows, n: risk_table(
        rows[rows[n["entry"]] > 0], Endpoint(n["time"], n["event"]), times=[9], cluster=n["patient"]
    ),
    "counts": lambda rows, n: event_counts(rows, late(n), by=n["group"]),
    "log-rank test": lambda rows, n: logrank_test(rows, late(n), by=n["group"], strata=n["stratum"]),
    "permutations": lambda rows, n: permutation_logrank(
        rows, late(n), by=n["group"], strata=n["stratum"], cluster=n["patient"], n_permutations=9, seed=1
    ),
    "concordance": lambda rows, n: concordance(
        rows, late(n), n["marker"], strata=n["stratum"], weights=n["weight"]
    ),
    "Cox, weighted": lambda rows, n: cox_numbers(rows, n, weights=n["weight"], strata=n["stratum"]),
    "Cox, clustered": lambda rows, n: cox_numbers(rows, n, cluster=n["patient"]),
    "baseline hazard": lambda rows, n: baseline_hazard(
        fit_cox(rows, late(n), [n["marker"]], strata=n["stratum"])
    )[["time", "cumulative_hazard", "stratum"]].astype({"stratum": str}).astype({"stratum": float}),
    "search, late entry": lambda rows, n: search_cutpoint(
        rows, late(n), n["marker"], n_permutations=9, n_bootstrap=0, seed=1
    ),
    "search, adjusted": lambda rows, n: search_cutpoint(
        rows, late(n), n["marker"], adjust=[n["covariate"]], strata=n["stratum"], n_permutations=9, n_bootstrap=0,
        seed=1,
    ),
    "dose-response": lambda rows, n: dose_response(
        rows, late(n), n["marker"], knots=3, adjust=[n["covariate"]], strata=n["stratum"]
    ),
    "rates": lambda rows, n: incidence_rates(rows, late(n), by=n["group"]),
    "table": lambda rows, n: baseline_table(rows, by=n["group"], columns=[n["marker"], n["covariate"]]),
}  # fmt: skip


@pytest.mark.parametrize("what", OPTIONS)
def test_a_column_named_zero_serves_in_every_role(what):
    expected = list(numbers_in(OPTIONS[what](spells(), dict(zip(LATE_ROLES, LATE_ROLES, strict=True)))))
    assert expected
    for first in range(len(LATE_ROLES)):
        names = np.roll(np.arange(len(LATE_ROLES)), first).tolist()
        found = OPTIONS[what](spells().set_axis(names, axis=1), dict(zip(LATE_ROLES, names, strict=True)))
        np.testing.assert_allclose(list(numbers_in(found)), expected, rtol=1e-9, err_msg=f"names {names}")


def test_strata_or_late_entry_named_zero_are_refused_where_they_are_not_defined():
    rows = spells()[["stratum", "time", "event", "marker"]].set_axis([0, 1, 2, 3], axis=1)
    with pytest.raises(NotSupported, match="weighting='uno' is not defined"):
        concordance(rows, Endpoint(1, 2), 3, strata=0, weighting="uno")
    assert concordance(rows, Endpoint(1, 2), 3, strata=[], weighting="uno").concordance > 0


def test_what_ties_advise_knows_weights_named_zero():
    rows = spells().assign(time=lambda rows: rows["time"] // 6 + 1, weight=2)
    rows = rows[["weight", "time", "event", "marker"]].set_axis([0, 1, 2, 3], axis=1)
    with pytest.warns(ManyTies) as given:
        fit_cox(rows, Endpoint(1, 2), [3], weights=0)
    assert not any("exact" in str(one.message) for one in given)
