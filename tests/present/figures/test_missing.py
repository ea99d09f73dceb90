"""Missing values and the delta adjustment of imputed ones, read off the axes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import InputError, plot_missing, plot_shifts
from tests.present.reading import assert_drawn_as_it_is, assert_drawn_on_axes, assert_laid_out, lines, words

MISSING = pd.DataFrame(
    {
        "column": ["albumin", "albumin", "C-reactive protein (mg/L)", "C-reactive protein (mg/L)", "age", "age"],
        "whom": ["censored", "event"] * 3,
        "n": [178, 302] * 3,
        "n_missing": [10, 32, 1, 40, 0, 0],
        "share": [10 / 178, 32 / 302, 1 / 178, 40 / 302, 0, 0],
    }
)


SHIFTS = pd.DataFrame(
    {"shift": [0.1, -0.1, 0.0], "hazard_ratio": [1.1, 1.3, 1.2], "conf_low": [0.9, 1.05, 1.0], "conf_high": 1.5}
)


BESIDE = pd.DataFrame(
    [("complete rows", "crude", 1.11), ("target", "truth", 1.4), ("unknown", "truth", np.nan)],
    columns=["label", "kind", "hazard_ratio"],
)


def test_pages(collisions):
    assert_laid_out(lambda **page: plot_missing(MISSING, **page), collisions)
    assert_laid_out(lambda **page: plot_shifts(SHIFTS, beside=BESIDE, **page), collisions)
    assert_drawn_on_axes(lambda **page: plot_missing(MISSING, **page))
    assert_drawn_on_axes(lambda **page: plot_shifts(SHIFTS, beside=BESIDE, **page))


def test_missing_leaves_complete_columns_out_and_counts_the_others():
    figure = plot_missing(MISSING)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["albumin", "C-reactive protein (mg/L)"]
    assert {"10.6% (32 of 302)", "0.6% (1 of 178)"} <= set(words(figure))
    assert [bar.get_width() for bar in figure.axes[0].patches] == MISSING["share"].tolist()[:4]


def test_hostile_labels(hostile, tmp_path):
    figure = plot_missing(MISSING.assign(whom=hostile, column=hostile).head(1))
    assert_drawn_as_it_is(hostile, figure, tmp_path, times=2)


def test_shifts_in_order_with_lines_beside_and_names_at_their_ends():
    figure = plot_shifts(SHIFTS, beside=BESIDE, y_label="Hazard ratio per 0.1 mmol/L lower")
    drawn = lines(figure.axes[0])
    assert_allclose(drawn["_imputed"].get_xydata(), [[-0.1, 1.3], [0, 1.2], [0.1, 1.1]])
    assert_allclose(drawn["_complete rows"].get_ydata(), [1.11, 1.11])
    assert "_unknown" not in drawn
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["−0.1", "0", "+0.1"]
    assert ax.get_yscale() == "log"
    assert set(words(figure)) == {"imputed", "complete rows", "target"}
    heights = sorted(text.xy[1] * 58 * 72 / 25.4 for text in ax.texts)
    assert (np.diff(heights) > 7).all()  # points: names of 1.10 and 1.11 stand apart


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_missing(MISSING.head(0)), "missing: no rows to draw"),
        (lambda: plot_shifts(SHIFTS.drop(columns="shift")), "estimates: no column shift"),
        (lambda: plot_shifts(SHIFTS.iloc[:0]), "estimates: no rows to draw"),
        (lambda: plot_shifts(SHIFTS, beside=BESIDE.drop(columns="kind")), "beside: no column kind"),
    ],
)
def test_frames_that_cannot_be_drawn_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
