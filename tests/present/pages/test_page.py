"""The page: one file, nothing loaded, nothing run, everything escaped."""

import base64
import itertools
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from analysis import InputError, csv_text, display_frame
from analysis.present.pages.page import FigureBlock, Note, Prose, Section, TableBlock, marked_up, render_page

VOID = {"meta", "br", "img", "link", "hr", "input"}
LOADING = {"src", "srcset", "action", "poster", "background", "formaction"}


class Reader(HTMLParser):
    """Collects tags with their attributes, and checks that they are nested."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture
def frame(hostile):
    return pd.DataFrame({"stratum": [hostile, "=1+1"], "n": [12, 1441]})


@pytest.fixture
def page(frame, hostile):
    table = TableBlock("counts", f"Counts {hostile}", frame, display_frame(frame), note=f"Note {hostile}")
    figure = FigureBlock(
        "counts", "Curves", '<svg role="img" aria-label="Two curves."></svg>', "Two curves.", f"**{hostile}**"
    )
    blocks = (Prose(f"One {hostile}\n\nTwo **bold**."), Note(hostile, "caution"), table, figure)
    sections = (Section("first", f"First {hostile}", blocks), Section("second", "Second", ()))
    return render_page(hostile, banner=hostile, summary=(hostile,), sections=sections, footer=hostile)


def test_everything_given_is_escaped_and_still_there(page, hostile):
    reader = read(page)
    assert "b" not in [tag for tag, _ in reader.tags]
    assert reader.text.count(hostile) >= 9
    assert [attributes["content"] for tag, attributes in reader.tags if attributes.get("name") == "viewport"]


def test_nothing_is_loaded_and_nothing_runs(page):
    reader = read(page)
    tags = {tag for tag, _ in reader.tags}
    assert not tags & {"script", "iframe", "object", "embed", "link", "form", "img", "base"}
    for _, attributes in reader.tags:
        assert not LOADING & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert "@import" not in page
    assert "url(" not in page
    (policy,) = [a["content"] for _, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy


def test_links_lead_to_the_page_itself_to_data_or_to_a_doi(page):
    links = [attributes["href"] for tag, attributes in read(page).tags if tag == "a"]
    assert links
    assert all(link.startswith(("#", "data:text/csv", "https://doi.org/")) for link in links)


def test_the_contents_lead_to_every_section_and_ids_are_unique(page):
    tags = read(page).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    anchors = [attributes["href"][1:] for tag, attributes in tags if tag == "a" and attributes["href"].startswith("#")]
    assert {"first", "second"} <= set(anchors) <= set(ids)
    labels = [attributes["aria-labelledby"] for _, attributes in tags if "aria-labelledby" in attributes]
    assert set(labels) <= set(ids)


def test_headings_stand_in_order(page):
    levels = [int(tag[1]) for tag, _ in read(page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))


def test_the_table_comes_as_the_csv_that_lies_beside_the_page(page, frame):
    (link,) = [attributes for tag, attributes in read(page).tags if tag == "a" and "download" in attributes]
    assert link["download"] == "counts.csv"
    head, _, content = link["href"].partition("base64,")
    assert head == "data:text/csv;charset=utf-8;"
    assert base64.b64decode(content).decode() == csv_text(frame)
    assert "'=1+1" in csv_text(frame)


def test_the_page_repeats_and_needs_no_part(frame):
    assert render_page("Empty") == render_page("Empty")
    reader = read(render_page("Empty"))
    assert "banner" not in [attributes.get("class") for _, attributes in reader.tags]
    assert "footer" not in [tag for tag, _ in reader.tags]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** and **b c**", "<strong>a</strong> and <strong>b c</strong>"),
        ("2 ** 3 ** 4", "2 ** 3 ** 4"),
        ("**<script>**", "<strong>&lt;script&gt;</strong>"),
        ("a 'quote' & \"two\"", "a &#x27;quote&#x27; &amp; &quot;two&quot;"),
        ("(10.1000/x)", '(<a href="https://doi.org/10.1000/x">10.1000/x</a>)'),
        ('10.1000/x"onclick=1', '<a href="https://doi.org/10.1000/x">10.1000/x</a>&quot;onclick=1'),
        ("10.5 of 10.1 months", "10.5 of 10.1 months"),
    ],
)
def test_markup_is_small_and_safe(text, html):
    assert marked_up(text) == html


def test_a_note_of_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="note kind 'danger': choose one of caution, synthetic, info"):
        Note("x", "danger")


def test_two_things_of_one_name_are_refused(frame):
    table = TableBlock("counts", "Counts", frame, display_frame(frame))
    with pytest.raises(InputError, match="used twice on one page: table-counts"):
        render_page("x", sections=(Section("a", "A", (table, table)),))
    with pytest.raises(InputError, match="used twice on one page: a;"):
        render_page("x", sections=(Section("a", "A", ()), Section("a", "B", ())))


def luminance(color):
    """Relative luminance as WCAG 2 defines it."""
    full = color if len(color) == 7 else "#" + "".join(2 * digit for digit in color[1:])
    parts = [int(full[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def palettes():
    """The colours of the page by name: light, then dark."""
    light, dark = re.findall(r":root \{([^}]*--paper[^}]*)\}", render_page("x"))
    return [dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", text)) for text in (light, dark)]


def contrast(one, other):
    """The contrast of two colours as WCAG 2 defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colors", palettes(), ids=["light", "dark"])
def test_words_have_the_contrast_of_wcag_aa_on_every_ground(colors):
    for ground in (colors["paper"], colors["faint"]):
        for name in ("ink", "soft", "link", "alert"):
            assert contrast(ground, colors[name]) >= 4.5, name
    assert contrast(colors["head"], "#ffffff") >= 4.5


@pytest.mark.parametrize("colors", palettes(), ids=["light", "dark"])
def test_the_mark_of_focus_is_seen_on_every_ground(colors):
    for ground in (colors["paper"], colors["faint"]):
        assert contrast(ground, colors["focus"]) >= 3


@pytest.mark.parametrize(("rows", "long"), [(24, False), (25, True)])
def test_a_long_table_gets_a_window_that_the_keyboard_reaches(rows, long):
    frame = pd.DataFrame({"n": range(rows)})
    page = render_page("x", sections=[Section("one", "One", (TableBlock("t", "T", frame, display_frame(frame)),))])
    window = next(attributes for _, attributes in read(page).tags if "scroll" in attributes.get("class", ""))
    assert window["class"].split() == (["scroll", "long"] if long else ["scroll"])
    assert (window["role"], window["tabindex"], window["aria-label"]) == ("region", "0", "T")
