"""What a clinic's spreadsheet may hold, and the words that a Cox model has for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis import (
    AnalysisWarning,
    CohortError,
    CompetingEndpoint,
    Endpoint,
    FewEvents,
    InputError,
    ManyTies,
    NotEstimable,
    RowsDropped,
    Separation,
    SuspiciousValues,
    fit_cox,
)

PLAIN = Endpoint("time", "event")
SPELLS = Endpoint("time", "event", entry="entry")
Change = Callable[[pd.DataFrame], pd.DataFrame]


def sample(n: int = 60) -> pd.DataFrame:
    """A sound cohort without ties."""
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "time": rng.permutation(n) + 1.0,
            "event": rng.integers(0, 2, n),
            "age": rng.normal(60, 9, n),
            "mg": rng.normal(0.8, 0.1, n),
            "entry": 0.0,
            "weight": 1.0,
            "site": rng.integers(0, 3, n),
        }
    )


def assign(**columns: object) -> Change:
    """The sample with some columns replaced."""
    return lambda cohort: cohort.assign(**columns)


def put(column: str, rows: list[int], value: object) -> Change:
    """The sample with one value put into some rows."""

    def change(cohort: pd.DataFrame) -> pd.DataFrame:
        cohort[column] = cohort[column].astype(object if isinstance(value, str) else float)
        cohort.loc[rows, column] = value
        return cohort

    return change


REFUSED: list[tuple[str, Change, dict[str, object], type[Exception], str]] = [
    ("no events", assign(event=0), {}, NotEstimable, "no events among 60 rows"),
    ("all at one time", assign(time=5.0, event=1), {}, NotEstimable, r"no information: all events at one time \(5\)"),
    ("strata of one", lambda c: c.assign(event=1, own=range(60)), {"strata": "own"}, NotEstimable,
     "no information: at every event time, everybody at risk had the event"),
    ("one row", lambda c: c.head(1).assign(event=1), {}, NotEstimable, "'age' is constant"),
    ("constant", assign(age=70.0), {}, NotEstimable, "covariate 'age' is constant \\(70 in every row used\\)"),
    ("constant in strata", lambda c: c.assign(age=c["site"]), {"strata": "site"}, NotEstimable,
     "covariate 'age' does not vary among those at risk at any event"),
    ("two units", lambda c: c.assign(age=c["mg"] * 2.4305), {}, NotEstimable, "covariates 'age', 'mg' are collinear"),
    ("a sum", lambda c: c.assign(sum=c["age"] + c["mg"]), {"covariates": ["age", "mg", "sum", "site"]}, NotEstimable,
     "covariates 'age', 'mg', 'sum' are collinear: each follows from the others"),
    ("weight zero", put("weight", [0, 4], 0.0), {"weights": "weight"}, CohortError,
     r"weights column 'weight': zero or negative in 2 rows \(1, 5\)"),
    ("weight negative", put("weight", [2], -1.0), {"weights": "weight"}, CohortError, r"negative in 1 row \(3\)"),
    ("entry too late", lambda c: c.assign(entry=c["time"]), {"endpoint": SPELLS}, CohortError, "entry is at or after"),
    ("entry negative", assign(entry=-1.0), {"endpoint": SPELLS}, CohortError, r"negative values \(-1"),
    ("infinite covariate", put("age", [3], np.inf), {}, CohortError, r"column 'age': infinite values in 1 row \(4\)"),
    ("text covariate", put("age", [3], "old"), {}, CohortError, r"column 'age': 1 values are not numbers \('old'\)"),
    ("negative time", put("time", [3, 8], -2.0), {}, CohortError, r"negative values \(-2, -2\) in 2 rows \(4, 9\)"),
    ("event 1 and 2", lambda c: c.assign(event=c["event"] + 1), {}, CohortError, "event_codes={'event': {1: 0, 2: 1}}"),
    ("no covariate", assign(), {"covariates": []}, InputError, "covariates: none given"),
    ("no frame", lambda c: c.to_dict(), {"covariates": "age"}, CohortError, "expected a pandas DataFrame, got dict"),
    ("one name too few", assign(), {"covariates": None}, InputError, "covariates=None: give a formula string"),
    ("competing", assign(), {"endpoint": CompetingEndpoint("time", "event")}, InputError,
     "has several causes; use cumulative_incidence, gray_test or fit_fine_gray"),
    ("twice", assign(), {"covariates": ["age", "age"]}, InputError, "covariate 'age' is named twice"),
    ("outcome", assign(), {"covariates": ["age", "event"]}, InputError, "covariate 'event' is the event itself"),
    ("misspelt", assign(), {"covariates": ["agee"]}, CohortError, "no column 'agee'; did you mean 'age'"),
    ("nothing left", assign(age=np.nan), {}, CohortError, "no rows left: 60 dropped for missing age"),
    ("empty", lambda c: c.head(0), {}, CohortError, "no rows"),
    ("one cluster", assign(site=1), {"cluster": "site"}, NotEstimable, "cluster column 'site': one cluster only"),
]  # fmt: skip


@pytest.mark.parametrize("engine", ["kernel", "auto"])
@pytest.mark.parametrize(("change", "options", "error", "message"), [case[1:] for case in REFUSED],
                         ids=[case[0] for case in REFUSED])  # fmt: skip
def test_refused(change: Change, options: dict[str, object], error: type[Exception], message: str, engine: str) -> None:
    given = {"endpoint": PLAIN, "covariates": ["age", "mg"], "engine": engine} | options
    with pytest.raises(error, match=message):
        fit_cox(change(sample()), **given)


def few_events(cohort: pd.DataFrame) -> pd.DataFrame:
    """Seven events, spread out."""
    return cohort.assign(event=(cohort["time"] % 8 == 1) * 1).query("time < 57")


WARNED: list[tuple[str, Change, dict[str, object], type[AnalysisWarning], str]] = [
    ("few events", few_events, {}, FewEvents, r"7 events for 2 parameters \(3.5 events per parameter\)"),
    ("whole months", lambda c: c.assign(time=np.ceil(c["time"] / 12)), {}, ManyTies,
     r"compare with fit_cox\(\.\.\., ties='exact'\)"),
    ("extreme weights", put("weight", [0], 80.0), {"weights": "weight"}, SuspiciousValues,
     r"extreme weights: the largest is 80; 60 rows count as 3.0 \(effective n\)"),
    ("no events in a group", lambda c: c.assign(mg=(c["time"] > 40) * 1.0, event=(c["time"] <= 40) * 1), {}, Separation,
     "not estimable: 'mg'"),
    ("censored at zero", put("time", [int(np.flatnonzero(sample()["event"] == 0)[0])], 0.0), {}, SuspiciousValues,
     "1 row censored at time 0, kept"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "options", "kind", "message"), [case[1:] for case in WARNED],
                         ids=[case[0] for case in WARNED])  # fmt: skip
def test_warned(change: Change, options: dict[str, object], kind: type[AnalysisWarning], message: str) -> None:
    with pytest.warns(kind, match=message):
        fit = fit_cox(change(sample()), PLAIN, ["age", "mg"], **options)
    assert kind in [type(found) for found in fit.warnings]


def test_a_weight_that_is_the_same_for_all_is_not_extreme() -> None:
    assert fit_cox(sample().assign(weight=100.0), PLAIN, ["age"], weights="weight").warnings == ()


def test_missing_values_are_dropped_and_counted_wherever_they_are() -> None:
    cohort = sample().astype({"event": float, "site": float})
    for row, name in enumerate(["time", "event", "age", "entry", "weight", "site"]):
        cohort.loc[[row], name] = np.nan
    with pytest.warns(RowsDropped, match="6 of 60 rows dropped: 1 for missing time, 1 for missing event"):
        fit = fit_cox(cohort, SPELLS, ["age", "mg"], weights="weight", strata="site")
    assert fit.n_used == 54
    assert fit.dropped == dict.fromkeys(
        (f"missing {n}" for n in ("time", "event", "entry", "weight", "age", "site")), 1
    )


def test_unused_levels_of_strata_are_ignored() -> None:
    cohort = sample().assign(
        arm=lambda c: pd.Categorical(np.where(c["site"] > 0, "a", "b"), categories=["a", "b", "c"])
    )
    stratified = fit_cox(cohort, PLAIN, ["age"], strata="arm")
    plain = fit_cox(cohort.assign(arm=cohort["arm"].astype(str)), PLAIN, ["age"], strata="arm")
    np.testing.assert_array_equal(stratified.coef, plain.coef)


def test_an_uninformative_design_says_all_its_faults_at_once() -> None:
    with pytest.raises(NotEstimable, match=r"(?s)'age' is constant.*'mg' is constant"):
        fit_cox(sample().assign(age=1.0, mg=2.0), PLAIN, ["age", "mg"])


@pytest.mark.filterwarnings("ignore::analysis.errors.FewEvents")
@pytest.mark.parametrize("engine", ["kernel", "lifelines"])
def test_a_monotone_likelihood_is_separation_and_no_overflow(engine):
    rows = pd.DataFrame(
        {
            "x": [5.000013, 4.999928, 5.000044, 5.000008, 4.999903, 4.999898],
            "z": [1, 0, 0, 1, 1, 1],
            "entry": [0.2, 0.2, 0.9, 0.1, 0.2, 0.2],
            "time": [2.9, 2.5, 1.0, 0.2, 1.2, 2.0],
            "event": [0, 1, 1, 1, 0, 1],
            "stratum": [1, 0, 1, 0, 0, 0],
        }
    )
    with pytest.warns(Separation, match="not estimable: 'x', 'z'"):
        fit = fit_cox(rows, SPELLS, ["x", "z"], strata="stratum", engine=engine)
    assert fit.coefficients["coef"].isna().all()
    assert fit.log_likelihood >= fit.log_likelihood_null
