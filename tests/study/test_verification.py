"""The page of verification: two computations of the study's own numbers, and the agreement with R."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, StudyPlan, load_example, synthetic_plan, write_cohort
from analysis.study.prepare import prepare_study
from analysis.study.report.sections import verification
from analysis.study.report.sections.verification import verification_section
from analysis.survival.group_tests import lifelines_logrank
from tests.reference import cases, cohort, with_groups
from tests.study.plans import LUNG_BY_AGE

PLAN = LUNG_BY_AGE

PLAIN_TESTS = [case for case in cases("logrank") if not case.args["strata"] and not case.args["rho"]]


@pytest.fixture(scope="module")
def section():
    return verification_section(prepare_study(synthetic_plan()))


def tables(section):
    return {block.name: block.frame for block in section.blocks if hasattr(block, "frame")}


def lung_study(folder, **columns):
    """The lung cohort by age; each further column is what an endpoint calls it."""
    write_cohort(load_example("lung").assign(**columns), folder / "cohort.csv")
    (folder / "plan.toml").write_text(PLAN + "".join(f'{name} = "{name}"\n' for name in columns), encoding="utf-8")
    return prepare_study(StudyPlan.from_toml(folder / "plan.toml"))


def test_both_engines_give_each_headline_number(section):
    frame = tables(section)["overall-survival-verification"]
    assert {"log-rank chi-square", "crude Cox coefficient", "adjusted Cox coefficient"} <= set(frame["estimate"])
    assert frame["estimate"].str.startswith("survival at").sum() == 4 * 3
    assert (frame["absolute_difference"] <= 1e-8 * frame["lifelines"].abs().clip(lower=1)).all()


def test_the_numbers_are_the_reports_own(section):
    from analysis.study.report.sections.models import models_section

    study = prepare_study(synthetic_plan())
    ratios = tables(models_section(study))["hazard-ratios"]
    mine = ratios[ratios["endpoint"] == "Overall survival"]
    frame = tables(section)["overall-survival-verification"]
    coefs = frame[frame["estimate"].str.endswith("Cox coefficient")].set_index(["estimate", "of"])["lifelines"]
    for row in mine.to_dict("records"):
        assert np.exp(coefs[f"{row['adjustment']} Cox coefficient", row["term"]]) == pytest.approx(row["hazard_ratio"])


def test_a_difference_of_the_engines_would_be_seen(monkeypatch, tmp_path):
    study = lung_study(tmp_path)
    kaplan_meier = verification.kaplan_meier

    def off(*arguments, engine, **options):
        curves = kaplan_meier(*arguments, engine=engine, **options)
        return curves.assign(survival=curves["survival"] * (0.99 if engine == "kernel" else 1))

    monkeypatch.setattr(verification, "kaplan_meier", off)
    found = tables(verification_section(study))
    assert found["two-engines"]["largest_difference"].iloc[0] == pytest.approx(0.01)
    assert found["overall-survival-verification"]["absolute_difference"].max() > 1


def test_what_lifelines_does_not_offer_is_not_claimed(tmp_path):
    study = lung_study(tmp_path, entry=0.5)
    frame = tables(verification_section(study))["overall-survival-verification"]
    assert "log-rank chi-square" not in set(frame["estimate"])
    assert frame["estimate"].str.startswith("survival at").any()


@pytest.mark.parametrize("case", PLAIN_TESTS, ids=str)
def test_lifelines_log_rank_equals_r_too(case):
    held, by = with_groups(case, cohort(case))
    endpoint = Endpoint(case.args["time"], case.args["event"])
    assert lifelines_logrank(held, endpoint, by=by) == pytest.approx(case.expected["chisq"], rel=1e-8)


def test_the_counts_of_agreement_are_read_from_the_package(section):
    counts = verification.r_agreement()
    pd.testing.assert_frame_equal(tables(section)["r-agreement"], counts)
    assert (counts["n_cases"] > 0).all()
    assert (counts["bound"] <= 1e-7).all()
    told = " ".join(block.text for block in section.blocks if hasattr(block, "text"))
    assert f"equal to R in {counts['n_cases'].sum()} cases" in told
