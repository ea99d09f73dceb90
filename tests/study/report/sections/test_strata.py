"""The section on strata: one count of events everywhere, and edges with their sources."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import kaplan_meier, load_example
from analysis.study.report.curves import stratum_counts
from analysis.study.report.sections.cohort import patient_flow
from analysis.study.report.sections.strata import counts_table, edge_table, strata_section
from tests.study.plans import LUNG_BY_AGE, study_of

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


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


def test_the_edges_in_use_are_the_plans_and_the_published_ones_of_magnesium_stand_beside_them(study, lung, tmp_path):
    edges = edge_table(study)
    assert edges["edge"][edges["used"]].tolist() == list(study.cutpoints.edges)
    assert {0.70, 1.10} <= set(edges["edge"][~edges["used"]])
    assert edge_table(study_of(lung, tmp_path, LUNG_BY_AGE))["used"].all()


def test_the_section_says_who_set_the_cut(study, lung, tmp_path):
    assert "set by others" in strata_section(study).blocks[0].text
    own = strata_section(study_of(lung, tmp_path, LUNG_BY_AGE))
    assert own.title == "Strata of age"
    assert "set by others" not in own.blocks[0].text
