"""The sections on proportional hazards and on the checks: periods, horizons, tests, and estimates beside targets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis import fit_cox, max_combo, proportional_hazards_test
from analysis.errors import collected
from analysis.study.models import leading_model, period_cuts
from analysis.study.prepare import prepare_study
from analysis.study.report.sections.hazards import checks_section, hazards_section, recovery_table
from tests.study.plans import assert_figures_are_drawn_and_described, tables

quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


@pytest.fixture(scope="module")
def section(study):
    with collected():
        return hazards_section(study)


def test_every_figure_is_drawn_and_described(section):
    assert_figures_are_drawn_and_described(section)


def test_every_period_holds_events_enough(section, study):
    for name, frame in tables(section).items():
        if name.endswith("-periods"):
            assert (frame["n_event"] >= 10).all()
    assert period_cuts(study, study.primary) == [6, 12, 24]


def test_each_stratum_has_four_weighted_tests_and_the_largest_of_them(section, study):
    frame = tables(section)["overall-survival-max-combo"]
    for contrast, mine in frame.groupby("contrast"):
        assert mine["test"].tolist() == ["constant", "late", "early", "middle", "MaxCombo"]
        parts = mine["statistic"].iloc[:4]
        assert mine["statistic"].iloc[4] == pytest.approx(parts.max())
        label = contrast.removesuffix(f" against {study.reference}")
        two = study.cohort[study.cohort[study.stratum_column].isin([label, study.reference])]
        with collected():
            test = max_combo(two, study.primary, by=study.stratum_column, strata="treatment")
        assert mine["p_value"].iloc[4] == pytest.approx(test.p_value)


@quiet
def test_the_checks_test_the_leading_model_and_set_each_ratio_beside_its_target(study):
    section = checks_section(study)
    assert_figures_are_drawn_and_described(section)
    frame = tables(section)["overall-survival-proportional-hazards"]
    model = leading_model(study, study.primary)
    again = fit_cox(study.cohort, study.primary, model.covariates, strata=model.strata)
    assert frame["p_value"].tolist() == pytest.approx(proportional_hazards_test(again)["p_value"].tolist())
    recovery = recovery_table(study)
    inside = (recovery["conf_low"] <= recovery["target"]) & (recovery["target"] <= recovery["conf_high"])
    assert (recovery["covered"] == "yes").tolist() == inside.tolist()
    assert {"recovery", "targets"} <= set(tables(section))


@quiet
def test_without_a_known_truth_nothing_is_recovered(study):
    assert "recovery" not in tables(checks_section(replace(study, truth=None)))


@quiet
def test_a_marker_that_is_worse_when_higher_and_few_rows(study):
    plan = replace(study.plan, marker=replace(study.plan.marker, direction="higher"), truth=None)
    prepared = prepare_study(plan)
    assert hazards_section(replace(prepared, cohort=prepared.cohort.iloc[::8])).blocks
