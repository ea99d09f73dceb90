"""What the explorer says of each cut."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.present.pages.explorer import explorer_page
from tests.present.pages.explorer_frames import all_words, made, words_of


def test_each_cut_comes_with_its_own_and_the_corrected_p_value():
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
    words = all_words(replace(frames, cuts=nothing), search, unit="", time_unit="months", conf_level=0.9)[0]
    assert words.ratio == "–"
    assert "hazard ratio not estimable" in words.sentence
    assert "90% bands" in words.curves_alt


def test_a_marker_that_harms_when_low_is_read_low_against_the_rest():
    frames = made(direction="lower")
    assert words_of(frames)[1].sentence.startswith(
        "< 0.75 mmol/L against ≥ 0.75 mmol/L: hazard ratio 0.70 (0.50 to 0.99)"
    )
    assert "Medians 9.0 months (7.0 to 12.0) against NR" in words_of(frames)[1].sentence
    assert "Hazard ratio, below the cut against the rest (95% CI)" in explorer_page(frames, title="T", label="L")
    assert "Hazard ratio, above the cut against the rest" in explorer_page(made(), title="T", label="L")


def test_survival_at_the_milestones_stands_with_its_limits():
    assert words_of(made())[0].milestones == [
        ["Survival at 12 months", "51% (44 to 59)", "51% (44 to 59)"],
        ["Survival at 24 months", "beyond follow-up", "beyond follow-up"],
    ]
