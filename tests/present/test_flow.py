"""The flow of patients: every number in its box, boxes apart, strata in their colours."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest

from analysis import InputError, plot_flow
from analysis.present.style import stratum_styles


def flow(*rows: tuple[str, int, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["part", "n", "words"])


WHOLE = flow(
    ("stage", 1480, "patients"),
    ("excluded", 42, "without <marker> & more"),
    ("stage", 1438, "in a stratum"),
    ("stratum", 105, "low\nmg < 0.75\n79 events"),
    ("stratum", 1333, "high\nmg at least 0.75\n500 events"),
)


def boxes(figure):
    """Each box's corners in points, by the first line of its words."""
    (ax,) = figure.axes
    words = [text.get_text() for text in ax.texts if text.get_text()]
    return {text.split("\n")[0]: patch.get_bbox() for text, patch in zip(words, ax.patches, strict=True)}


def test_every_count_and_its_words_stand_in_a_box():
    texts = [text.get_text() for text in plot_flow(WHOLE).axes[0].texts if text.get_text()]
    assert texts == ["1,480\npatients", "42\nwithout <marker> & more", "1,438\nin a stratum",
                     "105\nlow\nmg < 0.75\n79 events", "1,333\nhigh\nmg at least 0.75\n500 events"]  # fmt: skip


def test_boxes_go_down_in_order_those_left_out_stand_aside_and_none_overlap():
    placed = boxes(plot_flow(WHOLE))
    assert placed["1,480"].y0 > placed["42"].y1 > placed["42"].y0 > placed["1,438"].y1 > placed["105"].y1
    middle = (placed["1,480"].x0 + placed["1,480"].x1) / 2
    assert placed["42"].x0 > middle
    assert placed["105"].x1 < placed["1,333"].x0


def test_strata_wear_their_colours():
    from matplotlib.colors import to_hex

    edges = [to_hex(patch.get_edgecolor()).upper() for patch in plot_flow(WHOLE).axes[0].patches[-2:]]
    styles = stratum_styles(["low", "high"])
    assert edges == [styles["low"].color, styles["high"].color]


def test_many_strata_keep_apart_by_saying_less():
    strata = [("stratum", 100, f"group {place}\nfrom one value to another value\n50 events") for place in range(6)]
    figure = plot_flow(flow(("stage", 600, "patients"), *strata))
    corners = [patch.get_bbox() for patch in figure.axes[0].patches[1:]]
    assert all(left.x1 < right.x0 for left, right in pairwise(corners))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("excluded", 1, "first")], "the first is a stage"),
        ([("stage", 2, "patients"), ("lost", 1, "gone")], r"found \['lost'\]"),
    ],
)
def test_a_flow_that_cannot_be_drawn_says_why(rows, told):
    with pytest.raises(InputError, match=told):
        plot_flow(flow(*rows))
