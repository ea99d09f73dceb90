"""Cut-points through a panel: their lines, values, sources and ranges, read off the axes."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from analysis.present.canvas import cut_lines
from analysis.present.canvas.layout import new_figure

CUTS = pd.DataFrame(
    {
        "edge": [0.75, 0.76, 0.95, 0.79],
        "label": ["0.75 mmol/L", "0.76 mmol/L", "0.95 mmol/L", "0.79 mmol/L"],
        "source": ["a survey", "a society", "a survey", "a paper"],
        "searched": [False, False, False, True],
        "used": [True, False, True, False],
    }
)


@pytest.fixture
def ax():
    (axes,) = new_figure(174.0).axes
    axes.set_xlim(0.5, 1.1)
    return axes


def test_lines_are_solid_in_use_dotted_when_searched_dashed_otherwise(ax):
    cut_lines.draw_cuts(ax, CUTS)
    assert [line.get_xdata()[0] for line in ax.lines] == CUTS["edge"].tolist()
    dashes = [cut_lines.cut_line(row) for row in CUTS.to_dict("records")]
    assert dashes == [cut_lines.USED, cut_lines.PUBLISHED, cut_lines.USED, cut_lines.SEARCHED]
    assert cut_lines.cut_line({"searched": True, "used": True}) == cut_lines.SEARCHED


def test_values_stand_over_their_edges_and_apart(ax):
    cut_lines.write_edges(ax, CUTS)
    texts = sorted((text for text in ax.texts if text.get_text()), key=lambda text: text.xy[0])
    assert [text.get_text() for text in texts] == ["0.75", "0.76", "0.79", "0.95"]
    boxes = [text.get_window_extent() for text in texts]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert (boxes[-1].x0 + boxes[-1].x1) / 2 == pytest.approx(ax.transData.transform((0.95, 0))[0], abs=1)


def test_each_source_is_named_once_those_in_use_first(ax):
    cut_lines.write_sources(ax, CUTS, reached=(0.5, 1.1))
    words = [text.get_text() for text in ax.texts if text.get_text()]
    assert words == ["0.75 mmol/L, 0.95 mmol/L: a survey", "0.76 mmol/L: a society", "0.79 mmol/L: a paper"]


def test_a_source_says_which_of_its_edges_no_value_reaches(ax):
    cut_lines.write_sources(ax, CUTS, reached=(0.5, 0.9))
    words = [text.get_text() for text in ax.texts if text.get_text()]
    assert words[0] == "0.75 mmol/L, 0.95 mmol/L (beyond all values): a survey"


def test_edges_are_drawn_once_and_only_among_the_values():
    cuts = pd.DataFrame({"edge": [0.699, 0.7, 0.75, 1.1], "label": ["0.699", "0.7", "0.75", "1.1"], "used": False})
    assert cut_lines.cuts_within(cuts, 0.5, 1.05)["label"].tolist() == ["0.7", "0.75"]
    in_use = cuts.assign(used=[True, False, False, True])
    assert cut_lines.cuts_within(in_use, 0.5, 1.2)["label"].tolist() == ["0.699", "0.75", "1.1"]
    assert len(cut_lines.cuts_within(cuts, 0.69, 0.71)) == 2


@pytest.mark.parametrize(
    ("cut", "ends", "expected"),
    [(0.78, (0.69, 0.9), "cut: 0.78 (0.69 to 0.90)"), (0.5, (0.5, 0.52), "cut: 0.50 (0.50 to 0.52)"),
     (1.1, (np.nan, np.nan), "cut: 1.1")],
)  # fmt: skip
def test_a_searched_cut_is_named_within_the_axes(ax, cut, ends, expected):
    cut_lines.draw_searched(ax, cut, ends, lane=0.9)
    cut_lines.name_searched(ax, "cut", cut, ends, lane=0.9)
    (text,) = ax.texts
    assert text.get_text() == expected
    box, inside = text.get_window_extent(), ax.get_window_extent()
    assert inside.x0 <= box.x0 + 1
    assert box.x1 <= inside.x1 + 1
    ranges = [line.get_xdata() for line in ax.lines if line.get_label() == "_searched, range"]
    assert [tuple(ends_drawn) for ends_drawn in ranges] == ([ends] if np.isfinite(ends).all() else [])


def test_a_histogram_says_how_many_it_shows(ax):
    values = np.r_[np.linspace(0.6, 1.0, 50), 1e6]
    cut_lines.draw_histogram(ax, values)
    assert len(ax.patches) <= cut_lines.MOST_BINS
    assert sum(bar.get_height() for bar in ax.patches) == 51
    cut_lines.write_count(ax, 1441, [0.75])
    assert [text.get_text() for text in ax.texts] == ["n = 1,441"]
