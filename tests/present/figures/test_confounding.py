"""Overlap and the bias of an unmeasured confounder, read off their axes."""

import numpy as np
import pandas as pd
import pytest

from analysis import InputError, plot_confounder_bias, plot_overlap
from tests.present.reading import assert_drawn_on_axes, assert_laid_out

STRENGTHS = np.linspace(1, 4, 31)


def bias(ratio):
    """What a confounder of each strength leaves of a ratio, by the formula."""
    rows = [(a, b, ratio * (a + b - 1) / (a * b)) for a in STRENGTHS for b in STRENGTHS]
    return pd.DataFrame(rows, columns=["with_exposure", "with_outcome", "risk_ratio"])


def overlap():
    rng = np.random.default_rng(1)
    parts = [
        pd.DataFrame(
            {"stratum": name, "member": np.arange(80) < 30, "probability": rng.beta(2 + 2 * (np.arange(80) < 30), 4)}
        )
        for name in ("low", "reference", "high")
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(stratum=pd.Categorical(table["stratum"], categories=["low", "reference", "high"]))


def test_pages(collisions):
    assert_laid_out(lambda **page: plot_overlap(overlap(), **page), collisions)
    marks = [("E-value", 2.01), ("of the limit", 1.43)]
    assert_laid_out(
        lambda **page: plot_confounder_bias(bias(1.34), limit=bias(1.1), e_values=marks, **page), collisions
    )
    assert_drawn_on_axes(lambda **page: plot_confounder_bias(bias(1.34), **page))


def test_overlap_is_of_shares_members_up_and_others_down():
    figure = plot_overlap(overlap())
    for ax in figure.axes:
        heights = np.array([patch.get_height() for patch in ax.patches])
        assert heights[heights > 0].sum() == pytest.approx(1)
        assert heights[heights < 0].sum() == pytest.approx(-1)


def test_the_boundary_is_where_the_ratio_reaches_one():
    ax = plot_confounder_bias(bias(1.5)).axes[0]
    (line,) = [line for line in ax.lines if line.get_label() == "_boundary"]
    a, b = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert np.allclose(a * b / (a + b - 1), 1.5, rtol=0.01)


def test_a_ratio_below_one_has_its_boundary_too():
    table = bias(1.0).assign(risk_ratio=lambda frame: 0.6 / frame["risk_ratio"])
    lines = [line.get_label() for line in plot_confounder_bias(table).axes[0].lines]
    assert lines.count("_boundary") == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_overlap(overlap().head(0)), "propensity: no rows to draw"),
        (lambda: plot_confounder_bias(bias(1.5).drop(columns="risk_ratio")), "bias: no column risk_ratio"),
        (lambda: plot_confounder_bias(bias(1.5).head(5)), "needs a risk ratio for every pair"),
    ],
)
def test_frames_that_cannot_be_drawn(call, message):
    with pytest.raises(InputError, match=message):
        call()
