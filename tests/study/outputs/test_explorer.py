"""The explorer's frames: the same numbers as the functions that make them, at every cut, for any plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from analysis import (
    NotComputed,
    StudyPlan,
    dose_response,
    fit_cox,
    hazard_ratios,
    kaplan_meier,
    load_example,
    logrank_test,
    risk_table,
    search_cutpoint,
    survival_at,
    survival_quantile,
    write_cohort,
)
from analysis.study.outputs import explorer, explorer_cuts
from analysis.study.outputs.explorer import explorer_display, explorer_frames, write_explorer
from analysis.study.prepare import prepare_study
from analysis.study.report.sections.searching import searched
from analysis.study.run import synthetic_plan

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")

PLAN = """[data]
path = "cohort.csv"
[marker]
column = "age"
label = "Age"
unit = "years"
per = 10
direction = "higher"
[strata]
edges = [60]
labels = ["younger", "older"]
source = "set beforehand"
[[endpoints]]
name = "Overall survival"
duration = "os_days"
event = "os_event"
time_unit = "days"
"""


def study_of(cohort: pd.DataFrame, folder: Path, text: str = PLAN):
    write_cohort(cohort, folder / "cohort.csv")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return prepare_study(StudyPlan.from_toml(folder / "plan.toml"))


@pytest.fixture(scope="module")
def study():
    return prepare_study(synthetic_plan())


@pytest.fixture(scope="module")
def frames(study):
    return explorer_frames(study)


@pytest.fixture
def lung():
    return load_example("lung")[["os_days", "os_event", "age", "ecog", "sex"]]


def cut_in_two(study, row) -> pd.DataFrame:
    """The cohort with the side of one cut on which each row lies, made anew."""
    marker = study.plan.marker.column
    values = study.cohort[marker]
    low = values < row["cut"] if row["planned"] else values <= row["cut"]
    sides = pd.Categorical(np.where(low, "low", "high"), ["low", "high"], ordered=True)
    return study.cohort.assign(below=1.0 * low, side=sides)[values.notna()]


@pytest.mark.parametrize("name", ["Overall survival", "Progression-free survival"])
@pytest.mark.parametrize("place", [0, 6, 11, 22])
def test_every_number_of_a_cut_is_that_of_its_function(study, frames, name, place):
    endpoint = next(endpoint for endpoint in study.plan.endpoints if endpoint.name == name)
    row = frames.cuts.query("endpoint == @name and place == @place").iloc[0]
    rows = cut_in_two(study, row)
    ratio = hazard_ratios(fit_cox(rows, endpoint, ["below"])).iloc[0]
    assert_allclose(
        row[["hazard_ratio", "conf_low", "conf_high"]].astype(float),
        ratio[["hazard_ratio", "conf_low", "conf_high"]].astype(float),
        rtol=1e-6,
    )
    assert_allclose(row["p_naive"], logrank_test(rows, endpoint, by="side").p_value, rtol=1e-7)
    terms = " + ".join(["below", *study.plan.model.covariates])
    adjusted = (
        hazard_ratios(fit_cox(rows, endpoint, terms, strata=study.plan.model.strata)).set_index("term").loc["below"]
    )
    names = ["hazard_ratio", "conf_low", "conf_high"]
    assert_allclose(row[[f"adjusted_{one}" for one in names]].astype(float), adjusted[names].astype(float), rtol=1e-5)
    curves = kaplan_meier(rows, endpoint, by="side")
    mine = frames.groups.query("endpoint == @name and place == @place")
    medians = survival_quantile(curves)
    assert_array_equal(mine["median"], medians["time"])
    assert_array_equal(mine["n"], rows["side"].value_counts(sort=False))
    assert_array_equal(mine["n_event"], rows.groupby("side", observed=True)[endpoint.event].sum())
    drawn = frames.curves.query("endpoint == @name and place == @place")
    for group, steps in drawn.groupby("group"):
        at = survival_at(curves, steps["time"])
        expected = at[at["stratum"] == group]
        assert_allclose(steps["survival"], expected["survival"], rtol=1e-9)
        assert_allclose(steps["conf_low"], expected["conf_low"], rtol=1e-9)
    points = frames.milestones.query("endpoint == @name and place == @place")
    assert points["time"].unique().tolist() == [12, 24]
    at = survival_at(curves, [12, 24])
    for column in ("survival", "conf_low", "conf_high"):
        assert_allclose(points[column], at[column], rtol=1e-9)
    risk = frames.risk.query("endpoint == @name and place == @place")
    expected = risk_table(rows, endpoint, times=risk["time"].unique(), by="side")
    counts = ["n_risk", "n_event", "n_censor"]
    assert_array_equal(risk.sort_values(["group", "time"], ascending=[False, True])[counts], expected[counts])


def test_the_corrected_p_value_and_the_limit_are_those_of_the_search(study, frames):
    found = searched(study, study.primary)
    mine = frames.cuts[frames.cuts["endpoint"] == study.primary.name]
    plain = mine[mine["planned"] == ""].set_index("cut")
    at = found.scan.set_index("cut").loc[plain.index]
    assert_array_equal(plain["p_corrected"], at["p_adjusted"])
    assert_allclose(plain["statistic"], at["statistic"], rtol=1e-9)
    search = frames.searches.iloc[0]
    assert search["critical_value"] == found.critical_value
    assert_allclose(
        search[["hazard_ratio_corrected", "conf_low", "conf_high"]].astype(float),
        [1 / found.hazard_ratio_corrected, 1 / found.conf_high, 1 / found.conf_low],
    )
    best = mine[mine["found"]].iloc[0]
    assert (best["cut"], best["p_corrected"]) == (found.cut, found.p_permutation)
    assert (mine["p_corrected"].dropna() >= mine["p_naive"][mine["p_corrected"].notna()] - 1 / 10_000).all()


def test_the_curve_is_the_dose_response_of_the_report(study, frames):
    mine = frames.dose_response[frames.dose_response["endpoint"] == study.primary.name]
    model = study.plan.model
    at = [0.7, 0.8, 0.9]
    found = dose_response(study.cohort, study.primary, "magnesium", adjust=model.covariates, strata=model.strata, at=at)
    for name in ("hazard_ratio", "conf_low", "conf_high"):
        assert_allclose(np.interp(at, mine["marker"], np.log(mine[name])), np.log(found.curve[name]), atol=2e-3)
    row = frames.cuts.query("endpoint == @study.primary.name and cut == 0.8").iloc[0]
    assert_allclose(row["curve_hazard_ratio"], found.curve["hazard_ratio"].iloc[1], rtol=1e-9)


def test_the_plans_edges_and_the_cuts_found_are_always_there(study, frames):
    planned = frames.cuts[frames.cuts["planned"] == "named by the plan"]
    assert sorted(planned["cut"].unique()) == [0.75, 0.95]
    assert frames.cuts.groupby("endpoint")["found"].sum().tolist() == [1, 1]
    assert frames.cuts["p_corrected"].isna().sum() == 2  # 0.95 leaves too few above for a search, in either endpoint
    intervals = frames.groups.query("place == @planned.place.iloc[0]")["interval"].tolist()
    assert intervals[:2] == ["< 0.75 mmol/L", "≥ 0.75 mmol/L"]


def test_many_cuts_are_thinned_and_counted_in_batches(tmp_path, monkeypatch, study, frames):
    monkeypatch.setattr(explorer_cuts, "MOST_ROWS", 1000)
    again = explorer_frames(study)
    pd.testing.assert_frame_equal(again.curves, frames.curves)
    pd.testing.assert_frame_equal(again.groups, frames.groups)
    monkeypatch.setattr(explorer_cuts, "MOST_CUTS", 6)
    monkeypatch.setattr(explorer_cuts, "MOST_STEPS", 10)
    few = explorer_frames(study)
    assert 6 <= few.cuts["place"].nunique() <= 10
    assert few.curves.groupby(["endpoint", "place", "group"]).size().max() <= 13
    assert few.cuts["found"].any()
    assert set(few.cuts["planned"]) == {"", "named by the plan"}


def test_another_cohort_moves_every_frame(study, frames):
    other = explorer_frames(replace(study, cohort=study.cohort.iloc[: len(study.cohort) // 2]))
    for name in ("cuts", "groups", "curves", "risk", "dose_response", "scan", "searches"):
        assert not getattr(other, name).equals(getattr(frames, name)), name


def test_a_plan_without_covariates_has_no_adjusted_ratio(lung, tmp_path):
    frames = explorer_frames(study_of(lung, tmp_path))
    assert frames.cuts["adjusted_hazard_ratio"].isna().all()
    assert frames.adjusted_for == ()
    assert frames.cuts.query("planned != ''")["cut"].tolist() == [60]


def test_late_entry_is_searched_as_the_search_does(lung, tmp_path):
    rows = lung.assign(entered=np.minimum(lung["os_days"] / 2, 30).round())
    study = study_of(rows, tmp_path, PLAN.replace('time_unit = "days"', 'time_unit = "days"\nentry = "entered"'))
    frames = explorer_frames(study)
    found = search_cutpoint(
        rows, study.primary, "age", n_permutations=frames.n_permutations, n_bootstrap=0, seed=frames.seed
    )
    best = frames.cuts[frames.cuts["found"]].iloc[0]
    assert (best["cut"], best["p_corrected"]) == (found.cut, found.p_permutation)
    assert_allclose(best["hazard_ratio"], found.hazard_ratio_naive, rtol=1e-9)


def test_an_edge_that_is_also_found_stands_once(lung, tmp_path):
    study = study_of(lung, tmp_path)
    edge = searched(study, study.primary).cut
    again = replace(study, cutpoints=replace(study.cutpoints, edges=(edge,), closed="right", rule="quantile"))
    cuts = explorer_frames(again).cuts
    mine = cuts[cuts["cut"] == edge]
    assert len(mine) == 1
    assert mine["found"].all()
    assert mine["planned"].tolist() == ["quantile of these patients"]


def test_neighbours_keep_as_many_digits_as_tell_them_apart(lung, tmp_path):
    study = study_of(lung, tmp_path)
    close = replace(study, cohort=study.cohort.assign(age=10_000 + study.cohort["age"] / 100))
    cuts = explorer_frames(replace(close, cutpoints=replace(study.cutpoints, edges=(10_000.6,)))).cuts
    assert cuts["label"].is_unique
    assert not cuts["label"].str.contains("e").any()
    assert_allclose(cuts["label"].astype(float), cuts["cut"], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "match"),
    [({"os_event": 0}, "no events among"), ({"age": 60.0}, "one value"), ({"age": [50.0] * 2 + [60.0] * 226}, "cut")],
)
def test_where_no_cut_can_be_searched_a_note_takes_the_pages_place(change, match, lung, tmp_path):
    study = study_of(lung.assign(**change), tmp_path)
    with pytest.warns(NotComputed, match=f"The cut-point explorer is not given: .*{match}"):
        assert write_explorer(study, tmp_path / "explorer.html") is None
    assert not (tmp_path / "explorer.html").exists()


def test_an_endpoint_without_a_search_is_named_and_the_others_stand(lung, tmp_path):
    text = PLAN + '[[endpoints]]\nname = "Never"\nduration = "os_days"\nevent = "never"\ntime_unit = "days"\n'
    study = study_of(lung.assign(never=0), tmp_path, text)
    frames = explorer_frames(study)
    assert frames.searches["endpoint"].tolist() == ["Overall survival"]
    assert "Never: " in frames.left_out[0]


def test_the_page_shows_in_a_notebook_without_a_file(study, frames, monkeypatch, tmp_path):
    monkeypatch.setattr(explorer, "explorer_frames", lambda study: frames)
    monkeypatch.chdir(tmp_path)
    shown = explorer_display(study, height=700)
    assert shown.src.startswith("data:text/html;charset=utf-8;base64,")
    assert shown.height == 700
    assert explorer_display(study.plan).src == shown.src
    assert not list(tmp_path.iterdir())
