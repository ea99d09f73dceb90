"""Effects over time, read off the axes."""

import numpy as np
import pandas as pd
import pytest

from analysis import InputError, plot_difference_curve, plot_hazard_ratio_over_time
from tests.present.reading import assert_drawn_as_it_is, assert_drawn_on_axes, assert_laid_out

SMOOTH = pd.DataFrame({"time": np.linspace(1, 40, 20), "coefficient": 0.3, "conf_low": -0.1, "conf_high": 0.7})


RESIDUALS = pd.DataFrame({"time": np.linspace(1, 40, 200), "value": np.r_[np.linspace(-2, 2, 199), 90.0]})


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


def over_time(**options):
    return plot_hazard_ratio_over_time(SMOOTH, RESIDUALS, constant=0.25, term="a long name", **options)


@pytest.mark.parametrize("sign", [1, -1])
def test_pages(sign, collisions):
    curve = CURVE.assign(**{name: sign * CURVE[name] for name in CURVE if name != "horizon"})
    assert_laid_out(lambda **page: plot_difference_curve(curve, truth={12.0: 2.1 * sign}, **page), collisions)
    assert_laid_out(over_time, collisions)
    assert_drawn_on_axes(over_time)


def test_hazard_ratio_over_time_shows_smooth_band_and_constant():
    ax = plot_hazard_ratio_over_time(SMOOTH, RESIDUALS, constant=0.25, term="x", time_unit="weeks").axes[0]
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["smooth"].get_ydata().tolist() == SMOOTH["coefficient"].tolist()
    assert lines["constant"].get_ydata()[0] == 0.25
    assert ax.get_xlabel() == "Weeks"
    assert ax.get_ylim()[1] < 90
    assert any("residuals lie beyond the axis" in text.get_text() for text in ax.texts)
    assert any("HR 1.28" in text.get_text() for text in ax.texts)


def test_a_hostile_term(hostile, tmp_path):
    figure = plot_hazard_ratio_over_time(SMOOTH, RESIDUALS, constant=0.2, term=hostile)
    assert_drawn_as_it_is(hostile, figure, tmp_path)


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
    ("call", "message"),
    [
        (lambda: plot_difference_curve(CURVE.drop(columns="band_low")), "no column band_low"),
        (lambda: plot_difference_curve(CURVE.iloc[:0]), "no rows to draw"),
        (lambda: plot_hazard_ratio_over_time(SMOOTH, RESIDUALS[["time"]], constant=0), "residuals: no column value"),
    ],
)
def test_frames_that_cannot_be_drawn_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
