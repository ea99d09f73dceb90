"""The section on models: the tables of a paper are those of the models, with their reference rows and counts."""

from __future__ import annotations

import pandas as pd

from analysis.study.report.sections.models import forest_rows


def test_the_hazard_ratios_are_those_of_the_models_with_a_reference_row(main_results):
    tables = main_results.tables
    table = tables["hazard-ratio-table"]
    assert table[~table["reference"]]["hazard_ratio"].tolist() == tables["hazard-ratios"]["hazard_ratio"].tolist()
    reference = table[table["reference"]]
    assert (reference["hazard_ratio"] == 1).all()
    assert reference[["conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    assert len(reference) == 2 * 2


def test_adjusted_models_count_fewer_rows_where_a_covariate_is_missing(hostile):
    table = hostile.tables["hazard-ratio-table"]
    strata = table[table["marker"] == "strata"]
    totals = strata.groupby("adjustment")[["n", "n_event"]].sum()
    models = hostile.tables["hazard-ratios"].groupby("adjustment")[["n", "n_event"]].max()
    pd.testing.assert_frame_equal(totals, models)
    assert models.loc["adjusted", "n"] < models.loc["crude", "n"]


def test_the_note_says_when_adjusted_models_rest_on_fewer_patients(hostile):
    blocks = [block for section in hostile.sections for block in section.blocks]
    note = next(block.note for block in blocks if getattr(block, "name", "") == "hazard-ratio-table")
    used = hostile.tables["hazard-ratios"].groupby("adjustment")[["n", "n_event"]].max().loc["adjusted"]
    assert f"{used['n']} ({used['n_event']} events)" in note


def test_each_estimate_of_the_forest_has_its_target_and_the_adjusted_marker_what_was_planted(main_results):
    ratios = main_results.tables["hazard-ratios"]
    drawn = main_results.figures["forest"].draw.args[0]
    pd.testing.assert_frame_equal(drawn, forest_rows(main_results.study, ratios))
    truth = drawn[drawn["kind"] == "truth"]
    assert truth["label"].str.startswith("true value, ").sum() == len(ratios)
    assert truth["label"].str.startswith("simulated effect on").any()
    assert truth[["conf_low", "conf_high"]].isna().all(axis=None)
    assert drawn[drawn["kind"] != "truth"]["hazard_ratio"].tolist() == ratios["hazard_ratio"].tolist()
