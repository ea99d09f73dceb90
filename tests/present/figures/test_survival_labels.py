"""The words of a survival figure, read off the axes."""

import numpy as np
import pandas as pd

from analysis import plot_survival
from tests.present.reading import words

TWO = ["low", "reference"]
THREE = [*TWO, "high"]


def named(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


def test_medians_are_read_off_the_axis(make_curves):
    medians = pd.DataFrame({"stratum": ["low", "reference"], "probability": 0.5, "time": [17.04, np.nan]})
    figure = plot_survival(make_curves(TWO), medians=medians)
    drops = [line for line in named(figure.axes[0], "_median") if line.get_xdata()[0] == line.get_xdata()[1]]
    assert [line.get_xdata()[0] for line in drops] == [17.04]
    assert "17.0" in words(figure)
    assert "median" in words(figure)


def test_the_true_curves_are_dotted_and_named_once(make_curves):
    truth = pd.DataFrame({"stratum": ["low"] * 3 + ["reference"] * 3 + ["other"] * 3, "time": [0, 20, 99] * 3,
                          "survival": [1, 0.5, 0.1] * 3})  # fmt: skip
    figure = plot_survival(make_curves(TWO), truth=truth)
    true = [line for line in figure.axes[0].lines if line.get_label().endswith(", true")]
    assert [line.get_label() for line in true] == ["_low, true", "_reference, true"]
    assert all(line.get_xdata().max() <= 48 for line in true)
    assert words(figure).count("true curve") == 1


def test_estimates_without_free_room_stand_in_the_heading(make_curves):
    crowded = make_curves(THREE)
    figure = plot_survival(crowded, estimates=tuple((f"row {place}", "1.00") for place in range(30)))
    assert "row 0" in [text.get_text() for text in figure.texts]
    figure = plot_survival(crowded, estimates=(("crude", "1.50"),))
    assert "crude" in [text.get_text() for text in figure.axes[0].texts]


def test_estimates_cover_no_curve(make_curves):
    figure = plot_survival(make_curves(TWO), estimates=(("HR", ""), ("crude", "1.62 (1.30 to 2.02)")))
    ax = figure.axes[0]
    (text,) = [text for text in ax.texts if text.get_text().startswith("1.62")]
    box = text.get_window_extent()
    for label in TWO:
        (line,) = named(ax, label)
        x, y = np.repeat(line.get_xdata(), 2)[1:], np.repeat(line.get_ydata(), 2)[:-1]
        dense = np.vstack([np.linspace(a, b, 50) for a, b in zip(np.c_[x, y][:-1], np.c_[x, y][1:], strict=True)])
        assert not any(box.contains(*point) for point in ax.transData.transform(dense))
