"""The committed cohort comes typed; the examples come with plain names and 0/1 events."""

import shutil

import pandas as pd
import pytest

from analysis import COHORT_SCHEMA, CohortError, InputError, load_cohort, load_example, load_labs
from analysis.cohort.reading import examples

SHAPES = {
    "gbsg2": (686, "rfs_event", 299),
    "lung": (228, "os_event", 165),
    "larynx": (90, "os_event", 50),
    "kidney_transplant": (863, "os_event", 140),
    "rossi": (432, "arrest_event", 114),
    "stanford_heart_transplants": (172, "death_event", 75),
}


def test_the_cohort_is_typed_by_its_schema():
    cohort = load_cohort()
    assert len(cohort) == 480
    assert cohort["patient_id"].is_unique
    for column in COHORT_SCHEMA:
        values = cohort[column.name]
        if column.type == "category":
            assert values.cat.categories.tolist() == list(column.levels)
        elif column.type in {"integer", "indicator"}:
            assert values.dtype == "int64"
        elif column.type == "number":
            assert values.dtype == "float64"
    assert cohort["magnesium"].isna().any()


def test_a_loaded_cohort_is_the_readers_own():
    cohort = load_cohort()
    cohort.loc[0, "age"] = 0
    assert load_cohort().loc[0, "age"] > 0


def test_baseline_labs_are_the_cohorts_magnesium():
    labs = load_labs()
    baseline = labs[labs["month"] == 0].set_index("patient_id")["magnesium"]
    measured = load_cohort().set_index("patient_id")["magnesium"].dropna()
    pd.testing.assert_series_equal(baseline, measured)


@pytest.mark.parametrize(("name", "facts"), SHAPES.items())
def test_examples_have_their_published_sizes_and_events(name, facts):
    rows, event, events = facts
    frame = load_example(name)
    assert len(frame) == rows
    assert frame[event].isin([0, 1]).all()
    assert frame[event].sum() == events
    assert all(column.isidentifier() and column.islower() for column in frame)


def test_an_unknown_example_is_refused_with_the_names():
    with pytest.raises(InputError, match=r"no example 'gbsg'; did you mean 'gbsg2'\? examples: 'gbsg2', 'lung', "):
        load_example("gbsg")


def test_an_installed_package_holds_its_own_data(monkeypatch, tmp_path):
    expected = load_cohort()
    inside = tmp_path / "analysis" / "data" / "synthetic"
    shutil.copytree(examples.synthetic_folder(), inside)
    monkeypatch.setattr(examples, "__file__", str(tmp_path / "analysis" / "cohort" / "reading" / "examples.py"))
    assert examples.synthetic_folder() == inside
    pd.testing.assert_frame_equal(load_cohort(), expected)


def test_a_lost_file_says_how_to_write_it(monkeypatch, tmp_path):
    monkeypatch.setattr(examples, "__file__", str(tmp_path / "analysis" / "cohort" / "reading" / "examples.py"))
    with pytest.raises(CohortError, match=r"write it with: python -m analysis simulate"):
        load_cohort()
