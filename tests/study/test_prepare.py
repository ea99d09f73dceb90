"""Spells of patients: refused where the plan names no patients, and counted as patients where each has one row."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import CohortError, kaplan_meier, load_example
from analysis.study.outputs import explorer
from analysis.study.report.curves import survival_figure
from analysis.study.report.sections.cohort import patient_flow
from tests.study.plans import study_of

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


def test_spells_without_a_column_of_patients_are_refused_with_the_plans_own_remedy(tmp_path):
    said = r'Overall survival: rows look like several spells a patient.*by id = "\.\.\." in \[data\]'
    with pytest.raises(CohortError, match=said):
        study_of(load_example("stanford_heart_transplants"), tmp_path, TRANSPLANTS.replace('id = "patient_id"\n', ""))


def test_one_row_a_patient_with_late_entry_are_patients_where_the_plan_names_them(tmp_path):
    late = load_example("stanford_heart_transplants").drop_duplicates("patient_id", keep="last")
    assert study_of(late, tmp_path, TRANSPLANTS).counted == "patients"
    late = late.drop(columns="patient_id")
    assert study_of(late, tmp_path, TRANSPLANTS.replace('id = "patient_id"\n', "")).counted == "rows"


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
    assert set(explorer.explorer_frames(study).searches["n_used"]) == {172}
