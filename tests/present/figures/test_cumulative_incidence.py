"""Curves of cumulative incidence, read off the axes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import InputError
from analysis.present.figures import plot_cumulative_incidence


def curves() -> pd.DataFrame:
    """Two strata, two causes; the incidence of a cause steps up at 6 and at 12."""
    steps = {("low", "relapse"): (0.3, 0.6), ("low", "death"): (0.1, 0.2), ("high", "relapse"): (0.2, 0.3),
             ("high", "death"): (0.05, 0.1)}  # fmt: skip
    rows = [
        (stratum, cause, time, share, max(share - 0.05, 0), share + 0.05 * (share > 0), n_risk)
        for (stratum, cause), (first, second) in steps.items()
        for time, share, n_risk in ((0.0, 0.0, 40), (6.0, first, 30), (12.0, second, 20))
    ]
    names = ["stratum", "cause", "time", "incidence", "conf_low", "conf_high", "n_risk"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(stratum=pd.Categorical(frame["stratum"], ["low", "high"]),
                        cause=pd.Categorical(frame["cause"], ["relapse", "death"]))  # fmt: skip


@pytest.mark.parametrize("width", [174.0, 85.0])
def test_a_panel_a_cause_and_a_curve_a_stratum(width: float) -> None:
    """What is drawn is what the frame holds, on one scale, whichever way the panels stand."""
    figure = plot_cumulative_incidence(curves(), width=width)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["relapse", "death"]
    assert {ax.get_ylim() for ax in figure.axes} == {(0.0, 0.75)}
    drawn = {
        (line.get_label(), ax.get_title(loc="left")): np.asarray(line.get_ydata())
        for ax in figure.axes
        for line in ax.lines
    }
    assert drawn["low", "relapse"].tolist() == [0.0, 0.3, 0.6]
    assert drawn["high", "death"].tolist() == [0.0, 0.05, 0.1]


def test_names_stand_at_the_ends_of_the_curves() -> None:
    """The words of each stratum stand at the height of its curve's end, by the scale of the axis."""
    figure = plot_cumulative_incidence(curves(), descriptions={"low": "< 0.75 mmol/L"})
    last = figure.axes[-1]
    words = {text.get_text(): text.get_window_extent() for text in last.texts if text.get_text()}
    assert list(words) == ["low", "< 0.75 mmol/L", "high"]
    box = last.get_window_extent()
    middle = (words["high"].y0 + words["high"].y1) / 2
    assert (middle - box.y0) / box.height == pytest.approx(0.1 / 0.75, abs=0.06)
    assert not [text for text in figure.axes[0].texts if text.get_text()]


def test_the_axis_ends_where_asked() -> None:
    """Later steps are cut off, and the last is carried to the end."""
    figure = plot_cumulative_incidence(curves(), horizon=9.0)
    assert figure.axes[0].get_xlim() == (0.0, 9.0)
    first = next(line for line in figure.axes[0].lines if line.get_label() == "low")
    assert np.asarray(first.get_xdata()).tolist() == [0.0, 6.0, 9.0]


def test_a_frame_without_a_cause_says_so() -> None:
    """The missing column is named."""
    with pytest.raises(InputError, match="cause"):
        plot_cumulative_incidence(curves().drop(columns="cause"))
