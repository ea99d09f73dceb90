"""Panels of curves: facets and their tables, axes that are given, options, languages; read off the axes."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis import InputError, plot_adjusted, plot_cumulative_incidence, plot_survival
from tests.present.reading import WIDTHS, lines, words

TWO = ["low", "reference"]
SITES = ["first site", "second site", "third site", "fourth site"]
TIMES = (0, 12, 24, 36, 48)


@pytest.fixture
def by_site(make_curves, make_risk):
    """Curves, risk and medians of so many sites, each with its own size."""

    def make(n):
        curves, risk, medians = [], [], []
        for place, site in enumerate(SITES[:n]):
            part = make_curves(TWO).assign(n_risk=lambda rows, more=place: rows["n_risk"] + 100 * more)
            curves.append(part.assign(site=site))
            risk.append(
                make_risk(make_curves(TWO), TIMES).assign(site=site, n_risk=lambda r, m=place: r.n_risk + 100 * m)
            )
            medians.append(
                pd.DataFrame({"stratum": TWO, "probability": 0.5, "time": [20.0, 30.0 + place], "site": site})
            )
        return {"curves": pd.concat(curves), "risk": pd.concat(risk), "medians": pd.concat(medians)}

    return make


def numbers_under(ax):
    """The numbers under an axis, in reading order of rows and times."""
    cells = [text for text in ax.texts if text.get_horizontalalignment() == "center" and text.xyann[1] < -10]
    return [text.get_text() for text in sorted(cells, key=lambda text: (-text.xyann[1], text.xy[0]))]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("n", [2, 3, 4])
def test_facets_share_axes_and_each_stands_over_its_numbers(by_site, collisions, n, width):
    frames = by_site(n)
    figure = plot_survival(frames["curves"], risk=frames["risk"], medians=frames["medians"], facet="site", width=width)
    assert [ax.get_title(loc="left") for ax in figure.axes] == SITES[:n]
    assert len({(ax.get_xlim(), ax.get_ylim(), tuple(ax.get_xticks())) for ax in figure.axes}) == 1
    ticks = set(figure.axes[0].get_xticks())
    for ax, site in zip(figure.axes, SITES, strict=False):
        mine = frames["risk"][(frames["risk"]["site"] == site) & frames["risk"]["time"].isin(ticks)]
        assert numbers_under(ax) == [str(count) for count in mine["n_risk"]]
    assert collisions(figure) == []
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    assert not any(a.overlaps(b) for place, a in enumerate(boxes) for b in boxes[place + 1 :])


def test_a_facet_that_a_frame_lacks_is_refused_with_the_remedy(by_site):
    frames = by_site(2)
    with pytest.raises(InputError, match=r"facet='site': no such column in risk; make each level's frames with"):
        plot_survival(frames["curves"], risk=frames["risk"].drop(columns="site"), facet="site")
    first = frames["risk"][frames["risk"]["site"] == "first site"]
    with pytest.raises(InputError, match="facet='site': risk has no rows for 'second site'"):
        plot_survival(frames["curves"], risk=first, facet="site")
    with pytest.raises(InputError, match="facet='site' makes axes of its own, and ax was given"):
        plot_survival(frames["curves"], facet="site", ax=Figure().subplots())


@pytest.mark.parametrize("engine", [None, "constrained"])
@pytest.mark.parametrize("risk_rows", ["at_risk", "kmunicate"])
def test_given_axes_make_room_for_names_and_numbers(make_curves, make_risk, risk_rows, engine):
    figure = Figure(figsize=(10, 8), layout=engine)
    grid = figure.subplots(2, 2)
    for ax in grid.flat:
        ax.plot([0, 1])
        ax.set_ylabel("something else")
    ax = grid[0, 0]
    ax.clear()
    curves = make_curves(TWO)
    risk = make_risk(curves, TIMES)
    plot_survival(curves, risk=risk, risk_rows=risk_rows, descriptions={"low": "< 0.75 mmol/L"}, ax=ax)
    figure.draw_without_rendering()
    mine = ax.get_tightbbox()
    page = figure.bbox
    assert page.x0 <= mine.x0
    assert page.y0 <= mine.y0
    assert not any(mine.overlaps(other.get_tightbbox()) for other in grid.flat if other is not ax)
    assert numbers_under(ax)


def test_axes_too_small_for_their_numbers_are_refused_with_the_size_they_need(make_curves, make_risk):
    ax = Figure(figsize=(3, 1.2)).subplots()
    curves = make_curves(TWO)
    with pytest.raises(InputError, match=r"ax: .* points would be left for the curves .* make the figure about \d+ by"):
        plot_survival(curves, risk=make_risk(curves, TIMES), ax=ax, risk_rows="kmunicate")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["de", "fr", "it", "es"])
@pytest.mark.parametrize("risk_rows", ["at_risk", "at_risk_events", "kmunicate"])
def test_words_of_other_languages_are_whole_and_on_the_page(
    make_curves, make_risk, collisions, language, width, risk_rows
):
    curves = make_curves(TWO)
    figure = plot_survival(
        curves,
        risk=make_risk(curves, TIMES),
        medians=pd.DataFrame({"stratum": TWO, "probability": 0.5, "time": [17.04, 31.5]}),
        truth=curves[["stratum", "time", "survival"]],
        logrank_p=0.0123,
        words=language,
        risk_rows=risk_rows,
        width=width,
    )
    assert collisions(figure) == []
    assert {"17,0", "0,012"} <= set(words(figure))
    assert not {"At risk", "median", "true curve", "Survival", "Months"} & {
        text.get_text() for text in figure.findobj(mpl.text.Text)
    }


def test_german_words_and_marks_are_those_of_the_field(make_curves, make_risk):
    curves = make_curves(TWO).assign(n_risk=lambda rows: 1000 + rows["n_risk"])
    risk = make_risk(curves, TIMES).assign(n_risk=1234)
    figure = plot_survival(curves, risk=risk, words="de", risk_rows="kmunicate")
    ax = figure.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Monate", "Überleben")
    assert {"Unter Risiko", "Zensiert", "Ereignisse", "1.234"} <= set(words(figure))
    assert [tick.get_text() for tick in ax.get_yticklabels()][-1] == "100\N{NO-BREAK SPACE}%"


def test_single_words_can_be_replaced(make_curves, make_risk):
    curves = make_curves(TWO)
    medians = pd.DataFrame({"stratum": TWO, "probability": 0.5, "time": [17.04, 31.5]})
    given = {"At risk": "Still here", "decimal": "·"}
    figure = plot_survival(curves, risk=make_risk(curves, TIMES), medians=medians, words=given)
    assert {"Still here", "17·0", "median"} <= set(words(figure))


def test_bands_marks_lines_and_height_are_as_asked(make_curves):
    curves = make_curves(TWO)
    figure = plot_survival(curves, band=False, censor_marks=False, linestyles=["-", ":"], height=40)
    ax = figure.axes[0]
    assert not ax.collections
    assert not [label for label in lines(ax) if "censored" in label]
    assert [lines(ax)[label].get_linestyle() for label in TWO] == ["-", ":"]
    assert ax.get_window_extent().height / figure.dpi * 25.4 == pytest.approx(40, abs=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"risk_rows": "events"}, "risk_rows='events'"),
        ({"height": 3}, "height=3"),
        ({"words": "nl"}, "words='nl': the languages are 'en', 'de', 'fr', 'it', 'es'; for another, give a mapping"),
        ({"words": {"Alive": "x"}}, "words: no figure writes 'Alive'; the keys are 'Survival'"),
        ({"palette": "no such"}, "palette='no such': no palette of that name; take one of seaborn's"),
        ({"palette": ["red"]}, r"palette: 1 given, for 2 strata \('low', 'reference'\); give a colour for each"),
        ({"palette": {"low": "red"}}, "palette: no colour for 'reference'; it has 'low'"),
        ({"palette": ["red", "nothing"]}, "palette: 'nothing' is no colour that matplotlib knows"),
        ({"linestyles": "wavy"}, "linestyles: 'wavy' is no line style: -, --"),
    ],
)
def test_options_that_do_not_exist_are_refused_with_those_that_do(make_curves, options, message):
    with pytest.raises(InputError, match=message):
        plot_survival(make_curves(TWO), **options)


def test_incidence_has_its_numbers_once_for_all_causes(make_curves, make_risk):
    rising = make_curves(TWO).assign(incidence=lambda rows: 1 - rows["survival"])
    limits = rising.assign(
        conf_low=(rising["incidence"] - 0.1).clip(0), conf_high=(rising["incidence"] + 0.1).clip(0, 1)
    )
    curves = pd.concat([limits.assign(cause="progression"), limits.assign(cause="death", incidence=0.0)])
    figure = plot_cumulative_incidence(curves, risk=make_risk(make_curves(TWO), TIMES), words="de")
    first, second = figure.axes
    assert numbers_under(first)
    assert not numbers_under(second)
    assert first.get_ylabel() == "Kumulative Inzidenz"


def test_both_panels_of_adjusted_curves_have_the_strata_and_their_marks_of_time(make_curves, make_risk):
    curves = make_curves(TWO)
    figure = plot_adjusted(curves, curves, risk=make_risk(curves, TIMES), palette=["black", "0.6"], words="fr")
    before, after = figure.axes
    assert np.array_equal(before.get_xticks(), after.get_xticks())
    for ax in figure.axes:
        assert {line.get_color() for label, line in lines(ax).items() if label in TWO} == {"#000000", "#999999"}
