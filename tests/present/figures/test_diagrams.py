"""The flow of patients and the causal diagram: every number in its box, boxes apart, arrows around them."""

import re
from itertools import pairwise

import pandas as pd
import pytest

from analysis import InputError, plot_causes, plot_flow
from analysis.present.canvas import figure_style, stratum_styles
from analysis.present.canvas.measuring import text_size
from tests.present.reading import assert_drawn_as_it_is, assert_drawn_on_axes, assert_laid_out, words


def flow(*rows):
    return pd.DataFrame(list(rows), columns=["part", "n", "words"])


WHOLE = flow(
    ("stage", 1480, "patients"),
    ("excluded", 42, "without <marker> & more"),
    ("stage", 1438, "in a stratum"),
    ("stratum", 105, "low\nmg < 0.75\n79 events"),
    ("stratum", 1333, "high\nmg at least 0.75\n500 events"),
)


NODES = pd.DataFrame(
    [("tumour\nburden", 0, 2), ("inflammation", 0, 0), ("magnesium", 1, 1), ("progression", 2, 2), ("death", 2, 0)],
    columns=["name", "x", "y"],
)


ARROWS = pd.DataFrame(
    [
        ("tumour\nburden", "magnesium", -1, False),
        ("inflammation", "magnesium", 0, False),
        ("tumour\nburden", "death", 1, False),
        ("magnesium", "progression", -1, True),
        ("progression", "death", 1, False),
    ],
    columns=["cause", "effect", "sign", "planted"],
)


def test_pages(collisions):
    for draw in (lambda **page: plot_flow(WHOLE, **page), lambda **page: plot_causes(ARROWS, NODES, **page)):
        assert_laid_out(draw, collisions)
        assert_drawn_on_axes(draw)


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


def unwrapped(text: str) -> str:
    """Words without the line ends that wrapping put between them."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("n", [2, 3, 6, 12])
@pytest.mark.parametrize("label", ["group", "a group whose label says a good deal of it", "W" * 60])
def test_boxes_keep_apart_and_every_word_stands_in_them_however_long(n, label):
    """Interval, events and losses are never left out: the caption says that nobody is left out in silence."""
    lines = "from one value to another value\nOverall survival: 941 events (17 without a time or event)"
    strata = [("stratum", 100 * place, f"{label} {place}\n{lines}") for place in range(n)]
    left_out = ("excluded", 38, f"without {label}")
    figure = plot_flow(flow(("stage", 600, label), left_out, *strata))
    (ax,) = figure.axes
    corners = [patch.get_bbox() for patch in ax.patches]
    assert all(left.x1 < right.x0 for left, right in pairwise(corners[2:]))
    assert all(box.x0 >= 0 and box.x1 <= ax.get_xlim()[1] for box in corners)
    words = [unwrapped(text.get_text()) for text in ax.texts if text.get_text()]
    assert words[:2] == [unwrapped(f"600{label}"), unwrapped(f"38without {label}")]
    assert words[2:] == [unwrapped(f"{count:,}{text}") for _, count, text in strata]
    for text, patch in zip([text for text in ax.texts if text.get_text()], ax.patches, strict=True):
        with figure_style():
            wide, high = text_size(figure, text.get_text())
        assert wide <= patch.get_bbox().width + 1e-6
        assert high <= patch.get_bbox().height + 1e-6


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("excluded", 1, "first")], "the first is a stage"),
        ([("stage", 2, "patients"), ("lost", 1, "gone")], r"found \['lost'\]"),
    ],
)
def test_a_flow_that_cannot_be_drawn_says_why(rows, message):
    with pytest.raises(InputError, match=message):
        plot_flow(flow(*rows))


def test_causes_highlight_the_planted_effect_and_run_around_boxes():
    figure = plot_causes(ARROWS, NODES)
    text = words(figure)
    assert text.count("planted −") == 1
    assert text.count("±") == 1
    heavy = [line.get_label() for line in figure.axes[0].lines if line.get_linewidth() > 1.5]
    assert heavy == ["_magnesium to progression"]


def test_an_arrow_to_nowhere_is_refused():
    with pytest.raises(InputError, match="arrows name 'nowhere', which no row of nodes places"):
        plot_causes(ARROWS.replace("death", "nowhere"), NODES)


def test_a_hostile_node(hostile, tmp_path):
    figure = plot_causes(ARROWS.replace("death", hostile), NODES.replace("death", hostile))
    assert_drawn_as_it_is(hostile, figure, tmp_path)
