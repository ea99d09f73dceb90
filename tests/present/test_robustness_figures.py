"""Shifts, extrapolation and influence, read off their axes."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import ONE_COLUMN, TWO_COLUMNS, InputError, plot_extrapolation, plot_influence, plot_shifts
from analysis.present.canvas.layout import SYNTHETIC_MARK

SHIFTS = pd.DataFrame(
    {"shift": [0.1, -0.1, 0.0], "hazard_ratio": [1.1, 1.3, 1.2], "conf_low": [0.9, 1.05, 1.0], "conf_high": 1.5}
)
BESIDE = pd.DataFrame(
    [("complete rows", "crude", 1.11), ("target", "truth", 1.4), ("unknown", "truth", np.nan)],
    columns=["label", "kind", "hazard_ratio"],
)
POINTS = pd.DataFrame(
    [
        (0.0, "corrected", "extrapolated", 1.4, 1.1, 1.8),
        (1.0, "as measured", "measured", 1.3, 1.1, 1.6),
        (2.0, "", "simulated", 1.22, np.nan, np.nan),
        (0.0, "target, true value", "truth", 1.38, np.nan, np.nan),
    ],
    columns=["error_variance", "label", "kind", "hazard_ratio", "conf_low", "conf_high"],
)
PATH = pd.DataFrame({"error_variance": np.linspace(0, 2, 21)}).assign(
    hazard_ratio=lambda rows: np.exp(0.34 - 0.08 * rows["error_variance"])
)
INFLUENCE = pd.DataFrame(
    {
        "name": [f"P{k:02d}" for k in range(40)],
        "event": np.arange(40) % 2,
        "value": np.linspace(0.5, 1.1, 40),
        "standardised": 0.1 * np.sin(np.arange(40)),
    }
).assign(standardised=lambda rows: rows["standardised"].where(rows.index != 7, -0.6))


def draw(name, **options):
    if name == "shifts":
        return plot_shifts(SHIFTS, beside=BESIDE, **options)
    if name == "extrapolation":
        return plot_extrapolation(POINTS, PATH, **options)
    return plot_influence(INFLUENCE, bound=0.3, **options)


def words(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts] + [text.get_text() for text in figure.texts]


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].lines}


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize("name", ["shifts", "extrapolation", "influence"])
def test_width_marks_and_settings(name, width):
    before = dict(mpl.rcParams)
    figure = draw(name, width=width, synthetic=True, title="A title", subtitle="and more")
    assert figure.get_figwidth() * 25.4 == pytest.approx(width)
    assert {SYNTHETIC_MARK, "A title", "and more"} <= set(words(figure))
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", ["shifts", "extrapolation", "influence"])
def test_on_axes_given(name):
    from matplotlib.figure import Figure

    figure = Figure()
    ax = figure.subplots()
    assert draw(name, ax=ax, title="A title") is figure
    assert ax.get_title(loc="left") == "A title"


def test_shifts_in_order_with_lines_beside_and_names_at_their_ends():
    figure = draw("shifts", y_label="Hazard ratio per 0.1 mmol/L lower")
    drawn = lines(figure)
    assert_allclose(drawn["_imputed"].get_xydata(), [[-0.1, 1.3], [0, 1.2], [0.1, 1.1]])
    assert_allclose(drawn["_complete rows"].get_ydata(), [1.11, 1.11])
    assert "_unknown" not in drawn
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["−0.1", "0", "+0.1"]
    assert ax.get_yscale() == "log"
    assert set(words(figure)) == {"imputed", "complete rows", "target"}
    heights = sorted(text.xy[1] * 58 * 72 / 25.4 for text in ax.texts)
    assert (np.diff(heights) > 7).all()  # points: names of 1.10 and 1.11 stand apart


def test_the_curve_is_dashed_where_nothing_was_observed():
    figure = draw("extrapolation")
    parts = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 5]
    solid, dashed = sorted(parts, key=lambda line: line.get_linestyle() != "-")
    assert (solid.get_xdata() >= 1).all()
    assert (dashed.get_xdata() <= 1).all()
    assert dashed.get_linestyle() == "--"
    assert_allclose(lines(figure)["corrected"].get_xydata(), [[0, 1.4]])
    assert lines(figure)["target, true value"].get_xdata()[0] > 0  # a little aside of the interval
    assert {"corrected", "as measured", "target, true value"} <= set(words(figure))


def test_the_farthest_patients_are_named():
    figure = plot_influence(INFLUENCE, bound=0.3, n_named=1)
    assert [text for text in words(figure) if text.startswith("P")] == ["P07"]
    drawn = lines(figure)
    assert len(drawn["event"].get_xdata()) == len(drawn["censored"].get_xdata()) == 20
    levels = [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_label() == "_bound"]
    assert levels == [-0.3, 0.3]


@pytest.mark.parametrize(
    ("function", "frames", "message"),
    [
        (plot_shifts, [SHIFTS.drop(columns="shift")], r"estimates: no column shift"),
        (plot_shifts, [SHIFTS.iloc[:0]], r"estimates: no rows to draw"),
        (plot_extrapolation, [POINTS.drop(columns="kind"), PATH], r"points: no column kind"),
        (plot_extrapolation, [POINTS, PATH.iloc[:0]], r"path: no rows to draw"),
        (plot_influence, [INFLUENCE.drop(columns="event")], r"influence: no column event"),
    ],
)
def test_frames_that_cannot_be_drawn(function, frames, message):
    with pytest.raises(InputError, match=message):
        function(*frames)


def test_lines_beside_need_their_columns():
    with pytest.raises(InputError, match=r"beside: no column kind"):
        plot_shifts(SHIFTS, beside=BESIDE.drop(columns="kind"))
