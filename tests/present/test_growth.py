"""Time and memory on decades, read off the axes."""

import numpy as np
import pandas as pd
import pytest

from analysis import ONE_COLUMN, TWO_COLUMNS, InputError, figure_svg
from benchmarks.growth_figure import plot_growth


def growth(works=("Kaplan-Meier, 4 groups", "Log-rank", "Cox, 5 covariates"), tools=("this package", "lifelines")):
    """Linear growth, the second tool ten times slower and not finished at the end."""
    n = 10.0 ** np.arange(3, 8)
    frames = [
        pd.DataFrame(
            {
                "work": work,
                "tool": tool,
                "n": n,
                "seconds": n * 1e-7 * 10**place,
                "peak_mb": n * 2e-5 * (place + 1),
                "input_mb": n * 1e-5,
            }
        )
        for work in works
        for place, tool in enumerate(tools)
    ]
    found = pd.concat(frames, ignore_index=True)
    found.loc[(found["tool"] == "lifelines") & (found["n"] == 1e7), ["seconds", "peak_mb", "input_mb"]] = np.nan
    return found


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_words_do_not_collide_at_either_width(width, collisions):
    works = ("Cox",) if width == ONE_COLUMN else ("Kaplan-Meier, 4 groups", "Log-rank", "Cox, 5 covariates")
    assert collisions(plot_growth(growth(works), title="Growth", subtitle="On one machine", width=width)) == []


def test_lines_hold_the_values_and_end_where_a_tool_did_not_finish():
    figure = plot_growth(growth())
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    np.testing.assert_allclose(lines["this package"].get_ydata(), [1e-4, 1e-3, 1e-2, 0.1, 1])
    np.testing.assert_array_equal(lines["lifelines"].get_xdata(), [1e3, 1e4, 1e5, 1e6])
    below = {line.get_label(): line for line in figure.axes[3].lines}
    np.testing.assert_allclose(below["_three times"].get_ydata(), [0.03, 0.3, 3, 30, 300])
    assert [ax.get_xscale() + ax.get_yscale() for ax in figure.axes] == ["loglog"] * 6


def test_decades_are_written_in_words():
    figure = plot_growth(growth())
    axes = (figure.axes[0].yaxis, figure.axes[3].xaxis)
    written = [[tick.get_text() for tick in axis.get_ticklabels()] for axis in axes]
    assert written == [["100 µs", "1 ms", "10 ms", "100 ms", "1 s"], ["1k", "10k", "100k", "1M", "10M"]]


def test_the_same_frame_gives_the_same_bytes():
    assert figure_svg(plot_growth(growth()), alt="Growth.") == figure_svg(plot_growth(growth()), alt="Growth.")


def test_a_frame_without_a_column_is_refused():
    with pytest.raises(InputError, match="growth: no column peak_mb"):
        plot_growth(growth().drop(columns="peak_mb"))
    with pytest.raises(InputError, match="growth: no rows to draw"):
        plot_growth(growth().iloc[:0])
