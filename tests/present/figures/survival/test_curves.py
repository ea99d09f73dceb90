"""Survival figures, read off their axes."""

import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from analysis import ONE_COLUMN, TWO_COLUMNS, InputError, breaks_for, plot_follow_up, plot_survival
from analysis.present.canvas.layout import SYNTHETIC_MARK
from analysis.present.canvas.style import DIMMED, stratum_styles

LONG = "patients with a serum magnesium below the lower limit of the laboratory"
LABELS = {
    1: ["all"],
    2: ["low", "reference"],
    3: ["low", "reference", "high"],
    4: ["lowest quarter", LONG, "third quarter", "highest quarter"],
}


def named(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


def words(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts] + [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
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


def test_curves_are_steps_in_the_colours_of_their_strata(make_curves):
    curves = make_curves(LABELS[3])
    ax = plot_survival(curves).axes[0]
    for label, style in stratum_styles(LABELS[3]).items():
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


def test_the_risk_table_stands_under_its_ticks(make_curves, make_risk):
    curves = make_curves(LABELS[2])
    risk = make_risk(curves, (0, 12, 24, 36, 48))
    ax = plot_survival(curves, risk=risk).axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "12", "24", "36", "48"]
    under = [text for text in ax.texts if text.get_horizontalalignment() == "center"]
    for column in ("n_risk", "n_censor", "n_event"):
        for row in risk.to_dict("records"):
            found = [text for text in under if text.xy[0] == row["time"] and text.get_text() == str(row[column])]
            assert found, (column, row)
    assert {"At risk", "Censored", "Events"} <= set(words(ax.figure))


def test_columns_of_the_risk_table_are_thinned_with_their_ticks(make_curves, make_risk, collisions):
    curves = make_curves(LABELS[2]).assign(n_risk=lambda rows: rows["n_risk"] * 1000)
    risk = make_risk(curves, range(0, 49, 3)).assign(n_risk=12345)
    figure = plot_survival(curves, risk=risk, width=ONE_COLUMN)
    times = {text.xy[0] for text in figure.axes[0].texts if text.get_text() == "12,345"}
    assert times == set(figure.axes[0].get_xticks())
    assert 1 < len(times) < 17
    assert collisions(figure) == []


def test_medians_are_read_off_the_axis(make_curves):
    medians = pd.DataFrame({"stratum": ["low", "reference"], "probability": 0.5, "time": [17.04, np.nan]})
    figure = plot_survival(make_curves(LABELS[2]), medians=medians)
    drops = [line for line in named(figure.axes[0], "_median") if line.get_xdata()[0] == line.get_xdata()[1]]
    assert [line.get_xdata()[0] for line in drops] == [17.04]
    assert "17.0" in words(figure)
    assert "median" in words(figure)


def test_the_planted_truth_is_dotted_and_named_once(make_curves):
    truth = pd.DataFrame({"stratum": ["low"] * 3 + ["reference"] * 3 + ["other"] * 3, "time": [0, 20, 99] * 3,
                          "survival": [1, 0.5, 0.1] * 3})  # fmt: skip
    figure = plot_survival(make_curves(LABELS[2]), truth=truth)
    planted = [line for line in figure.axes[0].lines if line.get_label().endswith(", planted")]
    assert [line.get_label() for line in planted] == ["_low, planted", "_reference, planted"]
    assert all(line.get_xdata().max() <= 48 for line in planted)
    assert words(figure).count("planted truth") == 1


def test_estimates_without_free_room_stand_in_the_heading(make_curves):
    crowded = make_curves(LABELS[3])
    figure = plot_survival(crowded, estimates=tuple((f"row {place}", "1.00") for place in range(30)))
    assert "row 0" in [text.get_text() for text in figure.texts]
    figure = plot_survival(crowded, estimates=(("crude", "1.50"),))
    assert "crude" in [text.get_text() for text in figure.axes[0].texts]


def test_estimates_cover_no_curve(make_curves):
    figure = plot_survival(make_curves(LABELS[2]), estimates=(("HR", ""), ("crude", "1.62 (1.30 to 2.02)")))
    ax = figure.axes[0]
    (text,) = [text for text in ax.texts if text.get_text().startswith("1.62")]
    box = text.get_window_extent()
    for label in LABELS[2]:
        (line,) = named(ax, label)
        x, y = np.repeat(line.get_xdata(), 2)[1:], np.repeat(line.get_ydata(), 2)[:-1]
        dense = np.vstack([np.linspace(a, b, 50) for a, b in zip(np.c_[x, y][:-1], np.c_[x, y][1:], strict=True)])
        assert not any(box.contains(*point) for point in ax.transData.transform(dense))


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


def test_undefined_limits_at_the_end_are_drawn_without_a_band(make_curves):
    curves = make_curves(["low", "high"])
    curves.loc[curves["survival"] < 0.2, ["conf_low", "conf_high"]] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plot_survival(curves)
        figure.draw_without_rendering()
    assert len(figure.axes[0].collections) >= 2


def test_nothing_is_left_behind(make_curves):
    before, curves = dict(mpl.rcParams), make_curves(LABELS[2])
    copy = curves.copy()
    plot_survival(curves, synthetic=True)
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(curves, copy)
    from matplotlib import pyplot as plt

    assert plt.get_fignums() == []


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
