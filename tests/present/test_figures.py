"""The other figures, read off their axes: every one at both widths, without collisions, without a trace."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from analysis import (
    ONE_COLUMN,
    TWO_COLUMNS,
    InputError,
    plot_causes,
    plot_forest,
    plot_hazard_ratio_over_time,
    plot_marker,
    plot_missing,
    plot_relations,
)
from analysis.present.canvas.layout import SYNTHETIC_MARK

NODES = pd.DataFrame(
    [("tumour\nburden", 0, 2), ("inflammation", 0, 0), ("magnesium", 1, 1), ("progression", 2, 2), ("death", 2, 0)],
    columns=["name", "x", "y"],
)
ARROWS = pd.DataFrame(
    [
        ("tumour\nburden", "magnesium", -1, False),
        ("inflammation", "magnesium", 0, False),
        ("tumour\nburden", "death", 1, False),
        ("magnesium", "progression", -1, True),
        ("progression", "death", 1, False),
    ],
    columns=["cause", "effect", "sign", "planted"],
)
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
CUTS = pd.DataFrame(
    {
        "edge": [0.699, 0.70, 0.75, 0.79, 0.95, 1.10],
        "label": ["0.699 mmol/L", "0.7 mmol/L", "0.75 mmol/L", "0.79 mmol/L", "0.95 mmol/L", "1.1 mmol/L"],
        "source": ["a laboratory", "a society", "a survey", "a paper's own data", "a survey", "a society"],
        "searched": [False, False, False, True, False, False],
        "used": [False, False, True, False, True, False],
    }
)
MISSING = pd.DataFrame(
    {
        "column": ["albumin", "albumin", "C-reactive protein (mg/L)", "C-reactive protein (mg/L)", "age", "age"],
        "whom": ["censored", "event"] * 3,
        "n": [178, 302] * 3,
        "n_missing": [10, 32, 1, 40, 0, 0],
        "share": [10 / 178, 32 / 302, 1 / 178, 40 / 302, 0, 0],
    }
)
SMOOTH = pd.DataFrame({"time": np.linspace(1, 40, 20), "coefficient": 0.3, "conf_low": -0.1, "conf_high": 0.7})
RESIDUALS = pd.DataFrame({"time": np.linspace(1, 40, 200), "value": np.r_[np.linspace(-2, 2, 199), 90.0]})


def draw(name, cohort, **options):
    return {
        "causes": lambda: plot_causes(ARROWS, NODES, **options),
        "forest": lambda: plot_forest(RATIOS, **options),
        "marker": lambda: plot_marker(cohort, "magnesium", CUTS, hue="treatment", unit="mmol/L", **options),
        "relations": lambda: plot_relations(cohort, "magnesium", ["crp", "age", "ppi"], **options),
        "hazards": lambda: plot_hazard_ratio_over_time(SMOOTH, RESIDUALS, constant=0.25, term="a long name", **options),
        "missing": lambda: plot_missing(MISSING, **options),
    }[name]()


FIGURES = ["causes", "forest", "marker", "relations", "hazards", "missing"]


def words(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts] + [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
@pytest.mark.parametrize("name", FIGURES)
def test_no_words_collide_at_either_width(name, width, marked_cohort, collisions):
    figure = draw(name, marked_cohort, width=width, title="A title", subtitle="and what it rests on", synthetic=True)
    assert collisions(figure) == []
    assert figure.get_figwidth() * 25.4 == pytest.approx(width)
    assert SYNTHETIC_MARK in words(figure)


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_left_behind(name, marked_cohort):
    from matplotlib import pyplot as plt

    before, copy, state = dict(mpl.rcParams), marked_cohort.copy(), np.random.get_state()[1].tolist()  # noqa: NPY002
    figure = draw(name, marked_cohort)
    assert SYNTHETIC_MARK not in words(figure)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002
    pd.testing.assert_frame_equal(marked_cohort, copy)


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


def test_forest_writes_what_it_cannot_draw():
    figure = plot_forest(RATIOS)
    assert {"1.78", "(1.37 to 2.31)", "1.99", ">1000", "(2.00 to –)", "–"} <= set(words(figure))
    assert [line for line in figure.axes[0].lines if line.get_marker() == ">"]


def test_forest_of_one_row_without_a_group():
    figure = plot_forest(RATIOS.head(1).assign(group=""))
    assert "1.78" in words(figure)


def test_every_cut_is_a_line_and_every_source_is_named_once(marked_cohort):
    figure = plot_marker(marked_cohort, "magnesium", CUTS, hue="treatment", unit="mmol/L", label="Serum magnesium")
    assert len(figure.axes) == 2
    for ax in figure.axes:
        assert {line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2} == set(CUTS["edge"])
    text = words(figure)
    assert sum("a survey" in word for word in text) == 1
    assert any(word.startswith("0.75 mmol/L, 0.95 mmol/L: a survey") for word in text)
    assert any("CAR T cells" in word for word in text)
    assert figure.axes[-1].get_xlabel() == "Serum magnesium (mmol/L)"


def test_lines_tell_used_published_and_searched_cuts_apart(marked_cohort):
    ax = plot_marker(marked_cohort, "magnesium", CUTS).axes[0]
    styles = {line.get_xdata()[0]: line._unscaled_dash_pattern for line in ax.lines if len(line.get_xdata()) == 2}
    assert len({styles[0.75], styles[0.70], styles[0.79]}) == 3
    assert styles[0.75] == styles[0.95]


def test_all_known_values_are_in_the_histogram(marked_cohort):
    figure = plot_marker(marked_cohort, "magnesium", CUTS, hue="treatment")
    bars = [bar.get_height() for ax in figure.axes for bar in ax.patches if bar.get_label() != "_reference"]
    assert sum(bars) == marked_cohort["magnesium"].notna().sum()


def test_a_marker_of_one_value_is_drawn(marked_cohort):
    figure = plot_marker(marked_cohort.assign(magnesium=0.8), "magnesium", CUTS)
    figure.draw_without_rendering()
    assert sum(bar.get_height() for bar in figure.axes[0].patches) >= len(marked_cohort)


def test_relations_take_points_for_numbers_and_outlines_for_levels(marked_cohort):
    known = pd.DataFrame({"column": ["age"], "correlation": [-0.257]})
    figure = plot_relations(
        marked_cohort, "magnesium", ["crp", "age", "ppi"], labels={"crp": "C-reactive protein"}, correlations=known
    )
    crp, age, ppi = figure.axes
    assert crp.get_xscale() == "log"
    assert crp.get_xlabel() == "C-reactive protein"
    assert len(age.collections[0].get_offsets()) == marked_cohort["magnesium"].notna().sum()
    assert age.get_title(loc="left") == "rank correlation −0.26"
    assert [label.get_text() for label in ppi.get_xticklabels()] == ["no", "yes"]


def test_relations_may_be_coloured_by_group(marked_cohort):
    figure = plot_relations(marked_cohort, "magnesium", ["age", "ppi"], hue="treatment")
    assert len(np.unique(figure.axes[0].collections[0].get_facecolors(), axis=0)) == 2


def test_hazard_ratio_over_time_shows_smooth_band_and_constant():
    ax = plot_hazard_ratio_over_time(SMOOTH, RESIDUALS, constant=0.25, term="x", time_unit="weeks").axes[0]
    lines = {line.get_label(): line for line in ax.lines}
    assert lines["smooth"].get_ydata().tolist() == SMOOTH["coefficient"].tolist()
    assert lines["constant"].get_ydata()[0] == 0.25
    assert ax.get_xlabel() == "Weeks"
    assert ax.get_ylim()[1] < 90
    assert any("residuals lie beyond the axis" in text.get_text() for text in ax.texts)
    assert any("HR 1.28" in text.get_text() for text in ax.texts)


def test_missing_leaves_complete_columns_out_and_counts_the_others():
    figure = plot_missing(MISSING)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["albumin", "C-reactive protein (mg/L)"]
    assert {"10.6% (32 of 302)", "0.6% (1 of 178)"} <= set(words(figure))
    assert [bar.get_width() for bar in figure.axes[0].patches] == MISSING["share"].tolist()[:4]


def test_causes_highlight_the_planted_effect_and_run_around_boxes():
    figure = plot_causes(ARROWS, NODES)
    text = words(figure)
    assert text.count("planted −") == 1
    assert text.count("±") == 1
    heavy = [line.get_label() for line in figure.axes[0].lines if line.get_linewidth() > 1.5]
    assert heavy == ["_magnesium to progression"]


def test_an_arrow_to_nowhere_is_refused():
    with pytest.raises(InputError, match="arrows name 'nowhere', which no row of nodes places"):
        plot_causes(ARROWS.replace("death", "nowhere"), NODES)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda cohort: plot_marker(cohort, "zinc", CUTS), "cohort: no column zinc"),
        (
            lambda cohort: plot_marker(cohort.assign(magnesium=np.nan), "magnesium", CUTS),
            "with magnesium known: no rows",
        ),
        (lambda cohort: plot_marker(cohort, "magnesium", CUTS.drop(columns="source")), "cutpoints: no column source"),
        (lambda cohort: plot_relations(cohort, "magnesium", ["zinc"]), "cohort: no column zinc"),
        (lambda cohort: plot_forest(RATIOS.drop(columns="kind")), "estimates: no column kind"),
        (lambda cohort: plot_missing(MISSING.head(0)), "missing: no rows to draw"),
        (
            lambda cohort: plot_hazard_ratio_over_time(SMOOTH, RESIDUALS[["time"]], constant=0),
            "residuals: no column value",
        ),
    ],
)
def test_frames_that_cannot_be_drawn_are_refused(marked_cohort, call, message):
    with pytest.raises(InputError, match=message):
        call(marked_cohort)


@pytest.mark.parametrize("name", FIGURES)
def test_hostile_labels_are_drawn_as_they_are(name, marked_cohort, hostile, tmp_path):
    cohort = marked_cohort.assign(treatment=hostile)
    figures = {
        "causes": lambda: plot_causes(ARROWS.replace("death", hostile), NODES.replace("death", hostile)),
        "forest": lambda: plot_forest(RATIOS.assign(group=hostile, label=hostile)),
        "marker": lambda: plot_marker(cohort, "magnesium", CUTS.assign(source=hostile), hue="treatment", label=hostile),
        "relations": lambda: plot_relations(cohort, "magnesium", ["treatment"], labels={"treatment": hostile}),
        "hazards": lambda: plot_hazard_ratio_over_time(SMOOTH, RESIDUALS, constant=0.2, term=hostile),
        "missing": lambda: plot_missing(MISSING.assign(whom=hostile, column=hostile).head(1)),
    }
    figure = figures[name]()
    seen = [text.get_text().replace("\n", " ") for text in figure.findobj(mpl.text.Text)]
    assert any(hostile in text for text in seen)
    figure.savefig(tmp_path / "a.svg")
