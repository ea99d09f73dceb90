"""Steps, bands, censoring and the numbers under them, read off the axes."""

import warnings

import numpy as np
import pytest
from matplotlib.colors import to_hex

from analysis import ONE_COLUMN, plot_survival
from analysis.present.canvas import DIMMED, stratum_styles
from tests.present.reading import words

TWO = ["low", "reference"]
THREE = [*TWO, "high"]


def named(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


def test_curves_are_steps_in_the_colours_of_their_strata(make_curves):
    curves = make_curves(THREE)
    ax = plot_survival(curves).axes[0]
    for label, style in stratum_styles(THREE).items():
        (line,) = named(ax, label)
        mine = curves[curves["stratum"] == label]
        assert line.get_drawstyle() == "steps-post"
        assert to_hex(line.get_color()).upper() == style.color.upper()
        assert line.get_xdata().tolist() == mine["time"].tolist()[: len(line.get_xdata())]
        assert line.get_ydata().tolist() == mine["survival"].tolist()[: len(line.get_ydata())]


def test_a_curve_is_pale_from_where_fewer_than_ten_remain(make_curves):
    curves = make_curves(["low"])
    ax = plot_survival(curves).axes[0]
    (full,), (pale,) = named(ax, "low"), named(ax, "_low, few")
    last_with_ten = curves.loc[curves["n_risk"] >= 10, "time"].max()
    assert full.get_xdata()[-1] == pale.get_xdata()[0] == last_with_ten
    assert full.get_alpha() == 1
    assert pale.get_alpha() == DIMMED


def test_a_small_stratum_is_pale_from_the_start(make_curves):
    curves = make_curves(["low"])
    ax = plot_survival(curves[curves["n_risk"] < 10].assign(time=lambda rows: rows["time"] - rows["time"].min())).axes[
        0
    ]
    assert len(named(ax, "_low, few")[0].get_xdata()) == 9


def test_censoring_is_marked_where_it_was(make_curves):
    curves = make_curves(["low"])
    (marks,) = named(plot_survival(curves).axes[0], "_low, censored")
    assert marks.get_xdata().tolist() == curves.loc[curves["n_censor"] > 0, "time"].tolist()


def test_bands_are_steps_between_the_limits(make_curves):
    curves = make_curves(["low"])
    ax = plot_survival(curves).axes[0]
    corners = np.vstack([path.vertices for band in ax.collections for path in band.get_paths()])
    assert corners[:, 1].min() == pytest.approx(curves["conf_low"].min())
    assert corners[:, 1].max() == pytest.approx(curves["conf_high"].max())


def under_ticks(ax):
    """The numbers under the axis by stratum's baseline from the top: time to text."""
    rows = {}
    for text in ax.texts:
        if text.get_horizontalalignment() == "center":
            rows.setdefault(text.xyann[1], {})[float(text.xy[0])] = text.get_text()
    return [rows[depth] for depth in sorted(rows, reverse=True)]


@pytest.mark.parametrize(
    ("risk_rows", "entry"),
    [("at_risk", "{n_risk}"), ("at_risk_events", "{n_risk} ({n_event})")],
)
def test_one_row_a_stratum_stands_under_the_ticks(make_curves, make_risk, risk_rows, entry):
    curves = make_curves(TWO)
    risk = make_risk(curves, (0, 12, 24, 36, 48))
    ax = plot_survival(curves, risk=risk, risk_rows=risk_rows).axes[0]
    expected = [
        {row["time"]: entry.format(**row) for row in risk[risk["stratum"] == label].to_dict("records")} for label in TWO
    ]
    assert under_ticks(ax) == expected
    assert ("At risk" if risk_rows == "at_risk" else "At risk (events)") in words(ax.figure)


def test_a_lone_stratum_has_its_row_without_a_name(make_curves, make_risk):
    curves = make_curves(["all"])
    ax = plot_survival(curves, risk=make_risk(curves, (0, 24, 48))).axes[0]
    assert len(under_ticks(ax)) == 1
    assert [text.get_text() for text in ax.texts if text.get_horizontalalignment() == "right"] == ["At risk"]


def test_three_rows_stand_under_the_ticks_as_kmunicate_has_them(make_curves, make_risk):
    curves = make_curves(TWO)
    risk = make_risk(curves, (0, 12, 24, 36, 48))
    ax = plot_survival(curves, risk=risk, risk_rows="kmunicate").axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "12", "24", "36", "48"]
    under = [text for text in ax.texts if text.get_horizontalalignment() == "center"]
    for column in ("n_risk", "n_censor", "n_event"):
        for row in risk.to_dict("records"):
            found = [text for text in under if text.xy[0] == row["time"] and text.get_text() == str(row[column])]
            assert found, (column, row)
    assert len(under_ticks(ax)) == 6
    assert words(ax.figure).count("Censored") == words(ax.figure).count("Events") == 2


def test_columns_of_the_risk_table_are_thinned_with_their_ticks(make_curves, make_risk, collisions):
    curves = make_curves(TWO).assign(n_risk=lambda rows: rows["n_risk"] * 1000)
    risk = make_risk(curves, range(0, 49, 3)).assign(n_risk=12345)
    figure = plot_survival(curves, risk=risk, width=ONE_COLUMN)
    times = {text.xy[0] for text in figure.axes[0].texts if text.get_text() == "12,345"}
    assert times == set(figure.axes[0].get_xticks())
    assert 1 < len(times) < 17
    assert collisions(figure) == []


def test_undefined_limits_at_the_end_are_drawn_without_a_band(make_curves):
    curves = make_curves(["low", "high"])
    curves.loc[curves["survival"] < 0.2, ["conf_low", "conf_high"]] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plot_survival(curves)
        figure.draw_without_rendering()
    assert len(figure.axes[0].collections) >= 2
