"""What the user has set in matplotlib and seaborn is respected, and the house style fills in the rest."""

import matplotlib as mpl
import pytest
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from analysis import InputError, figure_style, figure_svg, plot_forest, plot_survival
from analysis.present.canvas import batch_of_figures
from analysis.present.canvas.style import DEFAULT_FACE, LIKE_ARIAL, STROKE, TEXT, drawing_style
from tests.present.conftest import all_words
from tests.present.reading import lines


@pytest.fixture(autouse=True)
def _settings_are_put_back():
    with mpl.rc_context():
        yield


def sizes(figure):
    figure.draw_without_rendering()
    return {round(text.get_fontsize(), 2) for text in all_words(figure)}


def test_nothing_set_is_the_house_style(make_curves):
    figure = plot_survival(make_curves(["low", "reference"]), title="A title", synthetic=True)
    assert sizes(figure) == {7.0, TEXT, 9.5}
    assert lines(figure.axes[0])["low"].get_linewidth() == STROKE
    with figure_style():
        again = plot_survival(make_curves(["low", "reference"]), title="A title", synthetic=True)
    assert figure_svg(figure, alt="") == figure_svg(again, alt="")


def test_size_of_type_and_lines_is_the_users_and_all_type_grows_alike(make_curves, make_risk, collisions):
    curves = make_curves(["low", "reference"])
    risk = make_risk(curves, (0, 12, 24, 36, 48))
    mpl.rcParams.update({"font.size": 15.0, "lines.linewidth": 3.0})
    figure = plot_survival(curves, risk=risk, title="A title", synthetic=True)
    assert sizes(figure) == {14.0, 15.0, 19.0}
    assert lines(figure.axes[0])["low"].get_linewidth() == 3.0
    assert collisions(figure) == []


@pytest.mark.parametrize("context", ["paper", "notebook", "talk"])
def test_contexts_of_seaborn_are_respected_and_no_words_collide(make_curves, make_risk, collisions, context):
    curves = make_curves(["low", "reference"])
    sns.set_theme(context=context)
    figure = plot_survival(curves, risk=make_risk(curves, (0, 12, 24, 36, 48)))
    label = figure.axes[0].xaxis.label
    assert label.get_fontsize() == pytest.approx(sns.plotting_context(context)["axes.labelsize"])
    width = sns.plotting_context(context)["lines.linewidth"]  # matplotlib's own counts as not set
    assert lines(figure.axes[0])["low"].get_linewidth() == (STROKE if width == 1.5 else width)
    assert collisions(figure) == []


def test_the_font_is_the_users_by_family_and_by_list(make_curves):
    mpl.rcParams["font.family"] = "serif"
    assert plot_survival(make_curves(["low"])).axes[0].xaxis.label.get_fontfamily()[0] == "DejaVu Serif"
    mpl.rcParams.update({"font.family": "sans-serif", "font.sans-serif": ["no such face", "DejaVu Sans Mono"]})
    assert plot_survival(make_curves(["low"])).axes[0].xaxis.label.get_fontfamily() == ["DejaVu Sans Mono"]


def test_an_arial_like_face_is_taken_where_one_is_found():
    found = [face for face in LIKE_ARIAL if face in mpl.font_manager.fontManager.get_font_names()]
    with drawing_style():
        assert mpl.rcParams["font.family"] == [*found[:1], DEFAULT_FACE]


@pytest.mark.parametrize("how", ["prop_cycle", "set_palette", "set_theme", "palette", "list", "mapping"])
def test_colours_are_the_users(make_curves, how):
    wanted, options = sns.color_palette("Set2", 2).as_hex(), {}
    if how == "prop_cycle":
        mpl.rcParams["axes.prop_cycle"] = mpl.cycler(color=wanted)
    elif how == "set_palette":
        sns.set_palette("Set2")
    elif how == "set_theme":
        sns.set_theme(palette="Set2")
    else:
        options = {
            "palette": {"palette": "Set2", "list": wanted, "mapping": {"high": wanted[1], "low": wanted[0]}}[how]
        }
    ax = plot_survival(make_curves(["low", "high"]), **options).axes[0]
    assert [to_hex(lines(ax)[label].get_color()) for label in ("low", "high")] == wanted


def test_words_in_pale_colours_of_the_user_are_darkened_until_they_read(make_curves):
    figure = plot_survival(make_curves(["low", "high"]), palette=["#ffff99", "black"])
    (name,) = [text for text in figure.axes[0].texts if text.get_text() == "low"]
    assert to_hex(name.get_color()) != "#ffff99"
    assert sum(mpl.colors.to_rgb(name.get_color())) < 1.6
    assert to_hex(lines(figure.axes[0])["low"].get_color()) == "#ffff99"


def test_the_house_style_can_be_asked_for_and_ground_and_layout_are_always_the_houses(make_curves):
    plain = figure_svg(plot_survival(make_curves(["low", "high"])), alt="")
    plt.style.use("dark_background")
    mpl.rcParams.update({"font.size": 14, "axes.grid": True, "figure.constrained_layout.use": True})
    with figure_style():
        assert figure_svg(plot_survival(make_curves(["low", "high"])), alt="") == plain
    figure = plot_survival(make_curves(["low", "high"]))
    assert to_hex(figure.get_facecolor()) == "#ffffff"
    assert figure.get_layout_engine() is None


def test_slides_have_larger_type_and_lines_and_settings_within_hold(make_curves):
    with figure_style("slides"):
        slide = plot_survival(make_curves(["low"]))
        mpl.rcParams["font.size"] = 13
        larger = plot_survival(make_curves(["low"]))
    assert slide.axes[0].xaxis.label.get_fontsize() == 11
    assert lines(slide.axes[0])["low"].get_linewidth() == 2.2
    assert larger.axes[0].xaxis.label.get_fontsize() == 13


def test_a_style_that_is_not_known_is_refused():
    with pytest.raises(InputError, match="preset='poster': the styles are 'paper', 'slides'"), figure_style("poster"):
        pass


def test_pyplot_knows_a_figure_and_a_batch_stays_out_of_it(make_curves, tmp_path):
    figure = plot_survival(make_curves(["low"]))
    assert plt.gcf() is figure
    plt.savefig(tmp_path / "a.png")
    with batch_of_figures():
        apart = [plot_survival(make_curves(["low"])) for _ in range(25)]  # pyplot would warn after 20
    assert plt.get_fignums() == [figure.number]
    assert figure not in apart
    ratios = mpl.figure.Figure().subplots()
    assert plot_forest_on(ratios) is ratios.figure
    assert plt.get_fignums() == [figure.number]


def plot_forest_on(ax):
    """A forest on axes of another figure."""
    import pandas as pd

    row = {"term": "magnesium", "hazard_ratio": 1.5, "conf_low": 1.2, "conf_high": 1.9}
    return plot_forest(pd.DataFrame([row]), ax=ax)
