"""A Cox model of a Parquet file in chunks: exactly the model of its rows."""

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, baseline_hazard, fit_cox, fit_cox_file
from analysis.errors import CohortError, InputError, NotEstimable, NotSupported, SuspiciousValues
from analysis.kernels import cox_registry
from tests.reference import cases, cohort
from tests.survival.registry.test_cox import assert_same_fit

PLAIN = Endpoint("time", "event")
LATE = Endpoint("time", "event", entry="entry")

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


def rows_of(n=2000, *, digits=0, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n) * 30 + 500
    time = np.round(rng.exponential(40 * np.exp(-0.01 * (x - 500)), n), digits) + 1
    return pd.DataFrame(
        {
            "patient": range(n),
            "site": rng.choice(["north", "south", "west"], n),
            "x": x,
            "z": rng.integers(0, 3, n),
            "event": rng.random(n) < 0.6,
            "entry": np.where(rng.random(n) < 0.4, np.floor(time / 2), 0),
            "time": time,
        }
    )


def written(folder, rows, **options):
    path = folder / "rows.parquet"
    rows.to_parquet(path, **options)
    return path


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("strata", [None, "site", ["site", "z"]])
@pytest.mark.parametrize("endpoint", [PLAIN, LATE])
def test_chunks_are_their_rows(endpoint, strata, ties, tmp_path):
    rows = rows_of(digits=1 if strata is None else 0)
    names = ["x"] if isinstance(strata, list) else ["x", "z"]
    plain = fit_cox(rows, endpoint, names, strata=strata, ties=ties, engine="kernel")
    path = written(tmp_path, rows, row_group_size=300)
    for chunk_rows in (170, 100_000):
        found = fit_cox_file(path, endpoint, names, strata=strata, ties=ties, chunk_rows=chunk_rows)
        assert_same_fit(found, plain)


def test_a_folder_is_read_as_one_file(tmp_path):
    rows = rows_of().astype({"site": "category"})
    rows.iloc[:700].to_parquet(tmp_path / "a.parquet")
    rows.iloc[700:].sort_values("site", ascending=False).to_parquet(tmp_path / "b.parquet")
    found = fit_cox_file(tmp_path, PLAIN, ["x", "z"], strata="site", chunk_rows=400)
    assert_same_fit(found, fit_cox(rows, PLAIN, ["x", "z"], strata="site", engine="kernel"))


def test_missing_values_are_counted_as_in_one_piece(tmp_path):
    rows = rows_of().astype({"event": "Int64", "site": object})
    rows.loc[:99, "x"] = np.nan
    rows.loc[50:420, "time"] = np.nan  # all of the first chunk
    rows.loc[400:450, "event"] = pd.NA
    rows.loc[440:500, "site"] = None
    found = fit_cox_file(written(tmp_path, rows), PLAIN, ["x", "z"], strata="site", chunk_rows=100)
    plain = fit_cox(rows, PLAIN, ["x", "z"], strata="site", engine="kernel")
    assert found.dropped == plain.dropped
    assert_same_fit(found, plain)


def test_a_sample_smaller_than_the_rows_and_a_column_it_holds_constant(tmp_path, monkeypatch):
    monkeypatch.setattr(cox_registry, "SAMPLE", 50)
    rows = rows_of().assign(rare=lambda table: (table.index % 40 == 7).astype(int))
    found = fit_cox_file(written(tmp_path, rows), PLAIN, ["x", "rare"], chunk_rows=400)
    assert_same_fit(found, fit_cox(rows, PLAIN, ["x", "rare"], engine="kernel"))


NEAR_TIES = [case for case in cases("cox", dataset="timefix") if case.args["ties"] != "exact"]


@pytest.mark.parametrize("case", NEAR_TIES, ids=str)
def test_times_that_differ_by_rounding_are_merged_across_chunks(case, tmp_path):
    rows, names = cohort(case), case.args["covariates"]
    endpoint = Endpoint(case.args["time"], case.args["event"])
    found = fit_cox_file(written(tmp_path, rows), endpoint, names, ties=case.args["ties"], chunk_rows=3)
    np.testing.assert_allclose(found.coefficients["coef"], list(case.expected["coef"].values()), rtol=1e-6, atol=1e-9)


def test_what_needs_rows_says_so(tmp_path):
    fit = fit_cox_file(written(tmp_path, rows_of(200)), PLAIN, ["x"])
    with pytest.raises(NotSupported, match=r"made from the file 'rows\.parquet' and holds no rows"):
        baseline_hazard(fit)


def test_censoring_at_zero_has_a_word(tmp_path):
    rows = rows_of(300)
    rows.loc[[5, 250], ["time", "event"]] = [0.0, False]
    with pytest.warns(SuspiciousValues, match="2 rows censored at time 0, kept"):
        fit_cox_file(written(tmp_path, rows), PLAIN, ["x"], chunk_rows=100)


@pytest.mark.parametrize(
    ("column", "value", "error", "words"),
    [
        ("time", -3.0, CohortError, "rows 200 to 299 of the file: time column 'time': negative values"),
        ("event", 2, CohortError, "rows 200 to 299 of the file: event column 'event'"),
        ("x", np.inf, CohortError, "rows 200 to 299 of the file: column 'x': infinite"),
    ],
)
def test_faults_are_told_with_their_rows(column, value, error, words, tmp_path):
    rows = rows_of(400).astype({"event": int})
    rows.loc[250, column] = value
    with pytest.raises(error, match=words):
        fit_cox_file(written(tmp_path, rows), PLAIN, ["x"], chunk_rows=100)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"event": False}, "no events among 400 rows"),
        ({"z": 4}, r"covariate 'z' is constant \(4 in every row used\)"),
        ({"z": lambda table: 2 * table["x"]}, "covariates 'x', 'z' are collinear"),
        ({"z": lambda table: (table["event"] & (table.index % 2 == 0)) * 1.0, "time": range(1, 401)}, "no maximum"),
    ],
)
def test_what_is_not_estimable_says_so(change, words, tmp_path):
    rows = rows_of(400).assign(**change)
    if words == "no maximum":
        rows["z"] = ((rows.index % 2 == 0) & ~rows["event"]).astype(float)
    with pytest.raises(NotEstimable, match=words):
        fit_cox_file(written(tmp_path, rows), PLAIN, ["x", "z"], chunk_rows=100)


def test_all_rows_missing(tmp_path):
    with pytest.raises(CohortError, match="no rows left: 50 dropped for missing x"):
        fit_cox_file(written(tmp_path, rows_of(50).assign(x=np.nan)), PLAIN, ["x"])


@pytest.mark.parametrize(
    ("covariates", "options", "words"),
    [
        ("x + z", {}, "give a list of numeric columns; a formula needs all rows"),
        ([], {}, "covariates: none given"),
        (["x", "x"], {}, "covariate 'x' is named twice"),
        (["x", "time"], {}, "covariate 'time' is the follow-up time itself"),
        (["y"], {}, "no column 'y'"),
        (["x"], {"ties": "exact"}, "ties='exact'; choose 'efron' or 'breslow'"),
        (["x"], {"chunk_rows": 0}, "chunk_rows=0 must be a whole number of at least 1"),
        (["x"], {"strata": "event"}, "strata='event' is the event of the endpoint itself"),
    ],
)
def test_options_that_are_not_offered(covariates, options, words, tmp_path):
    with pytest.raises(InputError, match=words):
        fit_cox_file(written(tmp_path, rows_of(50)), PLAIN, covariates, **options)


def test_paths_that_hold_no_rows(tmp_path):
    text = tmp_path / "rows.txt.parquet"
    text.write_text("no Parquet here")
    for path, words in ((tmp_path / "none.parquet", "no file or folder"), (text, "not a Parquet file")):
        with pytest.raises(CohortError, match=words):
            fit_cox_file(path, PLAIN, ["x"])


def test_a_chunk_in_which_nobody_was_followed_is_read_with_the_others(tmp_path):
    rows = rows_of()
    gone = rows.iloc[:150].assign(time=0.0, event=False)
    together = pd.concat([gone, rows], ignore_index=True)
    found = fit_cox_file(written(tmp_path, together), PLAIN, ["x", "z"], chunk_rows=50)
    assert_same_fit(found, fit_cox(together, PLAIN, ["x", "z"], engine="kernel"))
    with pytest.raises(CohortError, match=r"^time column 'time': every follow-up time is 0; nobody was followed$"):
        fit_cox_file(written(tmp_path, gone), PLAIN, ["x", "z"], chunk_rows=50)


def test_what_is_no_path_is_told():
    with pytest.raises(InputError, match="path: expected the path of a Parquet file or folder, got DataFrame"):
        fit_cox_file(rows_of(), PLAIN, ["x"])
