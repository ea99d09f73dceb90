"""Estimates one under the other, read off the axes."""

import numpy as np
import pandas as pd
import pytest

from analysis import InputError, plot_balance, plot_forest
from tests.present.reading import assert_drawn_as_it_is, assert_drawn_on_axes, assert_laid_out, lines, words

RATIOS = pd.DataFrame(
    [
        ("Overall survival: low against reference", "crude", "crude", 1.78, 1.37, 2.31),
        ("Overall survival: low against reference", "planted", "truth", 1.99, np.nan, np.nan),
        ("Overall survival: low against reference", "adjusted", "adjusted", 1.18, 0.89, 1.57),
        (
            "Progression: per 0.1 mmol/L lower",
            "a model with a very long name that needs lines",
            "crude",
            3e6,
            2.0,
            np.nan,
        ),
        ("Progression: per 0.1 mmol/L lower", "not estimable", "adjusted", np.nan, np.nan, np.nan),
    ],
    columns=["group", "label", "kind", "hazard_ratio", "conf_low", "conf_high"],
)


def test_page(collisions):
    assert_laid_out(lambda **page: plot_forest(RATIOS, **page), collisions)
    assert_drawn_on_axes(lambda **page: plot_forest(RATIOS, **page))


def test_forest_draws_each_estimate_and_its_interval_on_a_log_axis():
    ax = plot_forest(RATIOS).axes[0]
    assert ax.get_xscale() == "log"
    points = {line.get_label(): line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1}
    assert points["crude"] == 1.78
    assert points["planted"] == 1.99
    assert "not estimable" not in points
    intervals = {line.get_label(): list(line.get_xdata()) for line in ax.lines if ", interval" in line.get_label()}
    assert intervals["_adjusted, interval"] == [0.89, 1.57]
    assert "_planted, interval" not in intervals
    assert any(list(line.get_xdata()) == [1, 1] for line in ax.lines)


def test_forest_shows_the_truth_as_an_open_mark():
    (mark,) = [line for line in plot_forest(RATIOS).axes[0].lines if line.get_label() == "planted"]
    assert mark.get_markerfacecolor() == "white"
    assert mark.get_marker() == "D"


@pytest.mark.parametrize("reference", [1.0, 2.0])
def test_intervals_that_leave_the_axis_are_cut_off_there_with_an_arrow(reference):
    """The axis reaches fifty-fold; limits within it, such as 30, stay on it without an arrow."""
    rows = RATIOS.head(3).assign(
        label=["wide", "open", "within"], kind="crude", hazard_ratio=1.5, conf_low=[0.001, np.nan, 0.1],
        conf_high=[900.0, 2.0, 30.0],
    )  # fmt: skip
    ax = plot_forest(rows, reference=reference).axes[0]
    low, high = ax.get_xlim()
    assert low < 0.1
    assert 30 < high < 50
    drawn = lines(ax)
    heights = {label: drawn[f"_{label}, interval"].get_ydata()[0] for label in rows["label"]}
    ends = {label: drawn[f"_{label}, interval"].get_xdata().tolist() for label in rows["label"]}
    assert ends == {"wide": [low, high], "open": [low, 2.0], "within": [0.1, 30.0]}
    arrows = {
        (line.get_marker(), line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines if line.get_marker() in "<>"
    }
    assert arrows == {("<", low, heights["wide"]), (">", high, heights["wide"]), ("<", low, heights["open"])}


def test_forest_writes_what_it_cannot_draw():
    figure = plot_forest(RATIOS)
    assert {"1.78", "(1.37 to 2.31)", "1.99", ">1000", "(2.00 to –)", "–"} <= set(words(figure))
    assert [line for line in figure.axes[0].lines if line.get_marker() == ">"]


def test_forest_of_one_row_without_a_group():
    figure = plot_forest(RATIOS.head(1).assign(group=""))
    assert "1.78" in words(figure)


def test_a_forest_of_hostile_labels(hostile, tmp_path):
    assert_drawn_as_it_is(hostile, plot_forest(RATIOS.assign(group=hostile, label=hostile)), tmp_path, times=2)


def test_a_forest_needs_its_columns():
    with pytest.raises(InputError, match="estimates: no column conf_low"):
        plot_forest(RATIOS.drop(columns="conf_low"))


PAIRS = [("low", "reference"), ("low", "high"), ("reference", "high")]


NAMES = ["Tumour burden, per doubling", "C-reactive protein, per doubling", "Age (years)", "ppi"]


BALANCE = pd.DataFrame(
    [
        (name, a, b, (-1) ** row * (0.9 - 0.2 * row), 0.03 * row)
        for row, name in enumerate(NAMES)
        for a, b in PAIRS
    ],
    columns=["covariate", "stratum_a", "stratum_b", "difference", "weighted_difference"],
)  # fmt: skip


def test_page_of_balance(collisions):
    assert_laid_out(lambda **page: plot_balance(BALANCE, **page), collisions)


@pytest.mark.parametrize("pairs", [1, None])
def test_a_balance_without_any_difference_still_names_its_covariates(pairs):
    """Of strata of one patient each there is no variance to standardise by."""
    without, names = BALANCE.copy(), ["difference", "weighted_difference"]
    without.loc[without["stratum_b"].isin(without["stratum_b"].unique()[:pairs]), names] = np.nan
    shown = plot_balance(without).axes[0].get_yticklabels()
    assert sorted(text.get_text().replace("\n", " ") for text in shown) == sorted(NAMES)


def test_balance_draws_differences_without_their_sign_the_largest_first():
    figure = plot_balance(BALANCE.sample(frac=1, random_state=1))
    first = figure.axes[0]
    before, after = (
        next(line for line in first.lines if line.get_label() == name) for name in ("_as it is", "_weighted")
    )
    assert np.allclose(before.get_xdata(), [0.9, 0.7, 0.5, 0.3])
    assert np.allclose(after.get_xdata(), [0, 0.03, 0.06, 0.09])
    assert [text.get_text().replace("\n", " ") for text in first.get_yticklabels()] == NAMES


def test_more_pairs_than_panels_share_one():
    many = pd.concat([BALANCE, BALANCE.assign(stratum_a="other", difference=2.0)])
    figure = plot_balance(many)
    assert len(figure.axes) == 1
    assert figure.axes[0].get_title(loc="left") == "largest of 5 pairs of strata"


def test_without_weights_only_what_is():
    figure = plot_balance(BALANCE.assign(weighted_difference=np.nan))
    (mark,) = [line for line in figure.axes[0].lines if line.get_label() == "_weighted"]
    assert np.isnan(np.asarray(mark.get_xdata(), dtype=float)).all()


def test_a_balance_needs_its_columns():
    with pytest.raises(InputError, match="balance: no column difference"):
        plot_balance(BALANCE.drop(columns="difference"))
