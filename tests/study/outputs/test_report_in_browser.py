"""The report in a real browser: what is on the first screen, what stays in sight, what a phone and a printer show."""

from __future__ import annotations

import re
from itertools import pairwise

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


@pytest.fixture
def phone(browser, report):
    page, _ = opened(browser, report, width=390, height=844)
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    yield page
    page.close()


def test_figures_fit_a_phone_with_words_of_nine_pixels_and_more(phone, results):
    shown = phone.evaluate(
        """[...document.querySelectorAll('.drawing svg')].filter(e => e.checkVisibility()).map(e => {
            const scale = e.getBoundingClientRect().width / e.viewBox.baseVal.width
            const sizes = [...e.querySelectorAll('text')].filter(t => t.textContent.trim())
                .map(t => scale * parseFloat(getComputedStyle(t).fontSize))
            return [e.getBoundingClientRect().width, e.parentElement.clientWidth, Math.min(...sizes)]
        })"""
    )
    assert len(shown) == len(results.figures)
    assert all(width <= room for width, room, _ in shown)
    assert min(size for *_, size in shown) >= 9


def test_the_main_part_is_at_most_twelve_printed_pages_and_nothing_is_cut_at_the_edge(page):
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1000})  # A4 less its margins, in pixels
    beyond = page.evaluate(
        "[...document.querySelectorAll('table, svg')].filter(e => e.getBoundingClientRect().right > 689).length"
    )
    assert beyond == 0
    page.add_style_tag(content="h2.part, section.supplement, footer { display: none }")
    pages = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", prefer_css_page_size=True))
    assert 5 < len(pages) <= 12


CONTRASTS = """() => {
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
    const parts = color => color.match(/[\\d.]+/g).map(Number)
    const ground = e => {
        for (; e; e = e.parentElement) {
            const color = parts(getComputedStyle(e).backgroundColor)
            if (color.length < 4 || color[3] === 1) return color
        }
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const found = []
    for (let node; (node = walker.nextNode());) {
        const e = node.parentElement
        if (!node.textContent.trim() || !e.checkVisibility() || e.closest('svg, .skip')) continue
        const [a, b] = [light(parts(getComputedStyle(e).color)), light(ground(e))]
        found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.textContent.trim().slice(0, 40)])
    }
    return found
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground_and_figures_keep_a_light_one(browser, report, scheme):
    page, _ = opened(browser, report, width=1280, height=800, color_scheme=scheme)
    found = page.evaluate(CONTRASTS)
    assert len(found) > 300
    assert [text for contrast, text in found if contrast < 4.5] == []
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    drawing = page.evaluate("getComputedStyle(document.querySelector('.drawing')).backgroundColor")
    assert drawing == "rgb(255, 255, 255)"
    page.close()


def test_everything_lies_in_a_landmark_headings_descend_by_one_and_figures_have_words(page):
    outside = page.evaluate(
        """[...document.querySelectorAll('body *')].filter(e => e.childElementCount === 0 && e.textContent.trim()
            && !e.closest('aside, header, nav, main, footer, section[aria-label], .skip, script, style'))
            .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert outside == []
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(e => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    words = page.evaluate(
        "[...document.querySelectorAll('svg[role=img]')].map(e => e.getAttribute('aria-label').length)"
    )
    assert len(words) == page.evaluate("document.querySelectorAll('.drawing svg').length")
    assert min(words) > 40
