"""The curve of differences, read off its axes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import ONE_COLUMN, TWO_COLUMNS, InputError, plot_difference_curve

HORIZON = np.linspace(3.0, 48.0, 16)
CURVE = pd.DataFrame(
    {
        "horizon": HORIZON,
        "difference": HORIZON / 6,
        "conf_low": HORIZON / 12,
        "conf_high": HORIZON / 4,
        "band_low": HORIZON / 24,
        "band_high": HORIZON / 3.5,
    }
)


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize("sign", [1, -1])
def test_no_words_collide_at_either_width(width, sign, collisions):
    curve = CURVE.assign(**{name: sign * CURVE[name] for name in CURVE if name != "horizon"})
    figure = plot_difference_curve(
        curve, truth={12.0: 2.1 * sign}, width=width, title="Overall survival", subtitle="in a cohort", synthetic=True
    )
    assert collisions(figure) == []


def test_estimate_limits_and_targets_are_where_the_frame_says():
    axes = plot_difference_curve(CURVE, truth={12.0: 2.1, 24.0: 4.0}).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(lines["difference"].get_ydata(), CURVE["difference"])
    np.testing.assert_array_equal(lines["_conf_low"].get_ydata(), CURVE["conf_low"])
    assert list(lines["target"].get_xdata()) == [12.0, 24.0]
    assert lines["target"].get_markerfacecolor() == "white"
    band = axes.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(CURVE["band_high"].max())


def test_without_truth_no_target_is_named():
    figure = plot_difference_curve(CURVE, sides=("high", "low"), time_unit="days")
    assert "target" not in " ".join(text.get_text() for text in figure.texts)
    assert figure.axes[0].get_ylabel() == "Days lived: high less low"


@pytest.mark.parametrize(
    ("curve", "words"), [(CURVE.drop(columns="band_low"), "no column band_low"), (CURVE.iloc[:0], "no rows to draw")]
)
def test_frames_that_cannot_be_drawn_are_refused(curve, words):
    with pytest.raises(InputError, match=words):
        plot_difference_curve(curve)
