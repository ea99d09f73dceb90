"""The tables of a paper as they are shown: every kind of cell, by hand."""

import pandas as pd
import pytest

from analysis import hazard_ratio_display, survival_display

NAN = float("nan")


def survival_rows(*rows):
    names = ["stratum", "n", "n_event", "estimate", "time", "value", "conf_low", "conf_high"]
    return pd.DataFrame(rows, columns=names).assign(conf_level=0.9)


def test_survival_has_a_column_a_stratum_and_a_row_an_estimate():
    table = survival_rows(
        ("low", 1040, 700, "median", NAN, 7.55, 6.0, NAN),
        ("low", 1040, 700, "survival", 12.0, 0.4567, 0.36, 0.549),
        ("low", 1040, 700, "restricted mean", 24.0, 12.54, 10.9, 14.2),
        ("high", 26, 0, "median", NAN, NAN, NAN, NAN),
        ("high", 26, 0, "survival", 12.0, 1.0, 1.0, 1.0),
    )
    display = survival_display(table, time_unit="months")
    assert list(display.columns) == ["Estimate (90% CI)", "low", "high"]
    assert display.to_numpy().tolist() == [
        ["Patients", "1,040", "26"],
        ["Events", "700", "0"],
        ["Median (months)", "7.5 (6.0 to NR)", "NR"],
        ["Survival at 12 months", "45.7% (36.0% to 54.9%)", "100.0% (100.0% to 100.0%)"],
        ["Mean months within the first 24", "12.5 (10.9 to 14.2)", "–"],
    ]


def test_survival_beyond_the_follow_up_or_at_zero_is_not_empty():
    table = survival_rows(
        ("a", 9, 9, "survival", 5.0, 0.0, NAN, NAN),
        ("b", 9, 3, "survival", 5.0, NAN, NAN, NAN),
    )
    assert survival_display(table, time_unit="years").iloc[-1].tolist() == ["Survival at 5 years", "0.0%", "–"]


def ratio_rows(*rows):
    names = ["endpoint", "label", "reference", "adjustment", "n", "n_event"]
    return pd.DataFrame(rows, columns=[*names, "hazard_ratio", "conf_low", "conf_high", "p_value"])


def test_crude_and_adjusted_stand_side_by_side_with_the_reference_row():
    table = ratio_rows(
        ("Death", "age", False, "crude", 100, 40, 1.5, 1.1, 2.04, 0.01234),
        ("Death", "age", False, "adjusted", 90, 30, 0.0001, 0.00001, 2.0, 0.00001),
        ("Death", "low", False, "crude", 60, 30, 2.0, 1.0, 4.0, 0.0496),
        ("Death", "high", True, "crude", 40, 10, 1.0, NAN, NAN, NAN),
        ("Death", "low", False, "adjusted", 50, 20, NAN, 3.1, NAN, NAN),
        ("Death", "high", True, "adjusted", 40, 10, 1.0, NAN, NAN, NAN),
    )
    display = hazard_ratio_display(table)
    assert list(display.columns) == [
        "Characteristic", "Patients", "Events", "Crude hazard ratio (95% CI)", "Crude p",
        "Adjusted hazard ratio (95% CI)", "Adjusted p",
    ]  # fmt: skip
    assert display.to_numpy().tolist() == [
        ["Death", "", "", "", "", "", ""],
        ["    age", "100", "40", "1.50 (1.10 to 2.04)", "0.012", "<0.01 (<0.01 to 2.00)", "<0.001"],
        ["    low", "60", "30", "2.00 (1.00 to 4.00)", "0.050", "– (3.10 to –)", "–"],
        ["    high", "40", "10", "1 (reference)", "", "1 (reference)", ""],
    ]


def test_without_adjusted_models_there_are_no_adjusted_columns():
    display = hazard_ratio_display(ratio_rows(("Death", "age", False, "crude", 9, 4, 1.5, 1, 2, 0.1)), conf_level=0.9)
    assert list(display.columns)[3:] == ["Crude hazard ratio (90% CI)", "Crude p"]


@pytest.mark.parametrize("p_value", [0.0, 1e-310, 1e-9, 0.0004999])
def test_no_p_value_reads_as_zero(p_value):
    display = hazard_ratio_display(ratio_rows(("Death", "age", False, "crude", 9, 4, 1.5, 1, 2, p_value)))
    assert display["Crude p"].iloc[1].startswith("<")
