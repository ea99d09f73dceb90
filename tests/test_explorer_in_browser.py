"""The explorer in a real browser: it opens from a file, asks for nothing, and shows the numbers of its frames."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest

from analysis import load_example, write_cohort
from analysis.study.outputs import explorer as explorer_module
from analysis.study.outputs.explorer import explorer_display, explorer_frames, write_explorer
from analysis.study.outputs.write import write_outputs
from analysis.study.plan.plan import StudyPlan
from analysis.study.prepare import prepare_study
from analysis.study.report.results import StudyResults
from analysis.study.report.sections.survival import survival_section
from analysis.study.run import synthetic_plan
from tests.browser import Seen, opened
from tests.present.pages.explorer_frames import all_words

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")

HOSTILE = "</script><img src=x onerror=alert(1)>"
PLAN = """[data]
path = "cohort.csv"
[marker]
column = "age"
label = '''LABEL'''
unit = 'µ<&%"y'
per = 10
direction = "higher"
[strata]
edges = [60]
labels = ["younger", "older"]
source = "set beforehand"
[[endpoints]]
name = '''=Ω & <b>50 %</b>'''
duration = "os_days"
event = "os_event"
time_unit = "days"
"""
# the contrast of every visible text with what lies behind it, by the formula of WCAG 2
CONTRASTS = """
() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
                           return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
                          if (c[3] === 255) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('body *')]
    .filter((e) => !e.closest('svg, script, noscript, .skip') && e.checkVisibility()
                   && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
    .map((e) => { const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))];
                  return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.textContent.trim().slice(0, 40)]; });
}
"""


@pytest.fixture(scope="module")
def study():
    return prepare_study(synthetic_plan())


@pytest.fixture(scope="module")
def frames(study):
    return explorer_frames(study)


@pytest.fixture(scope="module")
def explorer(study, frames, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explorer_module, "explorer_frames", lambda study: frames)  # they take a while
        return write_explorer(study, tmp_path_factory.mktemp("explorer") / "explorer.html", report="report.html")


@pytest.fixture
def shown(browser, explorer):
    page, seen = opened(browser, explorer)
    page.wait_for_function("document.body.dataset.drawn === '0'")
    yield page, seen
    page.close()
    assert seen.requests == [explorer.as_uri()]
    assert not seen.complaints


def expected(frames, number, place):
    """The words of one cut, from the frames."""
    search = frames.searches.to_dict("records")[number]
    return all_words(frames, search, unit="mmol/L", time_unit="months")[place]


def read(page):
    """The numbers on the page."""
    ids = {"value": "value", "mark": "mark", "ratio": "ratio", "adjusted": "adjusted"}
    ids |= {"p_naive": "p-naive", "p_corrected": "p-corrected", "caution": "caution"}
    numbers = {name: page.locator(f"#{place}").text_content() for name, place in ids.items()}
    rows = page.locator("#groups tbody tr").all()
    groups = [[row.locator("th span").text_content(), *row.locator("td").all_text_contents()] for row in rows]
    return {**numbers, "groups": groups}


def check_agrees(page, frames, number, place):
    """Whether the page shows one cut of one endpoint, in every part of it."""
    words = expected(frames, number, place)
    assert page.locator("body").get_attribute("data-shown") == f"{number}:{place}"
    assert read(page) == {name: getattr(words, name) for name in read(page)}
    assert page.locator("#cut").get_attribute("aria-valuetext") == words.spoken
    assert page.locator("#curves").get_attribute("aria-label") == words.curves_alt
    risk = frames.risk[frames.risk["endpoint"] == frames.searches["endpoint"].iloc[number]]
    risk = risk[(risk["place"] == place) & (risk["group"] == "high")]
    tiles = [
        [tile.locator("span").text_content(), *tile.locator("strong").all_text_contents()]
        for tile in page.locator("#milestones p").all()
    ]
    sides = [group[0] for group in words.groups]
    assert tiles == [
        [heading, *(f"{side}: {share}" for side, share in zip(sides, shares, strict=True))]
        for heading, *shares in words.milestones
    ]
    cells = page.locator("#risk tbody tr.high td").all_text_contents()
    assert cells == [f"{row.n_risk} ({row.n_event})" for row in risk.itertuples()]


def test_the_slider_moves_by_keyboard_and_all_numbers_with_it(shown, frames):
    page, _ = shown
    slider = page.get_by_role("slider", name="Cut of Serum magnesium")
    start = int(slider.input_value())
    check_agrees(page, frames, 0, start)
    slider.focus()
    curve = page.locator("#curves svg").inner_html()
    point = page.locator("#scan svg").inner_html()
    page.keyboard.press("ArrowRight")
    check_agrees(page, frames, 0, start + 1)
    page.wait_for_function("before => document.querySelector('#curves svg').innerHTML !== before", arg=curve)
    page.wait_for_function("before => document.querySelector('#scan svg').innerHTML !== before", arg=point)
    page.keyboard.press("End")
    check_agrees(page, frames, 0, int(frames.cuts["place"].max()))
    page.keyboard.press("Home")
    check_agrees(page, frames, 0, 0)


def test_every_cut_of_every_endpoint_shows_its_own_numbers(shown, frames):
    page, _ = shown
    for number, name in enumerate(frames.searches["endpoint"]):
        page.get_by_label(name, exact=True).check()
        page.wait_for_function("number => document.body.dataset.drawn === String(number)", arg=number)
        for place in range(0, int(frames.cuts["place"].max()) + 1, 5):
            page.locator("#cut").fill(str(place))
            check_agrees(page, frames, number, place)


def test_a_button_jumps_to_its_cut_and_what_it_says_is_spoken(shown, frames):
    page, _ = shown
    page.get_by_role("button", name="best of the search").click()
    place = int(frames.cuts[frames.cuts["found"]]["place"].iloc[0])
    check_agrees(page, frames, 0, place)
    words = expected(frames, 0, place).sentence
    page.wait_for_function("words => document.getElementById('spoken').textContent === words", arg=words)
    assert page.locator("#spoken").get_attribute("aria-live") == "polite"


def test_the_page_draws_inside_a_notebook(browser, study, frames, monkeypatch):
    monkeypatch.setattr(explorer_module, "explorer_frames", lambda study: frames)
    page = browser.new_page()
    page.set_content(f"<body>{explorer_display(study)._repr_html_()}</body>")
    inside = page.frame_locator("iframe")
    inside.locator("#curves svg").wait_for()
    assert (
        inside.locator("#ratio").text_content() == expected(frames, 0, int(inside.locator("#cut").input_value())).ratio
    )
    page.close()


@pytest.mark.parametrize("width", [1100, 550, 390, 320])  # 550 is 1100 at 200 % zoom
def test_the_page_fits_its_window_and_its_text_can_be_read(browser, explorer, width):
    page, seen = opened(browser, explorer, width=width)
    page.wait_for_function("document.body.dataset.drawn === '0'")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    charts = page.locator(".chart svg").all()
    assert len(charts) == 3
    assert all(0.5 * width < chart.bounding_box()["width"] + 0.45 * (width > 900) * width for chart in charts)
    poor = [(text, round(ratio, 2)) for ratio, text in page.evaluate(CONTRASTS) if ratio < 4.5]
    assert not poor
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((head) => Number(head.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert seen == Seen(requests=[explorer.as_uri()])
    page.close()


@pytest.fixture
def hostile(tmp_path):
    write_cohort(load_example("lung")[["os_days", "os_event", "age"]], tmp_path / "cohort.csv")
    (tmp_path / "plan.toml").write_text(PLAN.replace("LABEL", HOSTILE), encoding="utf-8")
    return prepare_study(StudyPlan.from_toml(tmp_path / "plan.toml"))


def test_hostile_labels_run_nothing(browser, hostile, tmp_path):
    path = write_explorer(hostile, tmp_path / "explorer.html")
    page, seen = opened(browser, path)
    page.wait_for_function("document.body.dataset.drawn === '0'")
    assert page.locator("img").count() == 0
    assert HOSTILE in page.locator("h1").text_content()
    assert page.locator("#scan svg").get_by_text(HOSTILE).count() == 1
    assert page.locator("#groups tbody th span").first.text_content() == '< 60 µ<&%"y'
    assert page.locator("#curves svg").get_by_text("=Ω & <b>50 %</b>").count() == 1
    assert seen == Seen(requests=[path.as_uri()])
    page.close()


def test_the_report_asks_for_nothing_either(browser, hostile, tmp_path):
    write_outputs(StudyResults(hostile, (HOSTILE,), (survival_section(hostile),)), tmp_path / "build")
    path = tmp_path / "build" / "report.html"
    page, seen = opened(browser, path, width=390)
    assert page.locator(".drawing svg:visible").count() == 1
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert seen == Seen(requests=[path.as_uri()])
    page.close()


def test_the_heading_has_the_width_of_the_page(browser, explorer):
    page, _ = opened(browser, explorer, width=1280)
    heading, content = (page.locator(name).first.bounding_box() for name in ("header", "main"))
    assert heading["x"] == content["x"]
    assert heading["width"] == content["width"]
    page.close()


def survival_in_words(frames, number, place, time):
    """Survival of both groups at a time, from the steps of the frames."""
    curves = frames.curves[frames.curves["endpoint"] == frames.searches["endpoint"].iloc[number]]
    words = []
    for group in ("low", "high"):
        steps = curves[(curves["place"] == place) & (curves["group"] == group)]
        row = steps[steps["time"] <= time].iloc[-1]
        shares = [f"{100 * row[name]:.0f}" for name in ("survival", "conf_low", "conf_high")]
        ended = time > steps["time"].max()
        words.append("beyond follow-up" if ended else "{}% ({} to {})".format(*shares))
    sides = [group[0] for group in expected(frames, number, place).groups]
    return "; ".join(f"{side}: {word}" for side, word in zip(sides, words, strict=True))


def test_a_line_reads_survival_off_both_curves_by_keyboard_and_pointer(shown, frames):
    page, _ = shown
    place = int(page.locator("#cut").input_value())
    time = page.get_by_role("slider", name="Survival at")
    time.fill("12")
    assert page.locator("#reading").text_content() == survival_in_words(frames, 0, place, 12.0)
    assert page.locator("#time-value").text_content() == "12.0 months"
    time.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#reading").text_content() == survival_in_words(frames, 0, place, 12.1)
    assert time.get_attribute("aria-valuetext").endswith(survival_in_words(frames, 0, place, 12.1))
    plot = page.locator("#curves svg .role-frame .background").first.bounding_box()
    page.mouse.move(plot["x"] + plot["width"] / 4, plot["y"] + plot["height"] / 2)
    at = float(time.input_value())
    assert abs(at - float(time.get_attribute("max")) / 4) < 0.2
    assert page.locator("#reading").text_content() == survival_in_words(frames, 0, place, at)


def test_a_link_holds_the_endpoint_and_the_cut(browser, shown, explorer, frames):
    page, _ = shown
    page.get_by_label("Progression-free survival", exact=True).check()
    page.locator("#cut").fill("3")
    address = page.evaluate("location.href")
    again = browser.new_page()
    again.goto(address)
    again.wait_for_function("document.body.dataset.drawn === '1'")
    check_agrees(again, frames, 1, 3)
    assert again.get_by_label("Progression-free survival", exact=True).is_checked()
    again.close()


def test_the_shown_table_saves_as_csv(shown, frames):
    page, _ = shown
    place = int(page.locator("#cut").input_value())
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    table = pd.read_csv(download.value.path(), dtype=str)
    words = expected(frames, 0, place)
    assert download.value.suggested_filename == "cut-0.75.csv"
    assert table["Group"].tolist() == [group[0] for group in words.groups]
    assert table["Events"].tolist() == [group[2] for group in words.groups]
    assert table["Survival at 12 months"].tolist() == words.milestones[0][1:]
    assert table["Hazard ratio, below the cut against the rest (95% CI)"].tolist() == [words.ratio] * 2


def test_the_whole_curve_is_in_sight_on_a_laptop(browser, explorer):
    page, _ = opened(browser, explorer, width=1280, height=800)
    page.wait_for_function("document.body.dataset.drawn === '0'")
    curve = page.locator("#curves svg").bounding_box()
    assert curve["y"] + curve["height"] <= 800
    page.close()
