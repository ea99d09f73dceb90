"""What a figure shows, read off its axes, and what every figure must hold to."""

import matplotlib as mpl
import numpy as np
import pytest

from analysis import ONE_COLUMN, TWO_COLUMNS
from analysis.present.canvas.layout import SYNTHETIC_MARK

WIDTHS = (ONE_COLUMN, TWO_COLUMNS)


def words(figure):
    """Every text on the axes and on the page."""
    return [text.get_text() for ax in figure.axes for text in ax.texts] + [text.get_text() for text in figure.texts]


def lines(ax):
    """The lines of some axes by their label."""
    return {line.get_label(): line for line in ax.lines}


def assert_laid_out(draw, collisions):
    """At both widths no words collide, the heading is there, and matplotlib is left as it was."""
    before, drawn = dict(mpl.rcParams), np.random.get_state()[1].tolist()  # noqa: NPY002
    for width in WIDTHS:
        figure = draw(width=width, title="A title", subtitle="and what it rests on", synthetic=True)
        assert collisions(figure) == []
        assert figure.get_figwidth() * 25.4 == pytest.approx(width)
        assert {SYNTHETIC_MARK, "A title"} <= set(words(figure))
    assert SYNTHETIC_MARK not in words(draw())
    assert dict(mpl.rcParams) == before
    assert np.random.get_state()[1].tolist() == drawn  # noqa: NPY002


def assert_drawn_as_it_is(label, figure, path, times=1):
    """A label that breaks what does not escape is read whole on the figure, and the figure can be saved."""
    seen = [text.get_text().replace("\n", " ") for text in figure.findobj(mpl.text.Text)]
    assert sum(label in text for text in seen) >= times
    figure.savefig(path / "a.svg")


def assert_drawn_on_axes(draw):
    """Axes of another figure are drawn on and headed; nothing else of that figure changes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5))
    ax = figure.subplots()
    assert draw(ax=ax, title="A title", synthetic=True) is figure
    assert figure.get_size_inches().tolist() == [8, 5]
    assert ax.get_title(loc="left") == "A title"
    assert SYNTHETIC_MARK in words(figure)
