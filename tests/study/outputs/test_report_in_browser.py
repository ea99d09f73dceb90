"""The report in a real browser: what is on the first screen, what stays in sight, what a phone and a printer show."""

from __future__ import annotations

import pytest

from analysis.study.outputs import write
from tests.browser import opened

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


@pytest.fixture(scope="module")
def report(results, drawings, tmp_path_factory):
    """The synthetic report's page, with few draws."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(write._report(results, drawings, {}, []), encoding="utf-8")
    return path


@pytest.fixture
def page(browser, report):
    page, seen = opened(browser, report, width=1280, height=800)
    yield page
    page.close()
    assert seen.requests == [report.as_uri()]
    assert not seen.complaints


def box(page, selector):
    return page.locator(selector).first.bounding_box()


def test_the_first_screen_holds_story_figure_three_numbers_and_the_way_to_the_cautions(page):
    assert "LFA-1" in page.locator(".story").inner_text()
    assert page.locator(".tile").count() == 3
    for selector in (".story", ".opening .drawing svg", ".tile:nth-child(3)", ".cautions summary"):
        place = box(page, selector)
        assert place["y"] + place["height"] <= 800, selector
    page.locator(".cautions summary").click()
    links = page.locator(".cautions a")
    assert links.count() == len(page.locator(".cautions li").all()) > 0


def test_the_main_part_is_at_most_twelve_screens(page):
    ends = page.evaluate(
        "[...document.querySelectorAll('main > section:not(.supplement)')].map(e => e.getBoundingClientRect().bottom)"
    )
    start = page.locator("main").bounding_box()["y"]
    assert (max(ends) - start) / 800 <= 12


def test_the_contents_stay_in_sight_and_every_link_leads_somewhere(page):
    page.evaluate("window.scrollTo(0, 4000)")
    place = box(page, "nav")
    assert place["y"] < 800
    assert place["y"] + place["height"] > 0
    lost = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    assert lost == []
    assert "[[" not in page.locator("body").inner_text()


def test_a_link_into_the_supplement_opens_it(page):
    assert not page.locator("#table-imputed .scroll").is_visible()
    page.locator("#table-threats a[href='#table-imputed']").click()
    page.locator("#table-imputed .scroll").wait_for(state="visible")


def test_folds_are_open_on_paper(page):
    page.emulate_media(media="print")
    heights = page.evaluate(
        "[...document.querySelectorAll('details .scroll')].map(e => e.getBoundingClientRect().height)"
    )
    assert min(heights) > 0


@pytest.mark.parametrize("width", [390, 820])
def test_no_page_scrolls_sideways(browser, report, width):
    page, _ = opened(browser, report, width=width, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".to-contents").is_visible()
    page.close()
