"""Cautions: each rule is raised by a cohort made for it, and by no other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, PlanError, fit_cox, proportional_hazards_test, run_study, write_cohort
from analysis.cli import main
from analysis.robustness.hazards import Verdict
from analysis.study import models, run
from analysis.study.plan.plan import StudyPlan
from analysis.study.prepare import prepare_study
from analysis.study.report.cautions import caution_table, sparse_levels, study_cautions
from analysis.study.report.sections.cohort import cohort_section
from analysis.study.report.sections.hazards import checks_section, hazards_section
from analysis.study.report.sections.models import models_section
from analysis.study.report.sections.strata import strata_section
from analysis.study.report.sections.survival import survival_section
from analysis.study.report.words import summary_lines
from tests.study.plans import study_of

PLAN = """
[study]
horizon = 10
[data]
path = "cohort.csv"
[marker]
column = "marker"
per = 1
[strata]
{strata}
[[endpoints]]
name = "Death"
duration = "months"
event = "dead"
[model]
covariates = ["age"]
"""
OWN = 'edges = [0.0]\nlabels = ["low", "high"]\nsource = "set for this test"'
pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


def plain(n: int = 400) -> pd.DataFrame:
    """A cohort that gives no cause for caution: nobody lost before 20 months, a constant hazard ratio."""
    rng = np.random.default_rng(5)
    marker, age = rng.normal(size=n), rng.normal(60, 8, n)
    death = rng.exponential(18 * np.exp(0.4 * marker))
    return pd.DataFrame(
        {"marker": marker, "age": age, "months": np.minimum(death, 20.0).round(3), "dead": (death <= 20) * 1}
    )


def raised(cohort: pd.DataFrame, folder, *, strata: str = OWN) -> set[str]:
    """The subjects of the cautions that a cohort raises."""
    table = caution_table(study_cautions(study_of(cohort, folder, PLAN.format(strata=strata))))
    return set(table.loc[table["raised"] == "yes", "subject"])


def test_a_sound_cohort_raises_none(tmp_path):
    assert raised(plain(), tmp_path) == set()


def test_a_cut_of_the_sample_is_a_caution(tmp_path):
    assert raised(plain(), tmp_path, strata="quantiles = 2") == {"where the cut comes from"}


def test_missing_markers_and_the_rows_that_the_models_leave_out_are_cautions(tmp_path):
    cohort = plain()
    cohort.loc[:24, "marker"] = np.nan
    assert raised(cohort, tmp_path) == {"missing marker"}
    cohort.loc[25:49, "age"] = np.nan
    assert raised(cohort, tmp_path) == {"missing marker", "left out of the adjusted models"}


def test_short_follow_up_and_a_thin_tail_are_cautions(tmp_path):
    cohort = plain()
    early = cohort["months"] > 8
    cohort.loc[early & (cohort.index > 25), ["months", "dead"]] = [8.0, 0]
    assert raised(cohort, tmp_path) == {"median follow-up", "at risk at 10"}


@pytest.mark.parametrize(("at_risk", "expected"), [(9, "yes"), (10, "no"), (11, "no")])
def test_a_tail_is_thin_below_ten_at_risk_at_the_horizon_in_any_stratum(tmp_path, at_risk, expected):
    cohort = plain()
    still = cohort.index[(cohort["marker"] >= 0) & (cohort["months"] >= 10)]
    cohort.loc[still[at_risk:], ["months", "dead"]] = [9.9, 0]
    study = study_of(cohort, tmp_path, PLAN.format(strata=OWN))
    (caution,) = (one for one in study_cautions(study) if one.subject == "at risk at 10")
    row = caution_table((caution,)).iloc[0]
    assert (row["observed_value"], row["raised"]) == (f"{at_risk} in high", expected)
    assert (f"(high {at_risk})" in caution.text) == (expected == "yes")


@pytest.mark.parametrize(("missing", "expected"), [(20, "no"), (21, "yes")])
def test_more_than_one_marker_in_twenty_missing_is_a_caution(tmp_path, missing, expected):
    cohort = plain()
    cohort.loc[: missing - 1, "marker"] = np.nan
    study = study_of(cohort, tmp_path, PLAN.format(strata=OWN))
    row = caution_table(study_cautions(study)).set_index("subject").loc["missing marker"]
    assert (row["threshold"], row["raised"]) == ("at most 5%", expected)


@pytest.mark.parametrize(("missing", "expected"), [(40, "no"), (41, "yes")])
def test_more_than_one_row_in_ten_left_out_of_the_adjusted_models_is_a_caution(tmp_path, missing, expected):
    cohort = plain()
    cohort.loc[: missing - 1, "age"] = np.nan
    study = study_of(cohort, tmp_path, PLAN.format(strata=OWN))
    row = caution_table(study_cautions(study)).set_index("subject").loc["left out of the adjusted models"]
    assert (row["threshold"], row["raised"]) == ("at most 10%", expected)


def test_few_events_and_separation_are_cautions(tmp_path):
    cohort = plain()
    cohort["dead"] = ((cohort["marker"] < cohort["marker"].nsmallest(4).max()) & (cohort["months"] < 20)).astype(int)
    assert {"events per parameter", "separation: terms not estimable"} <= raised(cohort, tmp_path)


def crossing() -> pd.DataFrame:
    """A cohort in which those with a low marker die later at first, and sooner after six months."""
    cohort = plain(800)
    rng = np.random.default_rng(6)
    low = (cohort["marker"] < 0).to_numpy()
    death = np.where(low, 6 + rng.exponential(4, 800), rng.exponential(14, 800))
    return cohort.assign(months=np.minimum(death, 20.0).round(3), dead=(death <= 20) * 1)


def test_crossing_hazards_are_a_caution_and_choose_no_summary(tmp_path, monkeypatch):
    assert raised(crossing(), tmp_path) == {"proportional hazards"}
    parts = (cohort_section, strata_section, survival_section, models_section, hazards_section, checks_section)
    monkeypatch.setattr(run, "SECTIONS", parts)
    results = run_study(tmp_path / "plan.toml")
    assert results.summary[1].startswith("Hazard ratio, marker, per 1 lower: crude")
    assert not any(line.startswith("Mean months") for line in results.summary)
    checks = next(section for section in results.sections if section.anchor == "checks")
    assert "stays the one that the plan names" in checks.blocks[0].text
    assert "cautions" in results.tables
    hazards = next(section for section in results.sections if section.anchor == "hazards")
    assert any("to opposite sides of 1" in getattr(block, "text", "") for block in hazards.blocks)


@pytest.mark.parametrize("adjusted", [True, False])
def test_the_summary_that_the_plan_names_leads_adjusted_where_it_was(tmp_path, adjusted):
    raised(plain(), tmp_path)
    study = prepare_study(StudyPlan.from_toml(tmp_path / "plan.toml"))
    pair = {"stratum_a": ["low"], "stratum_b": ["high"]}
    tables = {
        "death-restricted-mean-differences": pd.DataFrame(
            pair | {"difference": [1.25], "conf_low": [0.5], "conf_high": [2.0]}
        ),
    }
    if adjusted:
        columns = {f"{name}{end}": [1.0] for name in ("crude", "weighted") for end in ("", "_conf_low", "_conf_high")}
        own = {"standardised": [0.75], "standardised_conf_low": [-0.5], "standardised_conf_high": [2.0]}
        tables["death-adjusted-mean-differences"] = pd.DataFrame(pair | columns | own)
    named = replace(study, plan=replace(study.plan, summary="restricted mean"))
    line, ratio = summary_lines(named, tables)[1:3]
    assert line.startswith("Mean months within the first 10, high less low: crude ")
    assert ("adjusted by standardisation 0.8 (−0.5 to 2.0); adjusted by weighting 1.0" in line) == adjusted
    assert ratio.startswith("Hazard ratio, ")
    assert not any(one.startswith("Mean") for one in summary_lines(study, tables))


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_a_summary_there_is_none_of_is_refused(tmp_path):
    write_cohort(plain(), tmp_path / "cohort.csv")
    text = PLAN.format(strata=OWN).replace("horizon = 10", 'summary = "median"')
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PlanError, match=r"summary = 'median': one of 'hazard ratio', 'restricted mean'"):
        StudyPlan.from_toml(tmp_path / "plan.toml")


@pytest.mark.parametrize(
    ("departure", "expected"), [("undecided", "no"), ("not shown", "no"), ("shown", "yes"), ("opposite sides", "yes")]
)
def test_the_caution_on_proportional_hazards_follows_the_verdict_of_the_report(
    tmp_path, monkeypatch, departure, expected
):
    raised(plain(), tmp_path)
    study = prepare_study(StudyPlan.from_toml(tmp_path / "plan.toml"))
    verdict = Verdict(departure, f"The verdict is {departure}.")
    monkeypatch.setattr(models, "proportional_hazards_verdict", lambda *given, **more: verdict)
    cautions = [one for one in study_cautions(study) if one.subject == "proportional hazards"]
    row = caution_table(tuple(cautions)).iloc[0]
    assert (row["observed_value"], row["raised"]) == (departure, expected)
    assert f"The verdict is {departure}." in cautions[0].text
    texts = [getattr(block, "text", "") for block in hazards_section(study).blocks]
    assert f"**Death.** The verdict is {departure}." in texts


def test_a_small_p_value_of_one_of_two_tests_raises_no_caution_that_the_verdict_does_not(tmp_path):
    """Score test p between 0.025 and 0.05: doubled, it is no departure shown, and the report may not say both."""
    low = None
    for seed in range(60):
        rng = np.random.default_rng(seed)
        cohort = plain().sample(frac=1.0, replace=True, random_state=rng).reset_index(drop=True)
        p_value = proportional_hazards_test(fit_cox(cohort, Endpoint("months", "dead"), ["marker", "age"]))["p_value"][
            0
        ]
        if 0.03 < p_value < 0.048:
            low = cohort
            break
    assert low is not None
    assert raised(low, tmp_path) == set()


@pytest.mark.parametrize(("n_levels", "expected"), [(12, set()), (13, {"levels of clinic"})])
def test_a_category_of_many_levels_is_a_caution_with_its_number_of_levels(tmp_path, capsys, n_levels, expected):
    cohort = plain().assign(clinic=[f"c{row % n_levels}" for row in range(400)])
    write_cohort(cohort, tmp_path / "cohort.csv")
    text = PLAN.format(strata=OWN).replace('["age"]', '["age", "clinic"]') + '[labels]\nclinic = "Clinic"\n'
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    study = prepare_study(StudyPlan.from_toml(tmp_path / "plan.toml"))
    cautions = sparse_levels(study)
    assert {one.subject for one in cautions if one.raised} == expected
    assert [one.observed for one in cautions] == [str(n_levels)]
    assert main(["validate", str(tmp_path / "plan.toml")]) == 0
    words = f"column 'clinic': {n_levels} levels, the rarest with {400 // n_levels} of 400 patients; sparse levels:"
    assert (words in capsys.readouterr().out) == bool(expected)
