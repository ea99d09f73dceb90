"""Survival figures, read off their axes."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from analysis import InputError, breaks_for, plot_adjusted, plot_follow_up, plot_survival
from analysis.present.canvas.layout import SYNTHETIC_MARK
from tests.present.reading import WIDTHS, assert_drawn_on_axes, words

LONG = "patients with a serum magnesium below the lower limit of the laboratory"
LABELS = {
    1: ["all"],
    2: ["low", "reference"],
    3: ["low", "reference", "high"],
    4: ["lowest quarter", LONG, "third quarter", "highest quarter"],
}


def named(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("n", LABELS)
def test_no_words_collide_or_leave_the_page(make_curves, make_risk, collisions, n, width):
    curves = make_curves(LABELS[n])
    medians = pd.DataFrame({"stratum": LABELS[n], "probability": 0.5, "time": np.linspace(30, 12, n)})
    figure = plot_survival(
        curves,
        risk=make_risk(curves, breaks_for(48)),
        medians=medians,
        descriptions=dict.fromkeys(LABELS[n], "0.75 to < 0.95 mmol/L"),
        estimates=(
            ("HR, low against reference", ""),
            ("crude", "1.62 (1.30 to 2.02)"),
            ("adjusted", "1.41 (1.1 to 1.8)"),
        ),
        title="A title of some length that says the finding in words and not in numbers",
        subtitle="A subtitle that says the method: Kaplan-Meier with 95% log-log intervals, as always.",
        width=width,
        synthetic=True,
    )
    assert collisions(figure) == []
    assert figure.get_figwidth() * 25.4 == pytest.approx(width)


def test_the_horizon_cuts_curves_and_ticks(make_curves):
    ax = plot_survival(make_curves(LABELS[2]), horizon=24).axes[0]
    assert ax.get_xlim() == (0, 24)
    assert max(ax.get_xticks()) == 24
    assert max(line.get_xdata().max() for line in ax.lines) == 24


def test_follow_up_says_from_when(make_curves):
    figure = plot_follow_up(make_curves(LABELS[2]), time_zero="first infusion")
    assert figure.axes[0].get_xlabel() == "Months from first infusion"
    assert figure.axes[0].get_ylabel() == "Still under follow-up"
    assert not named(figure.axes[0], "_low, censored")


def test_the_synthetic_mark_stands_only_where_asked(make_curves):
    assert SYNTHETIC_MARK in words(plot_survival(make_curves(["low"]), synthetic=True))
    assert SYNTHETIC_MARK not in words(plot_survival(make_curves(["low"])))


def test_axes_that_are_given_are_drawn_on(make_curves, make_risk):
    from matplotlib.figure import Figure

    mine = Figure(figsize=(8, 5))
    ax = mine.subplots()
    curves = make_curves(LABELS[2])
    size = mine.get_size_inches().tolist()
    returned = plot_survival(curves, risk=make_risk(curves, (0, 24, 48)), ax=ax, title="Mine", synthetic=True)
    assert returned is mine
    assert mine.get_size_inches().tolist() == size
    assert named(ax, "low")
    assert SYNTHETIC_MARK in words(mine)


def test_no_events_one_row_and_a_hostile_name_are_drawn(make_curves, hostile):
    flat = make_curves(["x", "y"]).assign(survival=1.0, conf_low=1.0, conf_high=1.0, n_event=0)
    assert plot_survival(flat).axes[0].get_ylim() == (0, 1)
    assert plot_survival(make_curves(["x"]).head(1)).axes[0].get_xlim() == (0, 1)
    assert any(hostile in word.replace("\n", " ") for word in words(plot_survival(make_curves([hostile, "b"]))))


def test_nothing_is_left_behind(make_curves):
    before, curves = dict(mpl.rcParams), make_curves(LABELS[2])
    copy = curves.copy()
    plot_survival(curves, synthetic=True)
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(curves, copy)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda curves: curves.drop(columns="n_risk"), "curves: no column n_risk; its columns are stratum, time"),
        (lambda curves: curves.head(0), "curves: no rows to draw"),
    ],
)
def test_frames_that_cannot_be_drawn_are_refused(make_curves, broken, message):
    with pytest.raises(InputError, match=message):
        plot_survival(broken(make_curves(["low"])))


def test_a_risk_table_without_its_columns_is_refused(make_curves):
    with pytest.raises(InputError, match="risk: no column n_censor"):
        plot_survival(
            make_curves(["low"]), risk=pd.DataFrame({"stratum": ["low"], "time": [0], "n_risk": [1], "n_event": [0]})
        )


@pytest.mark.parametrize("width", WIDTHS)
def test_no_words_of_adjusted_curves_collide(make_curves, make_risk, collisions, width):
    curves = make_curves(LABELS[3])
    crude = curves.assign(survival=curves["survival"] ** 1.3)
    figure = plot_adjusted(
        curves, crude, risk=make_risk(curves, breaks_for(48, "months")), truth=curves[["stratum", "time", "survival"]],
        width=width, title="A title", subtitle="and what it rests on", synthetic=True,
    )  # fmt: skip
    assert collisions(figure) == []
    assert_drawn_on_axes(lambda **page: plot_adjusted(curves, crude, **page))


def test_curves_before_and_after_adjustment_stand_side_by_side(make_curves):
    curves = make_curves(["low", "high"])
    crude = curves.assign(survival=curves["survival"] ** 2)
    figure = plot_adjusted(curves, crude, truth=curves[["stratum", "time", "survival"]])
    before, after = figure.axes
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Before adjustment", "After adjustment"]
    for ax, frame in ((before, crude), (after, curves)):
        drawn = np.concatenate([line.get_ydata() for line in named(ax, "low")])
        assert set(drawn) <= set(frame.loc[frame["stratum"] == "low", "survival"])
        assert next(band.get_label() for band in ax.collections if "band" in band.get_label()) == "_low, band"
    assert before.get_ylim() == after.get_ylim()
    assert not named(before, "_low, true")
    assert named(after, "_low, true")


def test_on_one_pair_of_axes_the_crude_curves_stand_thin_behind_the_adjusted(make_curves):
    from matplotlib.figure import Figure

    curves = make_curves(["low", "high"])
    crude = curves.assign(survival=curves["survival"] ** 2)
    ax = Figure(figsize=(8, 5)).subplots()
    plot_adjusted(curves, crude, ax=ax)
    drawn = {line.get_label(): line for line in ax.lines}
    assert drawn["_low, crude"].get_linewidth() < drawn["low"].get_linewidth()
    assert np.allclose(drawn["_low, crude"].get_ydata(), crude[crude["stratum"] == "low"]["survival"])
