"""The survival figure: its headline is of the plan's direction, its title only what the interval shows."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import fit_cox, hazard_ratios, kaplan_meier, load_example
from analysis.study.report.curves import curves_title, survival_figure, survival_table, true_curves
from tests.study.plans import LUNG_BY_AGE, study_of

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


@pytest.fixture
def lung():
    return load_example("lung")[["os_days", "os_event", "age", "ecog", "sex"]]


@pytest.mark.parametrize(("direction", "headed", "reference"), [("higher", -1, 0), ("lower", 0, -1)])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_headline_is_the_stratum_that_the_direction_points_to(n, direction, headed, reference, lung, tmp_path):
    text = LUNG_BY_AGE.replace("quantiles = 2", f"quantiles = {n}").replace('"higher"', f'"{direction}"')
    study = study_of(lung, tmp_path, text)
    labels = study.strata_labels
    assert (study.contrasted, study.reference) == (labels[headed], labels[reference])
    curves = kaplan_meier(study.cohort, study.primary, by=study.stratum_column)
    drawn = survival_figure(study, study.primary, curves).draw.keywords
    assert drawn["estimates"][0][0] == f"HR, {labels[headed]} against {labels[reference]}"
    ratio = hazard_ratios(fit_cox(study.cohort, study.primary, [study.contrast(label) for label in study.compared]))
    mine = ratio.set_index("term")["hazard_ratio"][study.contrast(labels[headed])]
    assert drawn["estimates"][1][1].startswith(f"{mine:.2f}")


def test_a_title_names_the_stratum_of_the_direction(lung, tmp_path):
    """Of this sample made for it, the highest third lives half as long as the others, within the same follow-up."""
    old = lung["age"] > lung["age"].quantile(2 / 3)
    sample = lung.assign(os_days=[100.0 + 9 * (place % 100) for place in range(len(lung))], os_event=1)
    sample["os_days"] = sample["os_days"].where(~old | (sample["os_days"] > 950), sample["os_days"] / 2)
    study = study_of(sample, tmp_path, LUNG_BY_AGE.replace("quantiles = 2", "quantiles = 3"))
    curves = kaplan_meier(study.cohort, study.primary, by=study.stratum_column)
    title = survival_figure(study, study.primary, curves).draw.keywords["title"]
    assert title == f"{study.strata_labels[-1].capitalize()} age: shorter overall survival"


def test_a_title_names_no_direction_that_its_interval_does_not_show(lung, tmp_path):
    """Two strata of the same rows differ by 0."""
    twins = pd.concat([lung.assign(age=age) for age in (0, 1)], ignore_index=True)
    study = study_of(twins, tmp_path, LUNG_BY_AGE)
    curves = kaplan_meier(study.cohort, study.primary, by=study.stratum_column)
    assert curves_title(study, study.primary, curves) == "Overall survival by age"


def test_a_horizon_beyond_the_curves_costs_the_restricted_means_of_the_table_only(lung, tmp_path):
    whole = study_of(lung, tmp_path, LUNG_BY_AGE)
    far = study_of(lung, tmp_path, "[study]\nhorizon = 99999\n" + LUNG_BY_AGE)
    curves = kaplan_meier(whole.cohort, whole.primary, by=whole.stratum_column)
    kinds = [set(survival_table(one, one.primary, curves)["estimate"]) for one in (whole, far)]
    assert kinds == [{"median", "survival", "restricted mean"}, {"median", "survival"}]


def test_true_curves_are_those_of_the_endpoint_and_of_strata_that_hold_rows(study):
    curves = true_curves(study, study.primary, "standardised_survival")
    known = study.truth.curves
    mine = known[(known["endpoint"] == study.primary.name) & known["stratum"].isin(["low", "reference", "high"])]
    pd.testing.assert_series_equal(
        curves["survival"], mine["standardised_survival"], check_names=False, check_index=False
    )
