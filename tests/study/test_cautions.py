"""Cautions: each rule is raised by a cohort made for it, and by no other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import run_study, write_cohort
from analysis.study.cautions import caution_table, hazards_doubted, study_cautions
from analysis.study.plan import StudyPlan
from analysis.study.study import prepare_study

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
    write_cohort(cohort, folder / "cohort.csv")
    (folder / "plan.toml").write_text(PLAN.format(strata=strata), encoding="utf-8")
    study = prepare_study(StudyPlan.from_toml(folder / "plan.toml"))
    table = caution_table(study_cautions(study))
    return set(table.loc[table["raised"] == "yes", "subject"])


def test_a_sound_cohort_raises_none(tmp_path):
    assert raised(plain(), tmp_path) == set()


def test_a_cut_of_the_sample_is_told(tmp_path):
    assert raised(plain(), tmp_path, strata="quantiles = 2") == {"where the cut comes from"}


def test_missing_markers_are_told_and_so_are_the_rows_that_the_models_leave_out(tmp_path):
    cohort = plain()
    cohort.loc[:24, "marker"] = np.nan
    assert raised(cohort, tmp_path) == {"missing marker"}
    cohort.loc[25:49, "age"] = np.nan
    assert raised(cohort, tmp_path) == {"missing marker", "left out of the adjusted models"}


def test_short_follow_up_and_a_thin_tail_are_told(tmp_path):
    cohort = plain()
    early = cohort["months"] > 8
    cohort.loc[early & (cohort.index > 25), ["months", "dead"]] = [8.0, 0]
    assert raised(cohort, tmp_path) == {"median follow-up", "at risk at 10"}


def test_few_events_and_separation_are_told(tmp_path):
    cohort = plain()
    cohort["dead"] = ((cohort["marker"] < cohort["marker"].nsmallest(4).max()) & (cohort["months"] < 20)).astype(int)
    assert {"events per parameter", "separation: terms not estimable"} <= raised(cohort, tmp_path)


def test_crossing_hazards_put_restricted_means_before_hazard_ratios(tmp_path):
    cohort = plain(800)
    rng = np.random.default_rng(6)
    low = (cohort["marker"] < 0).to_numpy()
    death = np.where(low, 6 + rng.exponential(4, 800), rng.exponential(14, 800))
    cohort["months"], cohort["dead"] = np.minimum(death, 20.0).round(3), (death <= 20) * 1
    assert raised(cohort, tmp_path) == {"proportional hazards"}
    results = run_study(tmp_path / "plan.toml")
    assert hazards_doubted(study_cautions(results.study), results.study.primary)
    assert results.summary[1].startswith("Mean months within the first 10, high less low:")
    checks = next(section for section in results.sections if section.anchor == "checks")
    assert "restricted means lead" in checks.blocks[0].text
    assert "cautions" in results.tables
