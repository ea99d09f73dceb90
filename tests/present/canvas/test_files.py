"""Figures as files: the same bytes each time, words inside, ids that do not collide."""

import re
import time
import xml.etree.ElementTree as ET

import matplotlib as mpl
import pytest
from PIL import Image

from analysis import InputError, figure_svg, plot_survival, save_figure
from analysis.present.canvas import batch_of_figures, page_svg

ALT = 'Two curves & a "truth": α < β, naïve.'


@pytest.fixture
def figure(make_curves):
    return plot_survival(make_curves(["low", "reference"]), title="A finding", synthetic=True)


def test_each_ending_is_there_and_bytes_repeat(figure, make_curves, tmp_path, monkeypatch):
    first = save_figure(figure, tmp_path / "one.two", alt=ALT, title="Curves")
    assert [path.name for path in first] == ["one.two.png", "one.two.svg", "one.two.pdf"]
    monkeypatch.setattr(time, "time", lambda: 2e9)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    again = plot_survival(make_curves(["low", "reference"]), title="A finding", synthetic=True)
    (tmp_path / "other").mkdir()
    second = save_figure(again, tmp_path / "other" / "one.two", alt=ALT, title="Curves")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.suffix


def test_bytes_of_a_batch_do_not_depend_on_the_users_settings(figure, make_curves, tmp_path):
    first = save_figure(figure, tmp_path / "a", alt=ALT)
    settings = {"font.size": 20, "svg.fonttype": "path", "lines.linewidth": 9, "axes.grid": True, "savefig.dpi": 50}
    with mpl.rc_context(settings), batch_of_figures():
        again = plot_survival(make_curves(["low", "reference"]), title="A finding", synthetic=True)
        second = save_figure(again, tmp_path / "b" / "a", alt=ALT)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.suffix


def test_png_has_300_dpi_and_its_words(figure, tmp_path):
    path, _, _ = save_figure(figure, tmp_path / "a", alt=ALT, title="Curves")
    with Image.open(path) as image:
        assert image.info["Description"] == ALT
        assert image.info["Title"] == "Curves"
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_pdf_has_its_words_and_no_date(figure, tmp_path):
    _, _, path = save_figure(figure, tmp_path / "a", alt="Two curves.", title="Curves")
    content = path.read_bytes()
    assert b"/Subject (Two curves.)" in content
    assert b"/Title (Curves)" in content
    assert b"CreationDate" not in content
    assert b"/Subtype /Type3" not in content


def test_svg_is_an_image_with_words_and_without_links(figure, tmp_path):
    _, path, _ = save_figure(figure, tmp_path / "a", alt=ALT, title="Curves <1>")
    root = ET.parse(path).getroot()
    assert root.get("role") == "img"
    assert root.get("aria-label") == ALT
    name = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{name}title").text == "Curves <1>"
    assert root.find(f"{name}desc").text == ALT
    assert root.find(f".//{name}metadata") is None
    assert root.find(f".//{name}image") is None
    assert not re.search(r'href="(?!#)', path.read_text(encoding="utf-8"))


def test_the_page_shows_the_drawing_of_the_file_without_its_title(figure, tmp_path):
    _, path, _ = save_figure(figure, tmp_path / "a", alt="<title> & alt", title="Curves <1>")
    assert page_svg(path) == figure_svg(figure, alt="<title> & alt", prefix="a")


def test_two_drawings_on_one_page_share_no_id(figure):
    first, second = (figure_svg(figure, alt=ALT, prefix=prefix) for prefix in ("a", "b c"))
    ids = [set(re.findall(r'\bid="([^"]+)"', markup)) for markup in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for markup, known in zip((first, second), ids, strict=True):
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', markup))
        assert used <= known
    assert first.startswith("<svg")


def test_formats_and_resolution_are_as_asked(figure, tmp_path):
    tiff, pdf = save_figure(figure, tmp_path / "a", formats=("tiff", "pdf"), dpi=600, alt=ALT, title="Curves")
    assert (tiff.name, pdf.name) == ("a.tiff", "a.pdf")
    with Image.open(tiff) as image:
        assert (image.mode, image.info["compression"]) == ("RGB", "tiff_lzw")
        assert image.info["dpi"] == pytest.approx((600, 600), abs=0.1)
        assert image.width == pytest.approx(174 / 25.4 * 600, abs=1)
        assert image.tag_v2[270].startswith("Curves. Two curves")
    again = save_figure(figure, tmp_path / "again" / "a", formats=("tiff",), dpi=600, alt=ALT, title="Curves")
    assert again[0].read_bytes() == tiff.read_bytes()


@pytest.mark.parametrize(
    ("name", "written"),
    [("a.pdf", ["a.pdf"]), ("a.TIFF", ["a.tiff"]), ("fig.1", ["fig.1.png", "fig.1.svg", "fig.1.pdf"])],
)
def test_an_ending_that_is_a_format_is_the_one_file(figure, tmp_path, name, written):
    assert [path.name for path in save_figure(figure, tmp_path / name)] == written


def test_formats_that_do_not_exist_are_refused(figure, tmp_path):
    with pytest.raises(InputError, match="formats='eps'"):
        save_figure(figure, tmp_path / "a", formats=("png", "eps"))
    with pytest.raises(InputError, match=r"formats='tiff': give one or more in a list"):
        save_figure(figure, tmp_path / "a", formats="tiff")
    with pytest.raises(InputError, match="dpi=0"):
        save_figure(figure, tmp_path / "a", dpi=0)
    with pytest.raises(InputError, match="svg_text='outline'"):
        save_figure(figure, tmp_path / "a", svg_text="outline")


def test_text_in_svg_can_be_searched_or_is_drawn_as_paths(figure):
    text, paths = figure_svg(figure, alt=ALT), figure_svg(figure, alt=ALT, svg_text="paths")
    assert re.search(r"<text[^>]*>reference</text>", text)
    assert "<text" not in paths
    assert "<!-- reference -->" in paths


def test_the_face_of_text_in_svg_ends_in_one_that_every_reader_has(figure):
    faces = set(re.findall(r"font-family: ([^;\"]*)", figure_svg(figure, alt=ALT)))
    assert faces
    assert all(face.endswith("sans-serif") for face in faces)


@pytest.mark.parametrize("dpi", [None, 100])
def test_pixels_take_the_users_resolution_unless_one_is_given(figure, tmp_path, dpi):
    with mpl.rc_context({"savefig.dpi": 50}):
        (path,) = save_figure(figure, tmp_path / "a.png", dpi=dpi)
    with Image.open(path) as image:
        assert image.info["dpi"] == pytest.approx((dpi or 50,) * 2, abs=0.1)
