"""A Cox model of counts: exactly the model of the rows that were counted."""

import numpy as np
import pandas as pd
import pytest

from analysis import (
    Endpoint,
    RowsDropped,
    baseline_hazard,
    cox_residuals,
    fit_cox,
    fit_cox_counts,
    hazard_ratios,
    proportional_hazards_test,
)
from analysis.errors import CohortError, InputError, ManyTies, NotEstimable, NotSupported
from tests.reference import cases, cohort

PLAIN = Endpoint("time", "event")
LATE = Endpoint("time", "event", entry="entry")


def patients_of(n=3000, seed=1):
    """Patients with few covariate values, whole months and late entry."""
    rng = np.random.default_rng(seed)
    stage, old = rng.integers(1, 5, n), rng.integers(0, 2, n)
    time = np.ceil(rng.exponential(20 * np.exp(-0.3 * stage - 0.5 * old), n) * 3) + 1
    return pd.DataFrame(
        {
            "time": time,
            "event": (rng.random(n) < 0.7).astype(int),
            "entry": np.where(rng.random(n) < 0.4, np.floor(time / 2), 0),
            "stage": stage,
            "old": old,
            "site": rng.choice(["north", "south"], n),
        }
    )


def counted(patients):
    """One row a combination, and how often it is there."""
    return patients.value_counts(dropna=False).reset_index(name="n")


def assert_same_fit(found, by_rows):
    """Everything that a fit without rows holds, against the fit of the rows."""
    pd.testing.assert_frame_equal(found.coefficients, by_rows.coefficients, rtol=1e-8, atol=1e-12)
    pd.testing.assert_frame_equal(hazard_ratios(found), hazard_ratios(by_rows), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.covariance, by_rows.covariance, rtol=1e-8, atol=1e-14)
    assert (found.n, found.n_event, found.n_read, found.n_used) == (
        by_rows.n,
        by_rows.n_event,
        by_rows.n_read,
        by_rows.n_used,
    )
    for name in ("log_likelihood", "log_likelihood_null"):
        assert getattr(found, name) == pytest.approx(getattr(by_rows, name), rel=1e-11)
    for name in ("likelihood_ratio_test", "wald_test", "score_test"):
        assert getattr(found, name).statistic == pytest.approx(getattr(by_rows, name).statistic, rel=1e-8)
        assert getattr(found, name).df == getattr(by_rows, name).df


@pytest.mark.filterwarnings("ignore::analysis.errors.ManyTies")
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("strata", [None, "site", ["site", "old"]])
@pytest.mark.parametrize("endpoint", [PLAIN, LATE])
def test_counts_are_their_rows(endpoint, strata, ties):
    patients = patients_of()
    terms = ["stage"] if strata == ["site", "old"] else ["stage", "old"]
    by_rows = fit_cox(patients, endpoint, terms, strata=strata, ties=ties, engine="kernel")
    assert_same_fit(fit_cox_counts(counted(patients), endpoint, terms, strata=strata, ties=ties), by_rows)


@pytest.mark.filterwarnings("ignore::analysis.errors.ManyTies")
def test_a_formula_and_combinations_that_come_again():
    patients = patients_of()
    tables = pd.concat([counted(part) for _, part in patients.groupby("site")])  # two hospitals, appended
    found = fit_cox_counts(tables, PLAIN, "C(stage) * old + site")
    assert_same_fit(found, fit_cox(patients, PLAIN, "C(stage) * old + site", engine="kernel"))


@pytest.mark.filterwarnings("ignore::analysis.errors.ManyTies")
def test_patients_left_out_are_counted_as_patients():
    patients = patients_of().astype({"stage": float, "site": object})
    patients.loc[:99, "stage"] = np.nan
    patients.loc[50:139, "site"] = None
    words = "100 for missing stage, 40 for missing site"
    with pytest.warns(RowsDropped, match=words):
        found = fit_cox_counts(counted(patients), PLAIN, ["stage", "old"], strata="site")
    with pytest.warns(RowsDropped, match=words):
        by_rows = fit_cox(patients, PLAIN, ["stage", "old"], strata="site", engine="kernel")
    assert str(found.warnings[0]) == str(by_rows.warnings[0])
    assert found.dropped == by_rows.dropped
    assert_same_fit(found, by_rows)


COUNTABLE = [
    case
    for case in cases("cox")
    if case.args["ties"] != "exact"
    and not case.args.get("weights")
    and max(map(abs, case.expected["coef"].values())) < 15
]


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize("case", COUNTABLE, ids=str)
def test_counted_rows_have_the_values_of_r(case):
    args, expected = case.args, case.expected
    names = {args["time"], args["event"], *args["covariates"], args.get("entry"), args.get("strata")} - {None}
    table = cohort(case)[list(names)].astype(dict.fromkeys(args["covariates"], float))
    counts = table.value_counts(dropna=False).reset_index(name="patients")
    endpoint = Endpoint(args["time"], args["event"], entry=args.get("entry"))
    found = fit_cox_counts(
        counts, endpoint, args["covariates"], strata=args.get("strata"), ties=args["ties"], count="patients"
    )
    table = found.coefficients.set_index("term").loc[list(expected["coef"])]
    assert (found.n, found.n_event) == (expected["n"], expected["n_event"])
    np.testing.assert_allclose(table["coef"], list(expected["coef"].values()), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(table["std_error"], list(expected["se"].values()), rtol=1e-6)
    np.testing.assert_allclose(found.log_likelihood, expected["loglik"], rtol=1e-9)
    np.testing.assert_allclose(found.score_test.statistic, expected["score_chisq"], rtol=1e-6)


def test_what_needs_rows_says_so():
    counts = counted(patients_of(300)[["time", "event", "stage"]])
    with pytest.warns(ManyTies, match="on a sample of the rows"):
        fit = fit_cox_counts(counts, PLAIN, ["stage"])
    words = "made from a table of counts and holds no rows.*use fit_cox on the rows"
    for ask in (baseline_hazard, proportional_hazards_test, lambda fit: cox_residuals(fit, "martingale")):
        with pytest.raises(NotSupported, match=words):
            ask(fit)
    for name in ("concordance", "linear_predictor"):
        with pytest.raises(NotSupported, match=words):
            getattr(fit, name)
    assert repr(fit).startswith("Cox model of ")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"n": 0}, CohortError, "count column 'n': zero or negative in 5 rows"),
        ({"n": 1.5}, CohortError, "count column 'n': not whole in 5 rows"),
        ({"n": np.nan}, CohortError, "count column 'n': missing in 5 rows"),
        ({"n": "many"}, CohortError, "count column 'n'"),
        ({"event": 2}, CohortError, "event"),
        ({"time": -1.0}, CohortError, "negative values"),
        ({"event": 0}, NotEstimable, "no events among 5 rows"),
        ({"x": 1.0}, NotEstimable, "covariate 'x' is constant"),
    ],
    ids=str,
)
def test_what_cannot_be_says_so(change, error, words):
    counts = pd.DataFrame({"time": [1.0, 2, 3, 4, 5], "event": 1, "x": [0.0, 1, 0, 1, 1], "n": 3}).assign(**change)
    with pytest.raises(error, match=words):
        fit_cox_counts(counts, PLAIN, ["x"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ties": "exact"}, "ties='exact'; choose 'efron' or 'breslow'"),
        ({"count": "m"}, "no column 'm'"),
        ({"count": 3}, "name the column of counts"),
    ],
)
def test_options_that_are_not_offered(options, words):
    counts = pd.DataFrame({"time": [1.0, 2, 3], "event": 1, "x": [0.0, 1, 0], "n": 3})
    with pytest.raises(InputError, match=words):
        fit_cox_counts(counts, PLAIN, ["x"], **options)


def test_separation_and_collinear_columns_are_refused():
    counts = pd.DataFrame(
        {"time": [1.0, 2, 3, 4, 5, 6], "event": [1, 0, 1, 0, 1, 0], "x": [1.0, 0, 1, 0, 1, 0], "n": 9}
    )
    with pytest.raises(NotEstimable, match="has no maximum that can be reached"):
        fit_cox_counts(counts, PLAIN, ["x"])
    mixed = counts.assign(event=1, x=[1.0, 0, 0, 1, 1, 0], y=lambda table: 2 * table["x"] + 1)
    with pytest.raises(NotEstimable, match="covariates 'x', 'y' are collinear"):
        fit_cox_counts(mixed, PLAIN, ["x", "y"])
