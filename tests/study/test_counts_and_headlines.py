"""One count of events everywhere, the headline of the plan's direction, and rows of spells that are no patients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CohortError,
    Endpoint,
    Separation,
    StudyPlan,
    fit_cox,
    hazard_ratios,
    kaplan_meier,
    load_example,
    write_cohort,
)
from analysis.errors import NotEstimable
from analysis.study.outputs.explorer import explorer_frames
from analysis.study.prepare import prepare_study
from analysis.study.report.curves import stratum_counts, survival_figure
from analysis.study.report.sections.cohort import patient_flow
from analysis.study.report.sections.strata import counts_table
from analysis.study.study import Study
from analysis.survival.cox import result
from tests.study.plans import LUNG_BY_AGE

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")

TRANSPLANTS = """[data]
path = "cohort.csv"
id = "patient_id"
[marker]
column = "age_minus_48"
label = "Age"
unit = "years"
per = 10
direction = "higher"
[strata]
quantiles = 3
[[endpoints]]
name = "Overall survival"
duration = "exit_days"
event = "death_event"
entry = "entry_days"
time_unit = "days"
"""


def study_of(cohort: pd.DataFrame, folder: Path, text: str) -> Study:
    write_cohort(cohort, folder / "cohort.csv")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return prepare_study(StudyPlan.from_toml(folder / "plan.toml"))


@pytest.fixture
def lung():
    return load_example("lung")[["os_days", "os_event", "age", "ecog", "sex"]]


@pytest.mark.parametrize("missing", ["os_days", "os_event"])
def test_events_are_counted_over_the_rows_that_are_analysed(missing, lung, tmp_path):
    lost = np.random.default_rng(1).random(len(lung)) < 0.2
    study = study_of(lung.assign(**{missing: lung[missing].where(~lost)}), tmp_path, LUNG_BY_AGE)
    table = counts_table(study).set_index("stratum")
    curves = kaplan_meier(study.cohort, study.primary, by=study.stratum_column)
    seen = curves.groupby("stratum", observed=True)["n_event"].sum()
    assert table["Overall survival: events"].to_dict() == seen.to_dict()
    assert table["Overall survival: without a time or event"].sum() == lost.sum()
    assert table["n"].sum() == len(lung)
    for label, (n, n_event) in stratum_counts(study, study.primary).items():
        assert n == table["n"][label] - table["Overall survival: without a time or event"][label]
        assert n_event == seen[label]
    words = " ".join(patient_flow(study)["words"])
    assert all(f"{n} events" in words for n in seen)


def test_where_nothing_is_missing_no_column_says_so(lung, tmp_path):
    columns = ["stratum", "interval", "n", "Overall survival: events"]
    assert counts_table(study_of(lung, tmp_path, LUNG_BY_AGE)).columns.tolist() == columns


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


def test_spells_are_called_rows_and_quantiles_are_those_of_patients(tmp_path):
    """The heart transplants: 172 spells of 103 patients; R: quantile(age[!duplicated(id)], 1:2/3, type = 7)."""
    spells = load_example("stanford_heart_transplants")
    study = study_of(spells, tmp_path, TRANSPLANTS)
    first = spells.sort_values("entry_days", kind="stable").drop_duplicates("patient_id")["age_minus_48"]
    assert len(first) == 103
    assert list(study.cutpoints.edges) == pytest.approx(np.quantile(first, [1 / 3, 2 / 3]))
    assert study.counted == "rows"
    assert patient_flow(study)["words"].iloc[0] == "rows of 103 patients in the file"
    curves = kaplan_meier(study.cohort, study.primary, by=study.stratum_column, cluster=study.cluster)
    assert "patients" not in survival_figure(study, study.primary, curves).alt
    assert set(explorer_frames(study).searches["n_used"]) == {172}


def test_spells_without_a_column_of_patients_are_refused_with_the_plans_own_remedy(tmp_path):
    said = r'Overall survival: rows look like several spells a patient.*id = "\.\.\." in its \[data\] table'
    with pytest.raises(CohortError, match=said):
        study_of(load_example("stanford_heart_transplants"), tmp_path, TRANSPLANTS.replace('id = "patient_id"\n', ""))


def test_one_row_a_patient_with_late_entry_are_patients_where_the_plan_names_them(tmp_path):
    late = load_example("stanford_heart_transplants").drop_duplicates("patient_id", keep="last")
    assert study_of(late, tmp_path, TRANSPLANTS).counted == "patients"
    late = late.drop(columns="patient_id")
    assert study_of(late, tmp_path, TRANSPLANTS.replace('id = "patient_id"\n', "")).counted == "rows"


def test_a_limit_that_does_not_converge_is_missing_and_named(monkeypatch):
    """The group without events has no finite ratio; its limits come from the profile likelihood."""
    cohort = pd.DataFrame({"time": range(1, 13), "event": [1, 0] * 6, "x": [1, 0] * 6, "z": [3, 1, 4, 1, 5, 9] * 2})
    fit = fit_cox(cohort, Endpoint("time", "event", label="Overall survival"), ["x", "z"])
    assert np.isnan(fit.coefficients["coef"][0])

    def fail(*_, **__):
        raise NotEstimable("the model did not converge")

    monkeypatch.setattr(result, "profile_limits", fail)
    with pytest.warns(Separation, match="Overall survival: the one-sided limit of 'x' was not reached"):
        ratios = hazard_ratios(fit).set_index("term")
    assert ratios.loc["x", ["hazard_ratio", "conf_low", "conf_high"]].isna().all()
    assert ratios.loc["z", ["hazard_ratio", "conf_low", "conf_high"]].notna().all()
