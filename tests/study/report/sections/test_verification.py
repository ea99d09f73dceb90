"""The page of verification: two computations of the study's own numbers, and the agreement with R."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, load_example
from analysis.errors import collected
from analysis.study.report.sections import verification
from analysis.study.report.sections.verification import verification_section
from analysis.survival.group_tests import lifelines_logrank
from tests.reference import cases, cohort, with_groups
from tests.study.plans import LUNG_BY_AGE, study_of, tables

PLAIN_TESTS = [case for case in cases("logrank") if not case.args["strata"] and not case.args["rho"]]


@pytest.fixture(scope="module")
def section(study):
    with collected():
        return verification_section(study)


def lung_study(folder, **columns):
    """The lung cohort by age; each further column is what an endpoint calls it."""
    text = LUNG_BY_AGE + "".join(f'{name} = "{name}"\n' for name in columns)
    return study_of(load_example("lung").assign(**columns), folder, text)


def test_both_engines_give_each_headline_number(section):
    frame = tables(section)["overall-survival-verification"]
    assert {"log-rank chi-square", "crude Cox coefficient", "adjusted Cox coefficient"} <= set(frame["estimate"])
    assert frame["estimate"].str.startswith("survival at").sum() == 4 * 3
    assert (frame["absolute_difference"] <= 1e-8 * frame["lifelines"].abs().clip(lower=1)).all()


def test_the_numbers_are_the_reports_own(section, main_results):
    ratios = main_results.tables["hazard-ratios"]
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
    frames = tables(verification_section(study))
    assert frames["two-engines"]["largest_difference"].iloc[0] == pytest.approx(0.01)
    assert frames["overall-survival-verification"]["absolute_difference"].max() > 1


def test_what_lifelines_does_not_offer_is_not_claimed(tmp_path):
    study = lung_study(tmp_path, entry=0.5)
    frame = tables(verification_section(study))["overall-survival-verification"]
    assert "log-rank chi-square" not in set(frame["estimate"])
    assert frame["estimate"].str.startswith("survival at").any()


@pytest.mark.parametrize("case", PLAIN_TESTS, ids=str)
def test_lifelines_log_rank_equals_r_too(case):
    rows, by = with_groups(case, cohort(case))
    endpoint = Endpoint(case.args["time"], case.args["event"])
    assert lifelines_logrank(rows, endpoint, by=by) == pytest.approx(case.expected["chisq"], rel=1e-8)


def test_the_counts_of_agreement_are_read_from_the_package(section):
    counts = verification.r_agreement()
    pd.testing.assert_frame_equal(tables(section)["r-agreement"], counts)
    assert (counts["n_cases"] > 0).all()
    assert (counts["bound"] <= 1e-7).all()
    words = " ".join(block.text for block in section.blocks if hasattr(block, "text"))
    assert f"equal to R in {counts['n_cases'].sum()} cases" in words


def test_software_and_inputs_are_those_that_were_used(study):
    section = verification.methods_section(study)
    frames = tables(section)
    inputs = frames["inputs"].set_index("file")
    path = study.plan.data.path
    assert inputs.loc[path.name].tolist() == [path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()]
    assert inputs.loc["the plan", "sha256"] == study.plan.sha256
    assert frames["software"].set_index("software")["version"]["pandas"] == pd.__version__
    assert section.blocks[-1].text == study.plan.text
