"""The dose response with its cuts, read off the axes."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis import (
    ONE_COLUMN,
    OVERALL_SURVIVAL,
    TWO_COLUMNS,
    InputError,
    clinical_cutpoints,
    cutpoint_table,
    dose_response,
    load_cohort,
    plot_dose_response,
)
from analysis.present.canvas.layout import SYNTHETIC_MARK
from tests.present.reading import lines, words

MARKER = np.linspace(0.5, 1.1, 61)
LOG_RATIO = -5 * (MARKER - 0.8)
REACH = 0.1 + 2 * np.abs(MARKER - 0.8)
CURVE = pd.DataFrame(
    {
        "marker": MARKER,
        "log_hazard_ratio": LOG_RATIO,
        "std_error": REACH / 1.96,
        "hazard_ratio": np.exp(LOG_RATIO),
        "conf_low": np.exp(LOG_RATIO - REACH),
        "conf_high": np.exp(LOG_RATIO + REACH),
    }
)
TRUTH = pd.DataFrame({"marker": MARKER, "hazard_ratio": np.exp(-4 * (MARKER - 0.8))})
CUTS = pd.DataFrame(
    {
        "edge": [0.699, 0.70, 0.75, 0.79, 0.95],
        "label": ["0.699 mmol/L", "0.7 mmol/L", "0.75 mmol/L", "0.79 mmol/L", "0.95 mmol/L"],
        "source": ["a laboratory", "a society", "a survey", "a paper's own data", "a survey"],
        "searched": [False, False, False, True, False],
    }
)
VALUES = np.r_[np.random.default_rng(3).normal(0.8, 0.08, 300).round(2), np.nan, np.nan]
SEARCHED = (0.78, 0.69, 0.9)


def draw(**options):
    given = {
        "values": VALUES, "cutpoints": CUTS, "searched": SEARCHED, "reference": 0.8, "truth": TRUTH,
        "label": "Serum magnesium", "unit": "mmol/L",
    }  # fmt: skip
    return plot_dose_response(CURVE, **{**given, **options})


def edges_of(ax):
    return {line.get_xdata()[0]: line for line in ax.lines if line.get_label() == "_edge"}


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_no_words_collide_at_either_width(width, collisions):
    figure = draw(width=width, title="A title", subtitle="and what it rests on", synthetic=True)
    assert collisions(figure) == []
    assert figure.get_figwidth() * 25.4 == pytest.approx(width)
    assert SYNTHETIC_MARK in words(figure)


@pytest.mark.parametrize("left_out", ["values", "cutpoints", "searched", "reference", "truth"])
@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_every_part_may_be_left_out(width, left_out, collisions):
    assert collisions(draw(width=width, **{left_out: None})) == []


def test_nothing_is_left_behind():
    before, curve, cuts, truth = dict(mpl.rcParams), CURVE.copy(), CUTS.copy(), TRUTH.copy()
    figure = draw()
    assert SYNTHETIC_MARK not in words(figure)
    assert dict(mpl.rcParams) == before
    for frame, copy in ((CURVE, curve), (CUTS, cuts), (TRUTH, truth)):
        pd.testing.assert_frame_equal(frame, copy)


def test_the_curve_and_its_band_stand_on_a_log_axis():
    ax = plot_dose_response(CURVE).axes[0]
    assert ax.get_yscale() == "log"
    drawn = lines(ax)
    assert drawn["curve"].get_xdata().tolist() == MARKER.tolist()
    assert drawn["curve"].get_ydata().tolist() == CURVE["hazard_ratio"].tolist()
    assert drawn["_no difference"].get_ydata()[0] == 1
    corners = ax.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == CURVE["conf_low"].min()
    assert corners[:, 1].max() == CURVE["conf_high"].max()
    assert len(plot_dose_response(CURVE).axes) == 1


def test_rows_in_any_order_draw_the_same_curve():
    shuffled = plot_dose_response(CURVE.sample(frac=1, random_state=1)).axes[0]
    assert lines(shuffled)["curve"].get_ydata().tolist() == CURVE["hazard_ratio"].tolist()


def test_the_curve_is_pale_where_fewer_than_ten_patients_lie_beyond():
    values = np.r_[0.5, np.repeat(0.6, 9), np.repeat(0.8, 50), np.repeat(1.0, 10)]
    drawn = lines(plot_dose_response(CURVE, values=values).axes[0])
    assert drawn["curve"].get_xdata().min() == pytest.approx(0.6)
    assert drawn["curve"].get_xdata().max() == pytest.approx(1.0)
    pale = drawn["_curve, few below"]
    assert (pale.get_xdata().min(), pale.get_xdata().max()) == pytest.approx((0.5, 0.6))
    assert pale.get_alpha() < 0.5
    assert drawn["_curve, few above"].get_xdata().max() == pytest.approx(1.1)


def test_fewer_than_ten_values_are_drawn_all_the_same():
    assert "curve" in lines(plot_dose_response(CURVE, values=[0.7, 0.9]).axes[0])


def test_all_known_values_stand_in_the_histogram_on_the_same_axis():
    main, strip = draw().axes
    assert sum(bar.get_height() for bar in strip.patches) == 300
    assert main.get_xlim() == strip.get_xlim()
    assert "n = 300" in words(draw())
    assert strip.get_xlabel() == "Serum magnesium (mmol/L)"


def test_one_far_value_does_not_ask_for_thousands_of_bars():
    strip = plot_dose_response(CURVE, values=np.r_[VALUES, 1e6]).axes[1]
    assert len(strip.patches) <= 60


def test_every_cut_crosses_both_panels_and_is_named_with_its_source():
    figure = draw()
    for ax in figure.axes:
        assert set(edges_of(ax)) == set(CUTS["edge"]) - {0.699}  # on 0.7
    text = words(figure)
    for edge in ("0.7", "0.75", "0.79", "0.95"):
        assert edge in text
    assert "0.699" not in text
    assert any(word.startswith("0.699 mmol/L: a laboratory") for word in text)
    assert any(word.startswith("0.75 mmol/L, 0.95 mmol/L: a survey") for word in text)
    assert any("a paper's own data" in word for word in text)


def test_lines_tell_used_published_and_searched_cuts_apart():
    drawn = edges_of(draw(cutpoints=CUTS.assign(used=CUTS["source"] == "a survey")).axes[0])
    styles = {edge: line._unscaled_dash_pattern for edge, line in drawn.items()}
    assert len({styles[0.75], styles[0.70], styles[0.79]}) == 3
    assert styles[0.75] == styles[0.95]


def test_the_searched_cut_is_dotted_with_its_interval_as_a_bar():
    main, strip = draw().axes
    for ax in (main, strip):
        assert lines(ax)["searched"].get_xdata()[0] == 0.78
        assert lines(ax)["searched"].get_linestyle() != "-"
    assert tuple(lines(main)["_searched, range"].get_xdata()) == (0.69, 0.9)
    assert "searched: 0.78 (0.69 to 0.90)" in words(draw())


@pytest.mark.parametrize(
    ("scale", "searched", "reference"),
    [(1e-4, "searched: 0.000078 (0.000069 to 0.000090)", "0.00008"), (1e4, "searched: 7800 (6900 to 9000)", "8000")],
)
def test_markers_of_any_size_keep_their_digits(scale, searched, reference):
    figure = plot_dose_response(
        CURVE.assign(marker=MARKER * scale), searched=(0.78 * scale, 0.69 * scale, 0.9 * scale), reference=0.8 * scale
    )
    assert {searched, f"reference {reference}"} <= set(words(figure))


def test_a_searched_cut_without_an_interval_has_no_bar():
    figure = draw(searched=(0.78, np.nan, np.nan))
    assert "_searched, range" not in lines(figure.axes[0])
    assert "searched: 0.78" in words(figure)


def test_reference_and_truth_are_marked_and_named():
    figure = draw()
    drawn = lines(figure.axes[0])
    assert (drawn["_reference"].get_xdata()[0], drawn["_reference"].get_ydata()[0]) == (0.8, 1.0)
    assert drawn["_true"].get_ydata().tolist() == TRUTH["hazard_ratio"].tolist()
    assert {"reference 0.8", "true curve"} <= set(words(figure))
    assert figure.axes[0].get_ylabel().replace("\n", " ") == "Hazard ratio against 0.8 mmol/L"


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_words_between_the_lines_cover_none_of_them(width):
    figure = draw(width=width)
    main = figure.axes[0]
    figure.draw_without_rendering()
    for text in main.texts:
        if text.get_text() in {"reference 0.8", "true curve"}:
            box = text.get_window_extent()
            for frame in (CURVE, TRUTH):
                points = main.transData.transform(frame[["marker", "hazard_ratio"]].to_numpy())
                assert not any(box.contains(x, y) for x, y in points)


@pytest.mark.parametrize(("slope", "above"), [(-8.0, True), (-2.0, False)])
def test_the_name_of_the_truth_stands_on_its_side_of_the_curve(slope, above):
    truth = pd.DataFrame({"marker": [0.5, 0.78], "hazard_ratio": np.exp(slope * (np.array([0.5, 0.78]) - 0.8))})
    figure = plot_dose_response(CURVE, truth=truth)
    ax = figure.axes[0]
    figure.draw_without_rendering()
    (name,) = [text for text in ax.texts if text.get_text() == "true curve"]
    box = name.get_window_extent().transformed(ax.transData.inverted())
    curve = np.interp([box.x0, box.x1], MARKER, CURVE["hazard_ratio"])
    assert (box.y0 > curve[1]) if above else (box.y1 < curve[0])


def test_no_axis_is_stretched_to_a_cut_that_no_patient_reaches():
    figure = draw(cutpoints=CUTS.assign(edge=[0.3, 0.7, 0.75, 0.79, 1.4]))
    low, high = figure.axes[0].get_xlim()
    assert low > 0.45
    assert high < 1.15
    assert set(edges_of(figure.axes[0])) == {0.7, 0.75, 0.79}
    assert any("(beyond all values)" in word for word in words(figure))


def test_a_band_that_explodes_does_not_flatten_the_curve():
    wild = CURVE.assign(conf_high=CURVE["conf_high"].where(MARKER > 0.55, 1e8))
    assert plot_dose_response(wild).axes[0].get_ylim()[1] < 50


def test_axes_of_another_figure_take_the_histogram_under_them():
    figure = Figure(figsize=(8, 4))
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(bottom=0.45, top=0.75)
    answer = plot_dose_response(CURVE, values=VALUES, cutpoints=CUTS, title="Left", synthetic=True, ax=left)
    assert answer is figure
    (strip,) = left.child_axes
    assert sum(bar.get_height() for bar in strip.patches) == 300
    assert left.get_title(loc="left") == f"{SYNTHETIC_MARK}\nLeft"
    assert not right.lines


def test_hostile_labels_are_drawn_as_they_are(hostile, tmp_path):
    figure = draw(label=hostile, cutpoints=CUTS.assign(source=hostile), title=hostile)
    seen = [text.get_text().replace("\n", " ") for text in figure.findobj(mpl.text.Text)]
    assert sum(hostile in text for text in seen) >= 3
    figure.savefig(tmp_path / "a.svg")


def test_the_package_s_own_frames_are_drawn(collisions):
    cohort = load_cohort().dropna(subset=["magnesium"])
    found = dose_response(cohort, OVERALL_SURVIVAL, "magnesium")
    figure = plot_dose_response(
        found.curve, values=cohort["magnesium"], cutpoints=cutpoint_table(clinical_cutpoints("nhanes-1")),
        reference=found.reference, label="Serum magnesium", unit="mmol/L", width=ONE_COLUMN,
    )  # fmt: skip
    assert collisions(figure) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"curve": CURVE.drop(columns="conf_low")}, "curve: no column conf_low"),
        ({"curve": CURVE.head(0)}, "curve: no rows to draw"),
        ({"cutpoints": CUTS.drop(columns="source")}, "cutpoints: no column source"),
        ({"truth": TRUTH[["marker"]]}, "truth: no column hazard_ratio"),
        ({"values": [np.nan, np.nan]}, "values: none of 2 is known"),
        ({"searched": (0.6, 0.7, 0.9)}, "interval 0.7 to 0.9 does not hold 0.6"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        plot_dose_response(options.pop("curve", CURVE), **options)
