"""The specification curve, read off its axes: every analysis over its own choices."""

from itertools import product

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from analysis import (
    ONE_COLUMN,
    OVERALL_SURVIVAL,
    PROGRESSION_FREE_SURVIVAL,
    TWO_COLUMNS,
    InputError,
    cutpoint_multiverse,
    load_cohort,
    plot_specification_curve,
)
from analysis.present.canvas.layout import SYNTHETIC_MARK
from tests.present.reading import lines, words

CHOICES = {
    "cutpoint": ("0.75 mmol/L", "0.70 mmol/L", "0.79 mmol/L"),
    "endpoint": ("Overall survival", "Progression-free survival"),
    "adjustment": ("none", "age, ECOG, tumour burden, C-reactive protein, albumin and kidney function"),
    "exclusion": ("nobody", "ECOG 2"),
    "missing": ("complete case", "median imputation"),
}


def multiverse():
    """48 analyses with made-up estimates, as frames of curve and grid."""
    chosen = pd.DataFrame(list(product(*CHOICES.values())), columns=list(CHOICES))
    chosen.insert(0, "analysis", np.arange(len(chosen)) + 1)
    ratio = np.exp(0.3 + 0.25 * np.sin(7.0 * chosen["analysis"]))
    curve = chosen[["analysis"]].assign(hazard_ratio=ratio, conf_low=ratio / 1.4, conf_high=ratio * 1.4, p_value=0.04)
    curve = curve.sort_values("hazard_ratio", ignore_index=True)
    curve.insert(0, "rank", np.arange(len(curve)) + 1)
    slope = np.linspace(-0.2, 0.2, len(curve))
    null = {"null_low": np.exp(slope - 0.2), "null_median": np.exp(slope), "null_high": np.exp(slope + 0.2)}
    grid = curve[["rank", "analysis"]].merge(chosen, on="analysis")
    grid = grid.melt(id_vars=["rank", "analysis"], var_name="dimension", value_name="choice")
    kind = pd.CategoricalDtype(list(CHOICES), ordered=True)
    return curve.assign(**null), grid.astype({"dimension": kind}).sort_values(["rank", "dimension"], ignore_index=True)


CURVE, GRID = multiverse()
WITHOUT_NULL = CURVE.drop(columns=["null_low", "null_median", "null_high"])


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize(
    "options", [{}, {"median": 1.3}, {"median": 1.05, "highlight": 9}], ids=["plain", "one", "all"]
)
def test_no_words_collide_at_either_width(width, options, collisions):
    figure = plot_specification_curve(
        CURVE, GRID, width=width, title="A title", subtitle="and what it rests on", synthetic=True, **options
    )
    assert collisions(figure) == []
    assert figure.get_figwidth() * 25.4 == pytest.approx(width)
    assert SYNTHETIC_MARK in words(figure)


def test_nothing_is_left_behind():
    before, curve, grid = dict(mpl.rcParams), CURVE.copy(), GRID.copy()
    figure = plot_specification_curve(CURVE, GRID)
    assert SYNTHETIC_MARK not in words(figure)
    assert dict(mpl.rcParams) == before
    pd.testing.assert_frame_equal(CURVE, curve)
    pd.testing.assert_frame_equal(GRID, grid)


def test_hazard_ratios_stand_in_order_with_their_intervals_on_a_log_axis():
    ax = plot_specification_curve(CURVE, GRID).axes[0]
    assert ax.get_yscale() == "log"
    assert lines(ax)["analyses"].get_xdata().tolist() == CURVE["rank"].tolist()
    assert lines(ax)["analyses"].get_ydata().tolist() == CURVE["hazard_ratio"].tolist()
    (intervals,) = [drawn for drawn in ax.collections if drawn.get_label() == "_intervals"]
    ends = np.array([segment[:, 1] for segment in intervals.get_segments()])
    np.testing.assert_array_equal(ends, CURVE[["conf_low", "conf_high"]].to_numpy())


def test_every_dot_of_the_grid_stands_under_its_analysis():
    above, below = plot_specification_curve(CURVE, GRID).axes
    assert above.get_xlim() == below.get_xlim()
    assert above.get_position().x0 == below.get_position().x0
    for dimension, choices in CHOICES.items():
        for choice in choices:
            made = GRID[(GRID["dimension"] == dimension) & (GRID["choice"] == choice)]
            assert lines(below)[choice].get_xdata().tolist() == made["rank"].tolist()
            assert len(set(lines(below)[choice].get_ydata())) == 1


def test_choices_stand_under_their_dimension_in_the_order_of_the_analyses():
    below = plot_specification_curve(CURVE, GRID).axes[1]
    names = [text.get_text().replace("\n", " ") for text in below.texts]
    cut, endpoint = CHOICES["cutpoint"], CHOICES["endpoint"]
    assert names[:7] == ["Cut-point", *cut, "Endpoint", *endpoint]
    places = [text.xy[1] for text in below.texts]
    assert places == sorted(places)
    assert {line.get_ydata()[0] for line in below.lines if line.get_label() in cut} == set(places[1:4])


def test_one_choice_name_in_two_dimensions_is_two_rows():
    grid = GRID.replace({"choice": {"nobody": "none"}})
    below = plot_specification_curve(CURVE, grid).axes[1]
    assert [line.get_label() for line in below.lines].count("none") == 2


def test_headings_may_be_given():
    figure = plot_specification_curve(CURVE, GRID, headings={"exclusion": "Nicht dabei"})
    assert {"Nicht dabei", "Missing values"} <= set(words(figure))


def test_the_band_of_the_permutations_is_drawn_where_it_is_known():
    figure = plot_specification_curve(CURVE, GRID)
    ax = figure.axes[0]
    (band,) = [drawn for drawn in ax.collections if drawn.get_label() == "_permuted, band"]
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == CURVE["null_low"].min()
    assert corners[:, 1].max() == CURVE["null_high"].max()
    assert lines(ax)["permuted"].get_ydata().tolist() == CURVE["null_median"].tolist()
    assert "marker permuted" in [word.replace("\n", " ") for word in words(figure)]


@pytest.mark.parametrize("curve", [WITHOUT_NULL, CURVE.assign(null_low=np.nan, null_median=np.nan, null_high=np.nan)])
def test_without_permutations_there_is_no_band(curve, collisions):
    figure = plot_specification_curve(curve, GRID, width=ONE_COLUMN)
    assert "permuted" not in lines(figure.axes[0])
    assert "marker\npermuted" not in words(figure)
    assert collisions(figure) == []


def test_the_median_is_a_line_with_its_value():
    figure = plot_specification_curve(CURVE, GRID, median=1.352)
    assert lines(figure.axes[0])["median"].get_ydata()[0] == 1.352
    assert "median\n1.35" in words(figure)


def test_a_highlighted_analysis_keeps_its_own_mark_in_both_panels():
    figure = plot_specification_curve(CURVE, GRID, highlight=9, highlight_label="planned")
    above, below = figure.axes
    (row,) = CURVE[CURVE["analysis"] == 9].itertuples()
    mark = lines(above)["highlight"]
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (row.rank, row.hazard_ratio)
    assert mark.get_marker() != lines(above)["analyses"].get_marker()
    marked = [line.get_xdata()[0] for line in below.lines if line.get_label() == "_highlight"]
    assert marked == [row.rank] * len(CHOICES)
    assert "planned" in words(figure)


def test_intervals_that_leave_the_axis_end_in_an_arrow():
    wide = WITHOUT_NULL.assign(conf_high=WITHOUT_NULL["conf_high"].where(CURVE["rank"] != 7, 1e9))
    ax = plot_specification_curve(wide, GRID).axes[0]
    assert ax.get_ylim()[1] < 50
    (arrow,) = [line for line in ax.lines if line.get_marker() == "^"]
    assert arrow.get_xdata().tolist() == [7]


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize("n", [1, 2, 240])
def test_one_analysis_or_many(n, width, collisions):
    ranks = np.arange(n) + 1
    curve = pd.DataFrame({"rank": ranks, "analysis": ranks, "hazard_ratio": 1.2, "conf_low": 1.0, "conf_high": 1.5})
    grid = pd.DataFrame({"rank": ranks, "analysis": ranks, "dimension": "cutpoint", "choice": "0.75"})
    assert collisions(plot_specification_curve(curve, grid, width=width)) == []


@pytest.mark.parametrize("n", [12, 48, 96])
def test_dots_of_neighbours_keep_apart(n):
    ranks = np.arange(n) + 1
    curve = pd.DataFrame({"rank": ranks, "analysis": ranks, "hazard_ratio": 1.2, "conf_low": 1.0, "conf_high": 1.5})
    grid = pd.DataFrame({"rank": ranks, "analysis": ranks, "dimension": "cutpoint", "choice": "0.75"})
    figure = plot_specification_curve(curve, grid, width=ONE_COLUMN)
    below = figure.axes[1]
    pitch = np.diff(below.transData.transform([(1, 0), (2, 0)])[:, 0])[0] * 72 / figure.dpi
    assert lines(below)["0.75"].get_markersize() < pitch


def test_hostile_labels_are_drawn_as_they_are(hostile, tmp_path):
    figure = plot_specification_curve(CURVE, GRID.replace({"choice": {"nobody": hostile}}), title=hostile)
    seen = [text.get_text().replace("\n", " ") for text in figure.findobj(mpl.text.Text)]
    assert sum(hostile in text for text in seen) >= 2
    figure.savefig(tmp_path / "a.svg")


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_the_package_s_own_multiverse_is_drawn(width, collisions):
    found = cutpoint_multiverse(
        load_cohort().dropna(subset=["magnesium"]), [OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL], "magnesium",
        cutpoints={"0.75": 0.75, "0.79": 0.79}, adjustments={"none": (), "age and ECOG": ["age", "ecog"]},
        strata="treatment", n_permutations=9, seed=1,
    )  # fmt: skip
    figure = plot_specification_curve(found.curve, found.grid, median=found.median_hazard_ratio, width=width)
    assert collisions(figure) == []
    assert lines(figure.axes[0])["analyses"].get_ydata().tolist() == found.curve["hazard_ratio"].tolist()


@pytest.mark.parametrize(
    ("curve", "grid", "options", "message"),
    [
        (CURVE.drop(columns="conf_low"), GRID, {}, "curve: no column conf_low"),
        (CURVE.head(0), GRID, {}, "curve: no rows to draw"),
        (CURVE, GRID.drop(columns="choice"), {}, "grid: no column choice"),
        (CURVE.head(46), GRID, {}, "ranks 47, 48 stand in one of curve and grid only"),
        (CURVE, GRID, {"highlight": 99}, "highlight: no analysis 99 among the 48 of the curve"),
    ],
)
def test_what_cannot_be_drawn_is_refused(curve, grid, options, message):
    with pytest.raises(InputError, match=message):
        plot_specification_curve(curve, grid, **options)
