"""A marker with its cuts, causes and companions, read off the axes."""

import numpy as np
import pandas as pd
import pytest

from analysis import InputError, plot_marker, plot_relations
from tests.present.reading import assert_drawn_as_it_is, assert_laid_out, words

CUTS = pd.DataFrame(
    {
        "edge": [0.699, 0.70, 0.75, 0.79, 0.95, 1.10],
        "label": ["0.699 mmol/L", "0.7 mmol/L", "0.75 mmol/L", "0.79 mmol/L", "0.95 mmol/L", "1.1 mmol/L"],
        "source": ["a laboratory", "a society", "a survey", "a paper's own data", "a survey", "a society"],
        "searched": [False, False, False, True, False, False],
        "used": [False, False, True, False, True, False],
    }
)


def test_pages(marked_cohort, collisions):
    copy = marked_cohort.copy()
    assert_laid_out(
        lambda **page: plot_marker(marked_cohort, "magnesium", CUTS, hue="treatment", unit="mmol/L", **page), collisions
    )
    assert_laid_out(
        lambda **page: plot_relations(marked_cohort, "magnesium", ["crp", "age", "ppi"], **page), collisions
    )
    pd.testing.assert_frame_equal(marked_cohort, copy)


def test_every_cut_is_a_line_and_every_source_is_named_once(marked_cohort):
    figure = plot_marker(marked_cohort, "magnesium", CUTS, hue="treatment", unit="mmol/L", label="Serum magnesium")
    assert len(figure.axes) == 2
    reached = set(CUTS["edge"]) - {0.699, 1.1}  # on 0.7, and beyond all patients
    for ax in figure.axes:
        assert {line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2} == reached
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


def test_hostile_labels(marked_cohort, hostile, tmp_path):
    cohort, cuts = marked_cohort.assign(treatment=hostile), CUTS.assign(source=hostile)
    assert_drawn_as_it_is(
        hostile, plot_marker(cohort, "magnesium", cuts, hue="treatment", label=hostile), tmp_path, times=3
    )
    relations = plot_relations(cohort, "magnesium", ["treatment"], labels={"treatment": hostile})
    assert_drawn_as_it_is(hostile, relations, tmp_path)


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
    ],
)
def test_frames_that_cannot_be_drawn_are_refused(marked_cohort, call, message):
    with pytest.raises(InputError, match=message):
        call(marked_cohort)
