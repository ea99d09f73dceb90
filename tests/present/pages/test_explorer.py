"""The explorer's page: its words, its charts, what it allows, and labels that come through inert."""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest

from analysis.present.pages.explorer import ExplorerFrames, explorer_page
from analysis.present.pages.explorer_charts import curve_chart, response_chart, scan_chart
from analysis.present.pages.explorer_words import cut_words

HOSTILE = "</script><img src=x onerror=alert(1)>"


def made(endpoints=("Survival",), *, marker="mmol/L", few=False, adjusted=True) -> ExplorerFrames:
    """Three cuts of each endpoint, by hand."""
    places = np.arange(3)
    cuts = pd.DataFrame(
        {
            "place": places,
            "cut": [0.7, 0.75, 0.8],
            "label": ["0.7", "0.75", "0.8"],
            "planned": ["", "named by the plan", ""],
            "found": [False, False, True],
            "statistic": [1.0, 2.0, 3.5],
            "p_naive": [0.3, 0.04, 0.0004],
            "hazard_ratio": [0.8, 0.7, 0.5],
            "conf_low": [0.5, 0.5, 0.35],
            "conf_high": [1.2, 0.99, 0.7],
            "p_corrected": [np.nan, 0.2, 0.011],
            "adjusted_hazard_ratio": 0.9 if adjusted else np.nan,
            "adjusted_conf_low": 0.8 if adjusted else np.nan,
            "adjusted_conf_high": 1.1 if adjusted else np.nan,
            "curve_hazard_ratio": [1.4, 1.2, 1.0],
            "curve_conf_low": [1.1, 1.0, 1.0],
            "curve_conf_high": [1.9, 1.5, 1.0],
        }
    )
    sides = pd.DataFrame({"place": np.repeat(places, 2), "group": ["low", "high"] * 3})
    groups = sides.assign(
        interval=[f"{sign} {cut:g} {marker}" for cut in (0.7, 0.75, 0.8) for sign in ("<", "≥")],
        n=[20, 80, 30, 70, 40, 60],
        n_event=[15, 30, 20, 25, 25, 20],
        median=[9.0, np.nan] * 3,
        conf_low=[7.0, 20.0] * 3,
        conf_high=[12.0, np.nan] * 3,
    )
    n_risk = [20, 9, 3] if few else [20, 15, 12]
    steps = pd.DataFrame({"time": [0.0, 6.0, 12.0], "n_risk": n_risk, "survival": [1.0, 0.5, 0.0]})
    steps = steps.assign(conf_low=[1.0, 0.4, np.nan], conf_high=[1.0, 0.6, np.nan])
    risk = pd.DataFrame({"time": [0.0, 12.0], "n_risk": [20, 3], "n_event": [0, 15], "n_censor": [0, 2]})
    response = pd.DataFrame({"marker": [0.5, 0.8, 1.0], "hazard_ratio": [2.0, 1.0, 0.6]})
    frames = {
        "cuts": cuts,
        "groups": groups,
        "curves": sides.merge(steps, how="cross"),
        "risk": sides.merge(risk, how="cross"),
        "dose_response": response.assign(conf_low=[1.2, 1.0, 0.3], conf_high=[3.3, 1.0, 1.1], reference=0.8),
        "scan": pd.DataFrame({"cut": [0.7, 0.74, 0.8], "statistic": [1.0, 2.0, 3.5], "p_adjusted": [0.9, 0.2, 0.011]}),
        "searches": pd.DataFrame(
            {
                "cut": [0.8],
                "critical_value": 2.8,
                "p_permutation": 0.011,
                "hazard_ratio_corrected": 0.66,
                "conf_low": 0.48,
                "conf_high": 0.9,
                "n_used": 1100,
                "n_read": 1200,
                "time_unit": "months",
            }
        ),
    }
    joined = {
        name: pd.concat([frame.assign(endpoint=endpoint) for endpoint in endpoints], ignore_index=True)
        for name, frame in frames.items()
    }
    return ExplorerFrames(
        **joined,
        n_cuts_searched=3,
        n_permutations=999,
        seed=1,
        most_steps=200,
        adjusted_for=("age",) if adjusted else (),
        conf_level=0.95,
        left_out=(),
    )


def held(page: str) -> dict:
    """What the page's script reads."""
    return json.loads(re.search(r'<script type="application/json" id="explorer-data">(.*?)</script>', page).group(1))


def words_of(frames: ExplorerFrames):
    search = frames.searches.to_dict("records")[0]
    return cut_words(frames.cuts, frames.groups, search, unit="mmol/L", time_unit="months", conf_level=0.95)


def test_each_cut_is_told_with_its_own_and_the_corrected_p_value():
    first, planned, found = words_of(made())
    assert planned.ratio == "0.70 (0.50 to 0.99)"
    assert (planned.p_naive, planned.p_corrected) == ("0.040", "0.200")
    assert planned.spoken == "0.75 mmol/L, named by the plan"
    assert planned.groups == [
        ["< 0.75 mmol/L", "30", "20", "9.0 (7.0 to 12.0)"],
        ["≥ 0.75 mmol/L", "70", "25", "NR (20.0 to NR)"],
    ]
    assert "needs no correction as long as no other is tried" in planned.caution
    corrected = "Corrected for the search, crude: not corrected for confounding: 0.66 (0.48 to 0.90)."
    assert f"overstated. {corrected}" in found.caution
    for words in (first, planned, found):
        assert "corrected for the search, crude: not corrected for confounding" in words.sentence
    assert (found.p_naive, found.p_corrected) == ("<0.001", "0.011")
    assert first.p_corrected == "not searched"
    assert "Too few patients lie on one side" in first.caution
    assert planned.sentence.startswith("≥ 0.75 mmol/L against < 0.75 mmol/L: hazard ratio 0.70 (0.50 to 0.99); p 0.040")


@pytest.mark.parametrize("adjusted", [True, False])
def test_the_corrected_p_value_is_called_crude_beside_the_adjusted_ratio(adjusted):
    page = explorer_page(made(adjusted=adjusted), title="T", label="L")
    assert "<span>p, corrected for the search, crude: not corrected for confounding</span>" in page
    assert ("The same, adjusted" in page) == adjusted


def test_a_group_without_events_has_no_ratio_and_says_so():
    frames = made()
    nothing = frames.cuts.assign(hazard_ratio=np.nan, conf_low=np.nan, conf_high=np.nan)
    search = frames.searches.to_dict("records")[0]
    words = cut_words(nothing, frames.groups, search, unit="", time_unit="months", conf_level=0.9)[0]
    assert words.ratio == "–"
    assert "hazard ratio not estimable" in words.sentence
    assert "90% bands" in words.curves_alt


def test_labels_come_through_inert():
    names = (HOSTILE, '=α & "Ω" 50 %')
    page = explorer_page(made(names), title=HOSTILE, label=HOSTILE, unit=HOSTILE, time_zero=HOSTILE, report="a&b.html")
    assert page.count("</script>") == 3
    assert "onerror" in page
    assert "<img src=x" not in page
    assert [endpoint["name"] for endpoint in held(page)["endpoints"]] == list(names)
    assert 'href="a&amp;b.html"' in page


def test_the_page_allows_its_own_scripts_and_nothing_else():
    page = explorer_page(made(), title="T", label="L")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digests = [base64.b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    assert policy.startswith("default-src 'none'; script-src ")
    assert re.findall(r"'sha256-([^']*)'", policy) == digests
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe" not in policy
    assert not re.search(
        r'\b(src|srcset|action|data-src)\s*=\s*["\']?(https?:)?//', page.split("<main")[1].split("<script")[0]
    )


def test_the_same_frames_give_the_same_bytes():
    assert explorer_page(made(), title="T", label="L") == explorer_page(made(), title="T", label="L")


def test_a_curve_is_parted_where_few_remain_and_undefined_limits_are_null():
    curves = held(explorer_page(made(few=True), title="T", label="L"))["endpoints"][0]["cuts"][0]["curves"]
    assert [(part["group"], part["at_risk"], part["time"]) for part in curves] == [
        ("low", "few", [0.0, 6.0, 12.0]),
        ("high", "few", [0.0, 6.0, 12.0]),
    ]
    assert curves[0]["low"] == [1.0, 0.4, None]
    many = held(explorer_page(made(), title="T", label="L"))["endpoints"][0]["cuts"][0]["curves"]
    assert [part["at_risk"] for part in many] == ["many", "many"]


def test_synthetic_cohorts_and_missing_parts_are_told():
    page = explorer_page(made(adjusted=False), title="T", label="L", synthetic=True)
    assert "Synthetic and illustrative: every patient is simulated" in page
    assert "The same, adjusted" not in page
    plain = explorer_page(made(), title="T", label="L")
    assert "Synthetic" not in plain
    assert "The same, adjusted" in plain
    assert "Back to the report" not in plain
    assert "1,100 of 1,200 rows" in plain


def test_buttons_jump_to_the_plans_cuts_and_those_found():
    assert re.findall(
        r'data-place="(\d)"><strong>(.*?)</strong> (.*?)<', explorer_page(made(), title="T", label="L", unit="mM")
    ) == [
        ("1", "0.75 mM", "named by the plan"),
        ("2", "0.8 mM", "best of the search"),
    ]


def test_charts_follow_the_grammar_of_vega_lite():
    frames = made()
    lines = frames.cuts.assign(line="plan")
    drawn = [
        curve_chart([0, 6, 12], 12, x_label="Months", y_label="Survival"),
        scan_chart(frames.scan, lines, limit=2.8, x_label="Magnesium"),
        response_chart(frames.dose_response, lines, x_label="Magnesium"),
    ]
    for chart in drawn:  # altair checks each against the schema as it makes it
        assert chart["width"] == "container"
        assert chart["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
    limits = [layer for layer in drawn[1]["layer"] if layer["mark"].get("color") == "#D55E00"]
    assert len(limits) == 1
    without = scan_chart(frames.scan, lines, limit=float("inf"), x_label="Magnesium")
    assert len(without["layer"]) == len(drawn[1]["layer"]) - 1


@pytest.mark.parametrize(("spread", "ticks"), [(0.01, [0.8, 0.9, 1.0, 1.1, 1.2]), (1.0, [0.2, 0.5, 1.0, 2.0, 5.0])])
def test_a_flat_and_a_steep_curve_have_ticks_to_read_it_by(spread, ticks):
    response = pd.DataFrame({"marker": [0.5, 1.0], "hazard_ratio": np.exp([spread, -spread]), "reference": 0.8})
    response = response.assign(conf_low=response["hazard_ratio"] / 1.05, conf_high=response["hazard_ratio"] * 1.05)
    if spread == 1.0:
        response = response.assign(conf_low=response["hazard_ratio"] / 50, conf_high=response["hazard_ratio"] * 50)
    chart = response_chart(response, made().cuts.assign(line="found"), x_label="Magnesium")
    axes = [
        layer["encoding"]["y"]["axis"]["values"] for layer in chart["layer"] if "axis" in layer["encoding"].get("y", {})
    ]
    assert axes[0] == ticks
