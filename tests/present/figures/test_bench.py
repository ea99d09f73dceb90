"""The bench, read off its axes and its cells: every method in every world, within its band or not."""

import numpy as np
import pandas as pd
import pytest

from analysis import ONE_COLUMN, TWO_COLUMNS, InputError, bench_display, plot_bench
from analysis.present.canvas.layout import SYNTHETIC_MARK

WORLDS = ("planted", "no effect", "moving with burden, no effect")
METHODS = ("median split", "searched cut, corrected", "standardisation: months of 24 gained, reference against low")


def rows(worlds=WORLDS, methods=METHODS):
    """Made-up scores; type-I errors in one world only, and one method without estimates."""
    table = pd.DataFrame([(world, method) for world in worlds for method in methods], columns=["world", "method"])
    place = np.arange(len(table))
    null = (table["world"] == worlds[-1]).to_numpy()
    table = table.assign(
        estimand="effect", target=0.5, n=100, bias=0.01 * place, bias_error=0.002, misspecification=np.nan,
        relative_bias=0.1 * place - 0.3, relative_bias_error=0.05, coverage=0.99 - 0.01 * place, coverage_error=0.01,
        type_1_error=np.where(null, 0.05, np.nan), type_1_error_error=0.02, power=np.where(null, np.nan, 0.8),
        power_error=0.01, failed=0.0, verdict="no departure shown",
    )  # fmt: skip
    table.loc[table["method"] == methods[0], ["bias", "relative_bias", "coverage"]] = np.nan
    return table


def marks(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_nothing_collides_and_nothing_leaves_the_page(width, collisions):
    figure = plot_bench(rows(), title="A bench", subtitle="Of made-up numbers.", width=width, synthetic=True)
    assert collisions(figure) == []
    assert SYNTHETIC_MARK in [text.get_text() for text in figure.texts]


def test_every_score_stands_where_it_is_and_methods_go_down():
    table = rows()
    bias, coverage, error = plot_bench(table).axes
    for world in WORLDS:
        mine = table[table["world"] == world]
        drawn = marks(bias)[world]
        assert drawn.get_xdata().tolist() == mine["relative_bias"].dropna().tolist()
        assert (np.diff(drawn.get_ydata()) > 0).all()
        assert marks(coverage)[world].get_xdata().tolist() == mine["coverage"].dropna().tolist()
    assert list(marks(error)) == [WORLDS[-1]]
    assert bias.yaxis_inverted()


def test_a_score_that_is_known_nowhere_has_no_panel():
    figure = plot_bench(rows().drop(columns=["type_1_error"]).assign(relative_bias=np.nan))
    assert [ax.get_xlabel().split()[0] for ax in figure.axes] == ["Coverage"]


def test_bars_of_shares_stay_between_nothing_and_everything():
    figure = plot_bench(rows().assign(coverage=0.99, coverage_error=0.05))
    ends = [segment[:, 0] for lines in figure.axes[1].collections for segment in lines.get_segments()]
    assert min(map(np.min, ends)) >= 0
    assert max(map(np.max, ends)) <= 1


def test_worlds_differ_in_grey():
    markers = [line.get_marker() for line in marks(plot_bench(rows()).axes[0]).values()]
    assert len(set(markers)) == len(WORLDS)


def test_hostile_names_are_drawn_as_they_are(hostile, collisions):
    figure = plot_bench(rows(worlds=("a", hostile), methods=(hostile, "b")))
    assert collisions(figure) == []
    assert hostile in [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]


def test_a_frame_without_methods_is_refused():
    with pytest.raises(InputError, match="table: no column method"):
        plot_bench(pd.DataFrame({"world": ["no effect"]}))


def test_the_table_puts_errors_in_brackets_and_leaves_out_what_is_not_known():
    shown = bench_display(rows())
    assert list(shown.columns) == [
        *("World", "Method", "Judged by", "Bias away from zero", "Coverage", "Rejects at 5%", "Verdict")
    ]
    assert shown.loc[1].tolist()[2:] == [
        "effect: 0.500",
        "0.010 (0.002)",
        "98.0% (1.0%)",
        "80.0% (1.0%)",
        "no departure shown",
    ]
    assert shown.loc[0, "Coverage"] == "–"
    assert shown.loc[8, "Rejects at 5%"] == "5.0% (2.0%)"
    known = bench_display(rows().assign(misspecification=[0.0123, *[np.nan] * 8], verdict=""))
    assert known["Misspecification"].tolist()[:2] == ["0.012", "–"]
    assert set(known["Verdict"]) == {"–"}
