"""What could fool us: each row is read off the table that it names, and what was not done has no row."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from analysis.study.report import threats_section


@pytest.fixture(scope="module")
def frame(results):
    return results.tables["threats"].set_index("threat")


def test_every_threat_of_the_synthetic_study_has_a_row_that_leads_to_a_table(results, frame):
    assert len(frame) == 11
    assert set(frame["table"]) <= set(results.tables)
    section = next(section for section in results.sections if section.anchor == "threats")
    display = section.blocks[1].display
    assert display["See"].tolist() == [f"[[table-{name}]]" for name in frame["table"]]


def test_estimates_are_those_of_the_tables(results, frame):
    tables = results.tables
    ratios = tables["hazard-ratios"].query("endpoint == 'Overall survival' and marker == 'continuous'")
    imputed = tables["imputed"].query("endpoint == 'Overall survival' and analysis == 'imputed'")
    moving = tables["moving-marker"].query("endpoint == 'Overall survival'")
    moving = moving[
        (moving["contrast"] == "per 0.1 mmol/L lower") & (moving["analysis"] == "latest value, time-dependent")
    ]
    corrected = tables["simulation-extrapolation"].query("measurement == 'corrected'")
    expected = {
        "None: the crude association": ratios.iloc[[0]],
        "Confounding": ratios.iloc[[1]],
        "Missing values": imputed,
        "A marker that changes over time": moving,
        "Measurement error": corrected,
    }
    for threat, row in expected.items():
        assert len(row) == 1
        assert (
            frame.loc[threat, ["estimate", "low", "high"]].tolist()
            == row.iloc[0][["hazard_ratio", "conf_low", "conf_high"]].tolist()
        )


def test_ranges_are_the_lowest_and_the_highest_of_their_tables(results, frame):
    periods = results.tables["overall-survival-periods"]["hazard_ratio"]
    groups = results.tables["subgroups-overall-survival"].query("level != 'all'")["hazard_ratio"]
    sites = results.tables["without-each-site"].query("left_out != 'nobody'")["hazard_ratio"]
    for threat, ratios in (
        ("An effect that changes with time", periods),
        ("One group of patients", groups),
        ("One site", sites),
    ):
        assert frame.loc[threat, ["low", "high"]].tolist() == [ratios.min(), ratios.max()]
        assert pd.isna(frame.loc[threat, "estimate"])


def test_the_difference_of_means_is_that_of_the_first_stratum_from_the_reference(results, frame):
    row = results.tables["overall-survival-adjusted-mean-differences"].iloc[0]
    assert (row["stratum_a"], row["stratum_b"]) == ("low", "reference")
    mine = frame.loc["Confounding, without a model of hazards"]
    assert mine["measure"] == "reference less low, mean months within 24:"
    assert mine["estimate"] == row["standardised"]


def test_what_was_not_done_has_no_row(results):
    tables = {name: frame for name, frame in results.tables.items() if name in {"hazard-ratios", "imputed"}}
    section = threats_section(results.study, tables)
    assert section.blocks[1].frame["threat"].tolist() == [
        "None: the crude association",
        "Confounding",
        "Missing values",
    ]
    assert threats_section(results.study, {}).blocks == ()


def test_results_are_in_words(results):
    section = next(section for section in results.sections if section.anchor == "threats")
    words = section.blocks[1].display["Result"]
    pattern = (
        r"hazard ratio \d\.\d\d \(\d\.\d\d to \d\.\d\d\)|hazard ratios \d\.\d\d to \d\.\d\d|reference less low.*\)"
    )
    assert all(re.fullmatch(pattern, text) for text in words)
