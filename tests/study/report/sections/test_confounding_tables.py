"""Crude, standardised and weighted estimates side by side: each that of its function, beside its own target."""

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from analysis import adjusted_curves, balance_weights, kaplan_meier, survival_at
from analysis.errors import collected
from analysis.study.report.sections import confounding_tables
from analysis.study.report.sections.confounding_tables import milestone_difference_table, milestone_table

N_BOOTSTRAP = 20


@pytest.fixture(scope="module")
def curves(study):
    """The crude curves, and the standardised ones as the plan adjusts."""
    plan = study.plan
    with collected():
        crude = kaplan_meier(study.cohort, study.primary, by=study.stratum_column)
        adjusted = adjusted_curves(
            study.cohort, study.primary, plan.model.covariates, by=study.stratum_column, strata=plan.model.strata,
            n_bootstrap=N_BOOTSTRAP, seed=plan.robustness.seed,
        )  # fmt: skip
    return crude, [adjusted]


def test_the_estimates_and_limits_are_those_of_each_method(study, curves):
    crude, (adjusted,) = curves
    table = milestone_table(study, study.primary, *curves)
    assert table.columns[:4].tolist() == ["stratum", "time", "n_risk", "crude"]
    times = sorted(set(table["time"]))
    for name, source in (("crude", crude), ("standardised", adjusted.curves)):
        expected = survival_at(source, times)
        for column, values in (
            (name, "survival"),
            (f"{name}_conf_low", "conf_low"),
            (f"{name}_conf_high", "conf_high"),
        ):
            assert_allclose(table[column], expected[values])


def test_estimates_stand_beside_the_targets_of_their_kind(study, curves):
    table = milestone_table(study, study.primary, *curves).set_index(["stratum", "time"])
    known = study.truth.curves
    known = known[known["endpoint"] == "Overall survival"].set_index(["stratum", "time"])
    row = table.loc[("low", 12)]
    assert row["crude_target"] == known.loc[("low", 12), "survival"]
    assert row["adjusted_target"] == known.loc[("low", 12), "standardised_survival"]
    assert row["crude"] < row["adjusted_target"]
    differences = milestone_difference_table(study, study.primary, *curves)
    pair = differences[(differences["stratum_b"] == "reference") & (differences["time"] == 12)].iloc[0]
    assert pair["adjusted_target"] == pytest.approx(
        known.loc[("reference", 12), "standardised_survival"] - row["adjusted_target"]
    )


def test_weighted_models_are_those_of_r(study):
    """R 4.2.2: coxph(Surv(os_months, os_event) ~ low + high, d, weights = w, robust = TRUE), + strata(treatment)."""
    adjusted_for = (*study.plan.model.covariates, *study.plan.model.strata)
    with collected():
        weights = balance_weights(study.cohort, adjusted_for, by=study.stratum_column)
        frame = confounding_tables.weighted_cox_table(study, study.primary, weights)
    table = frame.set_index(["analysis", "term"])
    columns = ["hazard_ratio", "conf_low", "conf_high"]
    low, high = "low against reference", "high against reference"
    expected = {
        ("weighted", low): [1.0940074272, 0.73383526496, 1.6309549403],
        ("weighted", high): [1.1741946381, 0.42604654452, 3.2361089787],
        ("weighted, within treatment", low): [1.0747651425, 0.69984448947, 1.6505382679],
        ("weighted, within treatment", high): [1.1799794300, 0.42614009020, 3.2673561750],
    }
    for key, values in expected.items():
        assert_allclose(table.loc[key, columns].tolist(), values, rtol=1e-6)
    assert set(table["n"]) == {438}
    assert set(table["n_event"]) == {270}


def test_log_rank_tests_are_crude_weighted_and_within_the_strata_on_the_same_rows(study):
    used = study.cohort.dropna(subset=[study.stratum_column])
    with collected():
        frame = confounding_tables.logrank_table(study, study.primary, used)
    assert frame["test"].tolist() == ["crude", "weighted", "weighted, within treatment"]
    assert frame["n"].nunique() == 1
    assert frame["statistic"].iloc[0] > frame["statistic"].iloc[1:].max()  # confounding is most of the crude difference
