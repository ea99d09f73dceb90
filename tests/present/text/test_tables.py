"""Frames as tables: for people, for pages, for spreadsheets."""

import csv
import io
import re

import numpy as np
import pandas as pd
import pytest

from analysis import baseline_display, csv_text, display_frame, html_table

NAN = float("nan")


def test_estimate_and_limits_share_a_cell():
    frame = pd.DataFrame(
        {"stratum": ["low"], "time": [12], "n_risk": [48], "survival": [0.457], "std_error": [0.05], "conf_low": [0.36],
         "conf_high": [0.549], "conf_type": ["log-log"], "conf_level": [0.9]}
    )  # fmt: skip
    display = display_frame(frame)
    assert list(display.columns) == ["Stratum", "Time", "At risk", "Survival (90% CI)"]
    assert display.iloc[0].tolist() == ["low", "12", "48", "45.7% (36.0% to 54.9%)"]


def test_a_median_that_was_not_reached_says_so():
    frame = pd.DataFrame({"stratum": ["a", "b"], "median": [7.55, NAN], "conf_low": [6, NAN], "conf_high": [NAN, NAN]})
    assert display_frame(frame)["Median (95% CI)"].tolist() == ["7.5 (6.0 to NR)", "NR"]


def test_two_estimates_each_keep_their_own_limits():
    frame = pd.DataFrame(
        {"stratum_a": ["x"], "stratum_b": ["y"], "difference": [-1.5], "std_error": [1],
         "conf_low": [-3], "conf_high": [0.1],
         "statistic": [-1.4], "p_value": [0.0004], "ratio": [0.9], "ratio_conf_low": [0.8], "ratio_conf_high": [1.01]}
    )  # fmt: skip
    row = display_frame(frame).iloc[0]
    assert row["Difference (b − a) (95% CI)"] == "−1.50 (−3.00 to 0.10)"
    assert row["Ratio (b / a) (95% CI)"] == "0.90 (0.80 to 1.01)"
    assert row["p"] == "<0.001"
    assert row["Statistic"] == "−1.40"


def test_headings_and_kinds_can_be_given():
    frame = pd.DataFrame({"x_y": [0.5, NAN], "flag": [True, False], "n_event": [1, 2]})
    display = display_frame(frame, headings={"x_y": "Share of x"}, kinds={"x_y": "share"})
    assert display.to_dict("list") == {"Share of x": ["50.0%", "–"], "Flag": ["yes", "no"], "Events": ["1", "2"]}


def test_a_target_is_printed_like_its_estimate():
    frame = pd.DataFrame({"survival": [0.5], "target": [0.52]})
    assert display_frame(frame)["True value"].tolist() == ["52.0%"]


def test_an_empty_frame_and_the_callers_frame_survive():
    frame = pd.DataFrame({"stratum": pd.Series([], dtype=str), "n": pd.Series([], dtype=int)})
    assert list(display_frame(frame).columns) == ["Stratum", "Patients"]
    given = pd.DataFrame({"hazard_ratio": [1.0], "conf_low": [0.5], "conf_high": [2.0]})
    copy = given.copy()
    display_frame(given)
    pd.testing.assert_frame_equal(given, copy)


def test_html_is_escaped_and_accessible(hostile):
    page = html_table(pd.DataFrame({"Stratum": [hostile], hostile: ["1.30 (1.02 to 1.62)"]}), caption=hostile)
    assert "<b>" not in page
    assert page.count("&lt;b&gt;") == 3
    assert "<caption>" in page
    assert page.count('scope="col"') == 2
    assert page.count('scope="row"') == 1
    assert '<td class="number">1.30 (1.02 to 1.62)</td>' in page


def test_html_keeps_levels_indented_and_words_to_the_left():
    page = html_table(pd.DataFrame({"a": ["x", "    y"], "b": ["low", "NR"]}), caption="c")
    assert ">&nbsp;&nbsp;&nbsp;&nbsp;y</th>" in page
    assert "<td>low</td>" in page


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")'])
def test_text_cells_that_a_spreadsheet_would_run_are_inert(text):
    read = list(csv.reader(io.StringIO(csv_text(pd.DataFrame({text: [text]})), newline="")))
    inert = "'" + text.replace("\r", "\n")
    assert read == [[inert], [inert]]


def test_numbers_are_never_touched_by_the_apostrophe():
    frame = pd.DataFrame({"difference": [-1.5, NAN], "n": [-3, 4], "flag": [True, False]})
    assert csv_text(frame) == "difference,n,flag\n-1.5,-3,True\n,4,False\n"


def test_csv_keeps_twelve_digits_and_line_feeds():
    text = csv_text(pd.DataFrame({"x": [1 / 3, 1e-20, 123456789.125]}))
    assert text == "x\n0.333333333333\n1e-20\n123456789.125\n"
    assert "\r" not in text


def test_csv_takes_categories_missing_text_and_quotes():
    frame = pd.DataFrame({"a": pd.Categorical(["=x", "y"]), "b": ['say "hi", you', None]})
    assert list(csv.reader(io.StringIO(csv_text(frame)))) == [["a", "b"], ["'=x", 'say "hi", you'], ["y", ""]]


@pytest.fixture
def baseline():
    names = [
        "variable",
        "level",
        "stratum",
        "n",
        "n_missing",
        "mean",
        "std",
        "median",
        "q25",
        "q75",
        "count",
        "share",
        "smd",
    ]
    rows = [
        ("age", "", "low", 98, 2, 61.0, 9.0, 62.0, 55.0, 68.0, NAN, NAN, 0.25),
        ("age", "", "high", 50, 0, 60.0, 9.0, 61.0, 54.0, 67.0, NAN, NAN, 0.25),
        ("sex", "female", "low", 100, 0, NAN, NAN, NAN, NAN, NAN, 40, 0.4, 0.1),
        ("sex", "female", "high", 50, 0, NAN, NAN, NAN, NAN, NAN, 25, 0.5, 0.1),
        ("sex", "male", "low", 100, 0, NAN, NAN, NAN, NAN, NAN, 60, 0.6, 0.1),
        ("sex", "male", "high", 50, 0, NAN, NAN, NAN, NAN, NAN, 25, 0.5, 0.1),
        ("ppi", "0", "low", 100, 0, NAN, NAN, NAN, NAN, NAN, 70, 0.7, 0.0),
        ("ppi", "0", "high", 50, 0, NAN, NAN, NAN, NAN, NAN, 35, 0.7, 0.0),
        ("ppi", "1", "low", 100, 0, NAN, NAN, NAN, NAN, NAN, 30, 0.3, 0.0),
        ("ppi", "1", "high", 50, 0, NAN, NAN, NAN, NAN, NAN, 15, 0.3, 0.0),
    ]
    return pd.DataFrame(rows, columns=names)


def test_table_one_reads_as_a_journal_prints_it(baseline):
    display = baseline_display(baseline, labels={"age": "Age (years)", "ppi": "Proton-pump inhibitor"})
    assert list(display.columns) == ["Characteristic", "low (n = 100)", "high (n = 50)", "SMD"]
    assert display.values.tolist() == [
        ["Age (years), median (quartiles)", "62 (55 to 68)", "61 (54 to 67)", "0.25"],
        ["    missing", "2", "0", ""],
        ["sex, n (%)", "", "", "0.10"],
        ["    female", "40 (40.0%)", "25 (50.0%)", ""],
        ["    male", "60 (60.0%)", "25 (50.0%)", ""],
        ["Proton-pump inhibitor, n (%)", "30 (30.0%)", "15 (30.0%)", "0.00"],
    ]


def test_table_one_takes_what_baseline_table_gives():
    from analysis import baseline_table

    cohort = pd.DataFrame(
        {
            "arm": ["a", "a", "b", "b"],
            "age": [60.0, 70.0, np.nan, 50.0],
            "ppi": [0, 1, 1, 1],
            "grade": ["I", "II", "I", "I"],
        }
    )
    display = baseline_display(baseline_table(cohort, by="arm", columns=["age", "ppi", "grade"]))
    assert [name for name in display.columns if re.fullmatch(r"[ab] \(n = 2\)", name)] == ["a (n = 2)", "b (n = 2)"]
    rows = display.set_index("Characteristic")["b (n = 2)"]
    assert rows["    missing"] == "1"
    assert rows["ppi, n (%)"] == "2 (100.0%)"
    assert rows["    I"] == "2 (100.0%)"


def test_table_one_gives_a_variable_the_same_decimals_in_every_stratum(baseline):
    age = baseline["variable"] == "age"
    baseline.loc[age, ["median", "q25", "q75"]] = [[9.45, 4.0, 16.2], [23.9, 12.9, 42.2]]
    assert baseline_display(baseline).iloc[0, 1:3].tolist() == ["9.4 (4.0 to 16.2)", "23.9 (12.9 to 42.2)"]
    baseline.loc[age, ["median", "q25", "q75"]] = [[0.7, 0.66, 0.72], [NAN, NAN, NAN]]
    assert baseline_display(baseline).iloc[0, 1:3].tolist() == ["0.70 (0.66 to 0.72)", "–"]


def test_a_quantile_that_was_not_reached_says_so_too():
    frame = pd.DataFrame(
        {"stratum": ["a"], "probability": [0.5], "time": [NAN], "conf_low": [12.0], "conf_high": [NAN]}
    )
    assert display_frame(frame).iloc[0].tolist() == ["a", "0.5", "NR (12.0 to NR)"]
