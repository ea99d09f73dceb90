"""The figure of a search, read off its axes: no naive p-value without the corrected one."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from analysis import (
    ONE_COLUMN,
    OVERALL_SURVIVAL,
    TWO_COLUMNS,
    InputError,
    load_cohort,
    plot_cutpoint_scan,
    search_cutpoint,
)
from analysis.present.canvas.layout import SYNTHETIC_MARK
from tests.present.reading import words

CUT = np.round(np.linspace(0.66, 0.92, 27), 2)
SCAN = pd.DataFrame({"cut": CUT, "n_low": np.arange(27) + 20, "statistic": 3.2 - 20 * np.abs(CUT - 0.79)}).abs()
SUMMARY = pd.DataFrame(
    {
        "analysis": ["searched cut, as found", "searched cut, corrected", "continuous marker"],
        "contrast": ["magnesium > 0.79 against <= 0.79"] * 2 + ["magnesium, 0.09 (1 SD) higher"],
        "hazard_ratio": [0.61, 0.78, 0.84],
        "conf_low": [0.45, 0.51, 0.70],
        "conf_high": [0.82, 1.19, 1.01],
        "p_naive": [0.0014, 0.0014, 0.061],
        "p_corrected": [0.032, 0.032, 0.061],
    }
)


def draw(**options):
    given = {"cut": 0.79, "interval": (0.7, 0.88), "critical": 2.8, "summary": SUMMARY, "unit": "mmol/L"}
    return plot_cutpoint_scan(SCAN, **{**given, **options})


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].lines}


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize("left_out", ["none", "interval", "critical", "summary"])
def test_no_words_collide_at_either_width(width, left_out, collisions):
    options = {} if left_out == "none" else {left_out: None}
    figure = draw(width=width, title="A title", subtitle="and what it rests on", synthetic=True, **options)
    assert collisions(figure) == []
    assert figure.get_figwidth() * 25.4 == pytest.approx(width)
    assert SYNTHETIC_MARK in words(figure)


def test_nothing_is_left_behind():
    before, scan, summary = dict(mpl.rcParams), SCAN.copy(), SUMMARY.copy()
    figure = draw()
    assert SYNTHETIC_MARK not in words(figure)
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(SCAN, scan)
    pd.testing.assert_frame_equal(SUMMARY, summary)


def test_the_statistic_of_every_cut_is_drawn():
    line = lines(draw())["statistic"]
    assert line.get_xdata().tolist() == SCAN["cut"].tolist()
    assert line.get_ydata().tolist() == SCAN["statistic"].tolist()
    assert line.get_marker() == "o"
    assert draw().axes[0].get_ylim()[0] == 0


def test_many_cuts_are_a_line_without_points():
    many = pd.DataFrame({"cut": np.arange(500.0), "statistic": np.abs(np.sin(np.arange(500.0)))})
    assert lines(plot_cutpoint_scan(many, cut=11.0))["statistic"].get_marker() == ""


def test_cut_interval_and_limit_are_marked_and_named():
    figure = draw()
    drawn = lines(figure)
    assert drawn["searched"].get_xdata()[0] == 0.79
    assert tuple(drawn["_searched, range"].get_xdata()) == (0.7, 0.88)
    assert drawn["critical"].get_ydata()[0] == 2.8
    text = [word.replace("\n", " ") for word in words(figure)]
    assert {"cut found: 0.79 (0.70 to 0.88)", "exceeded in 5% of permutations"} <= set(text)


def test_without_limit_and_interval_neither_is_named():
    figure = plot_cutpoint_scan(SCAN, cut=0.79, interval=(np.nan, np.nan))
    assert {"_searched, range", "critical"}.isdisjoint(lines(figure))
    assert [word for word in words(figure) if word] == ["cut found: 0.79"]


def test_a_limit_above_all_statistics_is_on_the_axis():
    assert draw(critical=9.0).axes[0].get_ylim()[1] > 9


def test_an_interval_beyond_the_scan_is_on_the_axis():
    low, high = draw(interval=(0.4, 1.2)).axes[0].get_xlim()
    assert low < 0.4
    assert high > 1.2


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_the_summary_shows_both_p_values_of_every_row_on_one_line(width):
    figure = draw(width=width)
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    for row in SUMMARY.itertuples():
        ratio = f"{row.hazard_ratio:.2f} ({row.conf_low:.2f} to {row.conf_high:.2f})"
        (height,) = {text.xyann[1] for text in texts if text.get_text() == ratio}
        beside = sorted((text.xyann[0], text.get_text()) for text in texts if text.xyann[1] == height)
        assert [text for _, text in beside][-3:] == [ratio, f"{row.p_naive:.3f}", f"{row.p_corrected:.3f}"]
    assert {"HR (95% CI)", "p, naive", "p, corrected", "magnesium > 0.79 against ≤ 0.79"} <= set(words(figure))


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        (SUMMARY.head(1), "no row 'searched cut, corrected' and no row 'continuous marker'"),
        (SUMMARY.iloc[[0, 2]], "no row 'searched cut, corrected'"),
        (SUMMARY.head(2), "no row 'continuous marker'"),
        (SUMMARY.drop(columns="p_corrected"), "summary: no column p_corrected"),
        (SUMMARY.assign(p_corrected=[np.nan, 0.03, 0.06]), "no corrected p-value beside the naive one of 'searched"),
        (SUMMARY.head(0), "summary: no rows"),
    ],
)
def test_a_naive_p_value_is_never_shown_alone(summary, message):
    with pytest.raises(InputError, match=message):
        draw(summary=summary)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scan": SCAN.drop(columns="statistic")}, "scan: no column statistic"),
        ({"scan": SCAN.head(0)}, "scan: no rows to draw"),
        ({"cut": 0.795}, "cut: 0.795 is not among the 27 cuts of the scan, 0.66 to 0.92"),
        ({"interval": (0.8, 0.9)}, "interval: 0.8 to 0.9 does not hold the cut 0.79"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        plot_cutpoint_scan(options.pop("scan", SCAN), **{"cut": 0.79, **options})


def test_hostile_labels_are_drawn_as_they_are(hostile, tmp_path):
    figure = draw(label=hostile, title=hostile, summary=SUMMARY.assign(contrast=hostile))
    seen = [text.get_text().replace("\n", " ") for text in figure.findobj(mpl.text.Text)]
    assert sum(hostile in text for text in seen) >= 3
    figure.savefig(tmp_path / "a.svg")


def test_one_cut_is_a_figure(collisions):
    assert collisions(plot_cutpoint_scan(SCAN.head(1), cut=0.66)) == []


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_the_package_s_own_search_is_drawn(width, collisions):
    cohort = load_cohort().dropna(subset=["magnesium"])
    found = search_cutpoint(cohort, OVERALL_SURVIVAL, "magnesium", n_permutations=99, n_bootstrap=20, seed=1)
    figure = plot_cutpoint_scan(
        found.scan, cut=found.cut, interval=(found.cut_low, found.cut_high), critical=3.0, summary=found.summary(),
        label="Serum magnesium", unit="mmol/L", width=width,
    )  # fmt: skip
    assert collisions(figure) == []
    assert lines(figure)["statistic"].get_ydata().max() == found.statistic
