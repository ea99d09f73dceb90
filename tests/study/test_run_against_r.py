"""A whole study through a plan and a file, its tables against R's values."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from analysis import run_study
from tests.reference import cases, floats

PLAN = """
[study]
horizon = 365
[data]
path = "lung.csv"
event_codes = { status = { 1 = 0, 2 = 1 } }
[marker]
column = "female"
per = 1
direction = "higher"
[strata]
edges = [0.5]
labels = ["1", "2"]
source = "as the survey coded sex"
reference = "1"
[[endpoints]]
name = "Overall survival"
duration = "time"
event = "status"
time_unit = "days"
[model]
covariates = ["age", "ph_ecog", "wt_loss"]
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lung")
    shutil.copy(Path(__file__).parents[1] / "reference" / "lung.csv", folder)
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return run_study(folder / "plan.toml").tables


def expected(kind: str, case_id: str) -> dict:
    return next(case.expected for case in cases(kind, dataset="lung") if case.id == case_id)


def test_medians_are_those_of_survfit(tables):
    table = tables["overall-survival-medians"].set_index("stratum")
    for sex, values in expected("km", "km_time_sex").items():
        ours = table.loc[sex, ["median", "conf_low", "conf_high"]].to_numpy(dtype=float)
        assert ours == pytest.approx(floats(values["quantiles"]["loglog"]["median"]), rel=1e-8, nan_ok=True)
        assert table.loc[sex, "n"] == values["n"]


def test_the_log_rank_test_is_that_of_survdiff(tables):
    values = expected("logrank", "logrank_time_sex_rho0")
    row = tables["overall-survival-log-rank"].iloc[0]
    assert row["statistic"] == pytest.approx(values["chisq"], rel=1e-8)
    assert row["p_value"] == pytest.approx(values["p"], rel=1e-7)


def test_restricted_means_are_those_of_survfit(tables):
    values = expected("rmst", "rmst_time_sex_365")
    means = tables["overall-survival-restricted-means"]["restricted_mean"]
    assert means.to_numpy() == pytest.approx(values["rmst"], rel=1e-8)
    difference = tables["overall-survival-restricted-mean-differences"].iloc[0]
    assert difference["difference"] == pytest.approx(values["diff"], rel=1e-8)
    assert difference["std_error"] == pytest.approx(values["se_diff"], rel=1e-8)


def test_the_adjusted_model_is_that_of_coxph(tables):
    values = expected("cox", "coxfull_efron")
    model = tables["overall-survival-model"].set_index("term")
    model = model.rename(index={"female, per 1 higher": "female"})
    for term, ratio in values["hr"].items():
        assert model.loc[term, "hazard_ratio"] == pytest.approx(ratio, rel=1e-6)
        assert model.loc[term, "conf_low"] == pytest.approx(values["hr_lower"][term], rel=1e-6)
        assert model.loc[term, "p_value"] == pytest.approx(values["p"][term], rel=1e-5)


def test_the_test_of_proportional_hazards_is_that_of_cox_zph(tables):
    values = expected("cox_zph", "coxfull_efron_zph_km")
    table = tables["overall-survival-proportional-hazards"].set_index("term")
    table = table.rename(index={"female, per 1 higher": "female"})
    for term, statistic in values["chisq"].items():
        assert table.loc[term, "statistic"] == pytest.approx(statistic, rel=5e-6)
