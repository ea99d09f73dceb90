"""Tables as a Word file, read back with python-docx and as the XML that it is."""

import sys
import zipfile

import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis import write_word
from analysis.errors import NotSupported
from analysis.present.canvas import save_figure
from analysis.present.pages.page import TableBlock
from analysis.present.pages.word import WordFigure

docx = pytest.importorskip("docx", reason="python-docx (the extra word) is not installed")

DISPLAY = pd.DataFrame(
    {
        "Characteristic": ["Death", "    low", "    high"],
        "Patients": ["", "1,040", "26"],
        "Hazard ratio (95% CI)": ["", "1.30 (1.02 to 1.62)", "1 (reference)"],
        "Difference (95% CI)": ["", "−1.50 (−3.00 to 0.10)", "NR (6.0 to NR)"],
        "p": ["", "<0.001", "0.120"],
    }
)


def block(display, title="Hazards", note="**NR**: not reached."):
    return TableBlock("hazards", title, display, display, note)


def texts(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


@pytest.fixture
def written(tmp_path):
    return write_word([block(DISPLAY)], tmp_path / "tables.docx", title="A study", banner="Synthetic")


def test_intervals_take_an_en_dash_where_no_limit_is_negative(written):
    assert texts(docx.Document(written).tables[0]) == [
        list(DISPLAY.columns),
        ["Death", "", "", "", ""],
        ["low", "1,040", "1.30 (1.02–1.62)", "−1.50 (−3.00 to 0.10)", "<0.001"],
        ["high", "26", "1 (reference)", "NR (6.0–NR)", "0.120"],
    ]


def test_words_with_to_in_a_label_stay_as_they_are(tmp_path):
    label = "1 (2 to 3)"
    path = write_word(
        [block(pd.DataFrame({"Stratum": [label, "other"], "Words": [label, "so"]}))], tmp_path / "t.docx", title="T"
    )
    assert texts(docx.Document(path).tables[0])[1] == [label, label]


def test_caption_above_note_below_banner_everywhere(written):
    document = docx.Document(written)
    assert [paragraph.text for paragraph in document.paragraphs] == [
        "A study", "Table 1. Hazards", "NR: not reached. Synthetic."
    ]  # fmt: skip
    assert document.sections[0].header.paragraphs[0].text == "Synthetic"
    body = [child.tag.rpartition("}")[2] for child in document.element.body]
    assert body == ["p", "p", "tbl", "p", "sectPr"]
    assert document.paragraphs[1].style.name == "Caption"
    assert document.paragraphs[1].style.paragraph_format.keep_with_next
    assert [run.text for run in document.paragraphs[2].runs if run.bold] == ["NR"]


def test_tables_are_numbered_by_fields_of_word(tmp_path):
    titles = ("Hazards", "Table 1: the cohort", "Table of Contents")
    path = write_word([block(DISPLAY, title) for title in titles], tmp_path / "t.docx", title="T")
    captions = [one for one in docx.Document(path).paragraphs if one.style.name == "Caption"]
    expected = ["Table 1. Hazards", "Table 2. The cohort", "Table 3. Table of Contents"]
    assert [one.text for one in captions] == expected
    assert all("SEQ Table" in one._p.xml for one in captions)


def test_rules_are_horizontal_and_the_header_is_repeated(written):
    table = docx.Document(written).tables[0]
    xml = table._tbl.xml
    assert xml.count("<w:tblHeader/>") == 1
    assert xml.count("<w:cantSplit/>") == 4
    for vertical in ("<w:left ", "<w:right ", "<w:insideV", "<w:start ", "<w:end "):
        assert vertical not in xml
    ruled = [[cell._tc.xml.count("<w:top "), cell._tc.xml.count("<w:bottom ")] for cell in table.columns[0].cells]
    assert ruled == [[1, 1], [0, 0], [0, 0], [0, 1]]


def test_numbers_stand_right_and_levels_are_indented(written):
    table = docx.Document(written).tables[0]
    aligned = [cell.paragraphs[0].paragraph_format.alignment for cell in table.rows[2].cells]
    assert aligned[0] is None
    assert aligned[1] == docx.enum.text.WD_ALIGN_PARAGRAPH.RIGHT
    indents = [cell.paragraphs[0].paragraph_format.left_indent for cell in table.columns[0].cells]
    assert indents[0] == indents[1] == 0 < indents[2] == indents[3]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "@SUM(A1)", "<b>&amp;</b>", "50 % \"of\" 'all'", "β ≥ 0.5 µmol/L", "Lötscher Ærø 镁", "{=1}", "a\tb"],
)
def test_text_comes_through_unharmed_and_inert(text, tmp_path):
    display = pd.DataFrame({"Stratum": [text], text: [text]})
    path = write_word([block(display, text, text)], tmp_path / "t.docx", title=text, banner=text)
    document = docx.Document(path)
    assert texts(document.tables[0]) == [["Stratum", text], [text, text]]
    title, caption, note = (paragraph.text for paragraph in document.paragraphs)
    assert (title, caption, note) == (text, f"Table 1. {text}", f"{text} {text}.")
    assert document.core_properties.title == text
    assert document.tables[0]._tbl.xml.count("fldChar") == 0


def test_characters_that_xml_cannot_hold_are_marked(tmp_path):
    display = pd.DataFrame({"Stratum": ["a\x00b\x1f"]})
    path = write_word([block(display, "x\x07", "\x08")], tmp_path / "t.docx", title="\x0b" * 300)
    assert texts(docx.Document(path).tables[0])[1] == ["a\ufffdb\ufffd"]


def test_the_file_says_neither_who_made_it_nor_when(written):
    properties = docx.Document(written).core_properties
    assert properties.title == "A study"
    assert properties.author == properties.last_modified_by == properties.comments == properties.keywords == ""
    assert properties.created == properties.modified
    with zipfile.ZipFile(written) as archive:
        assert {part.date_time for part in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_it_repeats_byte_for_byte(written, tmp_path, monkeypatch):
    monkeypatch.setattr("zipfile.time.localtime", lambda *_: (2031, 5, 6, 7, 8, 9, 0, 0, 0))
    again = write_word([block(DISPLAY)], tmp_path / "again.docx", title="A study", banner="Synthetic")
    assert again.read_bytes() == written.read_bytes()


def test_a_wide_table_turns_the_page(written, tmp_path):
    wide = pd.DataFrame({f"model {place}": ["1.30 (1.02 to 1.62)"] for place in range(7)})
    turned = docx.Document(write_word([block(wide)], tmp_path / "wide.docx", title="T")).sections[0]
    upright = docx.Document(written).sections[0]
    assert turned.page_width == upright.page_height > turned.page_height == upright.page_width
    narrow = pd.DataFrame([["1"] * 9], columns=[f"c{place}" for place in range(9)])
    both = docx.Document(write_word([block(narrow), block(wide), block(narrow)], tmp_path / "both.docx", title="T"))
    assert [one.page_width for one in both.sections] == [upright.page_width, turned.page_width, upright.page_width]


def test_no_word_and_no_number_is_broken(tmp_path):
    display = pd.DataFrame(
        {
            "Characteristic": ["Eastern Cooperative Oncology Group performance status", "electroencephalographically"],
            "Patients": ["1,040", "26"],
            "Hazard ratio (95% CI)": ["1.30 (1.02 to 1.62)", "10.30 (1.02 to 101.62)"],
        }
    )
    table = docx.Document(write_word([block(display)], tmp_path / "t.docx", title="T")).tables[0]
    wide = [cell.width.cm for cell in table.rows[1].cells]
    assert wide == [pytest.approx(column.width.cm, abs=0.01) for column in table.columns]
    assert sum(wide) == pytest.approx(21 - 2 * 2, abs=0.01)
    # ten points of Times: the widest lower-case letter but m and w takes half of that, digits exactly half
    points = [10 * 0.5 * len(text) for text in ("electroencephalographically", "1,040", "10.30 (1.02–101.62)")]
    assert all(width * 72 / 2.54 > least for width, least in zip(wide, points, strict=True))
    assert not table.autofit


def test_figures_follow_the_tables_with_their_words(written, tmp_path):
    picture = save_figure(Figure(figsize=(4, 9)), tmp_path / "forest", alt="Nothing.")[0]
    figure = WordFigure("The models", "Dotted: true.", "Three ratios & more.", picture)
    path = write_word([block(DISPLAY)], tmp_path / "t.docx", title="T", banner="Synthetic", figures=[figure] * 2)
    document = docx.Document(path)
    texts = [one.text for one in document.paragraphs][3:]
    assert texts[:3] == ["", "Figure 1. The models", "Dotted: true. Synthetic."]
    assert texts[3:] == ["", "Figure 2. The models", "Dotted: true. Synthetic."]
    assert [one._inline.docPr.get("descr") for one in document.inline_shapes] == ["Three ratios & more."] * 2
    shape = document.inline_shapes[0]
    assert shape.width / shape.height == pytest.approx(4 / 9, rel=1e-3)
    assert shape.height.cm <= 29.7 - 2 * 2


def test_an_empty_table_and_none_at_all_are_files_too(tmp_path):
    empty = pd.DataFrame({"Stratum": pd.Series([], dtype=str)})
    assert texts(docx.Document(write_word([block(empty)], tmp_path / "a.docx", title="T")).tables[0]) == [["Stratum"]]
    assert docx.Document(write_word([], tmp_path / "b.docx", title="T")).tables == []


def test_without_python_docx_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(NotSupported, match=r"magnesium-survival\[word\]"):
        write_word([], tmp_path / "t.docx", title="T")
    assert not (tmp_path / "t.docx").exists()
