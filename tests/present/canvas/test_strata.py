"""Colours and line styles: the same for the same strata, distinct in grey, or as the user gives them."""

import pytest

from analysis.errors import InputError
from analysis.present.canvas.strata import _SLOTS, color_problems, stratum_styles

OKABE_ITO = {"#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"}


def luminance(color):
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_known_strata_keep_their_colours_whoever_stands_beside_them():
    whole = stratum_styles(["low", "reference", "high"])
    assert [style.color for style in whole.values()] == ["#D55E00", "#0072B2", "#009E73"]
    assert stratum_styles(["high"])["high"] == whole["high"]
    assert stratum_styles(["high", "low"])["low"] == whole["low"]


def test_other_strata_take_what_is_left_in_order():
    styles = stratum_styles(["Q1", "Q2", "Q3", "Q4"])
    assert [style.color for style in styles.values()] == ["#D55E00", "#0072B2", "#009E73", "#CC79A7"]
    assert stratum_styles(["Q1", "low"])["Q1"].color != stratum_styles(["Q1", "low"])["low"].color


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_lines_markers_and_colours_are_all_different(n):
    styles = stratum_styles([f"group {place}" for place in range(n)]).values()
    for aspect in ("color", "line", "marker", "ink"):
        assert len({getattr(style, aspect) for style in styles}) == n


def test_more_strata_than_styles_still_have_one_each():
    assert len(stratum_styles([str(place) for place in range(20)])) == 20


@pytest.mark.parametrize("slot", _SLOTS, ids=lambda slot: slot.color)
def test_words_in_a_strata_colour_have_the_contrast_of_wcag_aa(slot):
    assert 1.05 / (luminance(slot.ink) + 0.05) >= 4.5
    assert slot.color in OKABE_ITO or slot.color == "#444444"


def test_one_line_style_is_for_all_and_a_sequence_or_a_mapping_for_each():
    both = stratum_styles(["low", "high"], linestyles=(0, (4, 2)))
    assert [style.line for style in both.values()] == [(0, (4, 2))] * 2
    assert [style.line for style in stratum_styles(["low", "high"], linestyles=["-", ":"]).values()] == ["-", ":"]
    assert stratum_styles(["low", "high"], linestyles={"high": "--", "low": "-"})["high"].line == "--"
    with pytest.raises(InputError, match="linestyles: no line style for 'high'; it has 'low'"):
        stratum_styles(["low", "high"], linestyles={"low": "-"})


def test_every_fault_of_colours_and_lines_is_named_at_once():
    with pytest.raises(InputError, match=r"(?s)palette: 'no' is no colour.*linestyles: 'wavy' is no line style"):
        stratum_styles(["low"], palette=["no"], linestyles=["wavy"])
    assert color_problems(["red", "0.5", "#0072B2"]) == []


@pytest.mark.parametrize("color", ["#ffff99", "white", "#56B4E9", "black"])
def test_the_ink_of_any_colour_has_the_contrast_of_wcag_aa(color):
    style = stratum_styles(["low"], palette=[color])["low"]
    assert 1.05 / (luminance(style.ink) + 0.05) >= 4.5
