"""Simulation-extrapolation and influence, read off the axes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import InputError, plot_extrapolation, plot_influence
from tests.present.reading import assert_drawn_on_axes, assert_laid_out, lines, words

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


def test_pages(collisions):
    for draw in (
        lambda **page: plot_extrapolation(POINTS, PATH, **page),
        lambda **page: plot_influence(INFLUENCE, bound=0.3, **page),
    ):
        assert_laid_out(draw, collisions)
        assert_drawn_on_axes(draw)


def test_the_curve_is_dashed_where_nothing_was_observed():
    figure = plot_extrapolation(POINTS, PATH)
    parts = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 5]
    solid, dashed = sorted(parts, key=lambda line: line.get_linestyle() != "-")
    assert (solid.get_xdata() >= 1).all()
    assert (dashed.get_xdata() <= 1).all()
    assert dashed.get_linestyle() == "--"
    assert_allclose(lines(figure.axes[0])["corrected"].get_xydata(), [[0, 1.4]])
    assert lines(figure.axes[0])["target, true value"].get_xdata()[0] > 0  # a little aside of the interval
    assert {"corrected", "as measured", "target, true value"} <= set(words(figure))


def test_the_farthest_patients_are_named():
    figure = plot_influence(INFLUENCE, bound=0.3, n_named=1)
    assert [text for text in words(figure) if text.startswith("P")] == ["P07"]
    drawn = lines(figure.axes[0])
    assert len(drawn["event"].get_xdata()) == len(drawn["censored"].get_xdata()) == 20
    levels = [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_label() == "_bound"]
    assert levels == [-0.3, 0.3]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_extrapolation(POINTS.drop(columns="kind"), PATH), "points: no column kind"),
        (lambda: plot_extrapolation(POINTS, PATH.iloc[:0]), "path: no rows to draw"),
        (lambda: plot_influence(INFLUENCE.drop(columns="event")), "influence: no column event"),
    ],
)
def test_frames_that_cannot_be_drawn_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
