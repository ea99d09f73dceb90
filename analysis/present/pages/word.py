"""Tables as one Word file in a journal's layout: made to be pasted from, the same bytes each time."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import NotSupported
from analysis.present.canvas import replace_file
from analysis.present.pages.page import BOLD, TableBlock
from analysis.present.text import reads_as_number

if TYPE_CHECKING:
    from docx.document import Document
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.styles.style import ParagraphStyle
    from docx.table import _Cell, _Row
    from docx.text.paragraph import Paragraph

FONT, SIZE = "Times New Roman", 10
PAGE_CM, MARGIN_CM, CAPTION_CM = (21.0, 29.7), 2.0, 3.5
CELL_CM, CHARACTER_CM, BOLD_WIDTH = 0.45, 0.18, 1.1  # margins of a cell, and a character of 10 points on average
WIDEST_CELL = 34  # characters: longer texts wrap
MADE = datetime(2000, 1, 1)  # a file's dates and author say nothing of who made it when
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
OWN_NUMBER = re.compile(r"^Table \d+[.:]\s+(\w)")
_LIMIT = r"(?:[<>]?[\d,]*\.?\d+%?|NR|∞)"
INTERVAL = re.compile(rf"(\S+ \({_LIMIT}) to ({_LIMIT}\))")


@dataclass(frozen=True)
class WordFigure:
    """A figure of the Word file.

    Attributes
    ----------
    title, caption : str
        In bold after its number, and what follows.
    alt : str
        What is to be seen, for those who cannot see it.
    path : Path
        Its PNG file.
    """

    title: str
    caption: str
    alt: str
    path: Path


def write_word(
    tables: Sequence[TableBlock],
    path: str | Path,
    *,
    title: str,
    banner: str = "",
    figures: Sequence[WordFigure] = (),
) -> Path:
    """Write tables, and figures after them, into one Word file as journals print them.

    Parameters
    ----------
    tables : sequence of TableBlock
        In order; their displays are written, under "Table 1. ...", their notes below.
    path : str or Path
        The ``.docx`` file; replaced where it is there.
    title : str
        Heads the document.
    banner : str
        Such as that all is synthetic: at the head of every page and in every table's note, for tables get pasted.
    figures : sequence of WordFigure
        In order, each with its caption below.

    Returns
    -------
    Path

    Raises
    ------
    NotSupported
        Without python-docx, which the extra ``word`` brings.

    Notes
    -----
    Horizontal rules only, the header row repeated on every page, numbers to the right, levels indented by paragraph
    format. Columns are as wide as their texts, so that no word and no number is broken; a table that is too wide for
    that stands on a page turned on its side. Intervals take an en dash, or "to" where a limit is negative or undefined.
    The numbers of tables and figures are Word's own fields. Text is text: no cell can become a formula, a field or
    markup. Author and dates are fixed, also in the archive, so that the same tables give the same bytes.

    Examples
    --------
    >>> import tempfile
    >>> block = TableBlock("counts", "Counts", pd.DataFrame({"n": [1]}), pd.DataFrame({"Patients": ["1"]}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_word([block], Path(folder) / "tables.docx", title="A study").name
    'tables.docx'
    """
    document = _new_document(title, banner)
    for number, table in enumerate(tables, start=1):
        least, _ = _column_widths(table.display)
        _turn(document, landscape=sum(least) > PAGE_CM[0] - 2 * MARGIN_CM, first=number == 1)
        _add_caption(document, "Table", number, table.title)
        _add_table(document, table.display)
        _add_note(document, " ".join(part for part in (table.note, banner and f"{banner}.") if part))
    for number, figure in enumerate(figures, start=1):
        _turn(document, landscape=False, first=number == 1 and not tables)
        _add_figure(document, figure)
        _add_caption(document, "Figure", number, figure.title)
        _add_note(document, " ".join(part for part in (figure.caption, banner and f"{banner}.") if part))
    return replace_file(path, _same_bytes(document))


def _new_document(title: str, banner: str) -> Document:
    """An empty document with its page, styles, properties, heading and banner."""
    try:
        import docx
    except ImportError:
        raise NotSupported(
            "the Word file needs python-docx; install the extra magnesium-survival[word], or python-docx"
        ) from None
    from docx.shared import Cm

    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = map(Cm, PAGE_CM)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(MARGIN_CM)
    for name, size, bold in (("Normal", SIZE, False), ("Heading 1", SIZE + 4, True), ("Caption", SIZE, True)):
        _plain_style(document.styles[name], size, bold=bold)
    document.styles["Caption"].paragraph_format.keep_with_next = True
    document.add_heading(_text(title), level=1)
    if banner:
        section.header.paragraphs[0].text = _text(banner)
    _fix_properties(document, title)
    return document


def _turn(document: Document, *, landscape: bool, first: bool) -> None:
    """Go on upright or turned on its side: on a new page where that changes, but for the first of a document."""
    from docx.enum.section import WD_ORIENTATION
    from docx.shared import Cm

    section = document.sections[-1]
    kind = WD_ORIENTATION.LANDSCAPE if landscape else WD_ORIENTATION.PORTRAIT
    if section.orientation == kind:
        return
    section = section if first else document.add_section()
    section.orientation = kind
    section.page_width, section.page_height = map(Cm, PAGE_CM[::-1] if landscape else PAGE_CM)


def _plain_style(style: ParagraphStyle, size: int, *, bold: bool) -> None:
    """One serif face in black: digits of one width, and no theme of somebody's computer."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    fonts.attrib.clear()
    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{script}"), FONT)
    style.font.size, style.font.bold = Pt(size), bold
    style.font.color.rgb = RGBColor(0, 0, 0)


def _fix_properties(document: Document, title: str) -> None:
    """Properties that name the document, and neither a person nor a moment."""
    properties = document.core_properties
    properties.title = _text(title)[:255]
    properties.author = properties.last_modified_by = properties.comments = properties.keywords = ""
    properties.created = properties.modified = MADE
    properties.revision = 1


def _add_figure(document: Document, figure: WordFigure) -> None:
    """A picture as wide as the page allows, with its words for those who do not see it."""
    from docx.shared import Cm

    width, height = PAGE_CM[0] - 2 * MARGIN_CM, PAGE_CM[1] - 2 * MARGIN_CM - CAPTION_CM
    picture = document.add_picture(str(figure.path), width=Cm(width))
    scale = min(1.0, Cm(height) / picture.height)
    picture.width, picture.height = (type(picture.width)(scale * side) for side in (picture.width, picture.height))
    picture._inline.docPr.set("descr", _text(figure.alt))
    document.paragraphs[-1].paragraph_format.keep_with_next = True


def _add_caption(document: Document, kind: str, number: int, title: str) -> None:
    """A caption; its number is a field, so that Word renumbers it, in place of one in the title."""
    caption = document.add_paragraph(f"{kind} ", style="Caption")
    caption.paragraph_format.space_before = document.styles["Normal"].font.size
    _add_field(caption, f"SEQ {kind} \\* ARABIC", str(number))
    title = OWN_NUMBER.sub(lambda first: first[1].upper(), title)
    caption.add_run(f". {_text(title)}")


def _add_field(paragraph: Paragraph, instruction: str, shown: str) -> None:
    """A field of Word with what it shows until it is updated."""

    def mark(kind: str) -> None:
        """A mark at which a part of the field begins or ends."""
        paragraph.add_run()._r.append(_element("w:fldChar", fldCharType=kind))

    mark("begin")
    code = _element("w:instrText")
    code.text = instruction
    paragraph.add_run()._r.append(code)
    mark("separate")
    paragraph.add_run(shown)
    mark("end")


def _element(name: str, **attributes: str) -> BaseOxmlElement:
    """An element of a Word document with attributes of its own namespace."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(name)
    for attribute, value in attributes.items():
        element.set(qn(f"w:{attribute}"), value)
    return element


def _add_table(document: Document, display: pd.DataFrame) -> None:
    """A table with rules above, under its header, and below."""
    from docx.shared import Cm

    numeric = _numeric(display)
    table = document.add_table(rows=1 + len(display), cols=display.shape[1])
    texts = _texts(display)
    table.autofit = False
    widths = [
        Cm(width)
        for width in _fitted(*_column_widths(display), (document.sections[-1].page_width or Cm(PAGE_CM[0])).cm)
    ]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    for number, (row, cells) in enumerate(zip(table.rows, texts, strict=True)):
        _keep_row(row, header=number == 0)
        for column, (cell, text) in enumerate(zip(row.cells, cells, strict=True)):
            _fill(cell, text, is_number=numeric[column] and column > 0, is_header=number == 0)
            cell.width = widths[column]
            _rule(cell, *(("top", "bottom") if number == 0 else ("bottom",) if number == len(texts) - 1 else ()))


def _texts(display: pd.DataFrame) -> list[list[str]]:
    """The cells, row by row, with the header first."""
    return [list(map(str, display.columns)), *(list(map(str, row)) for row in display.itertuples(index=False))]


def _numeric(display: pd.DataFrame) -> list[bool]:
    """Which columns hold numbers."""
    return [all(map(reads_as_number, display.iloc[:, column])) for column in range(display.shape[1])]


def _column_widths(display: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Each column's width in cm: the least in which no word and no number breaks, and that of its longest text."""
    least, wanted = [], []
    for (header, *body), is_number in zip(zip(*_texts(display), strict=True), _numeric(display), strict=True):
        body = list(map(_dashed, body)) if is_number else body
        whole = body if is_number else [word for text in body for word in text.split()]
        words = [*map(len, whole), *(BOLD_WIDTH * len(word) for word in header.split())]
        longest = max([BOLD_WIDTH * len(header), *map(len, body)])
        least.append(CELL_CM + CHARACTER_CM * max(words, default=0))
        wanted.append(max(least[-1], CELL_CM + CHARACTER_CM * min(WIDEST_CELL, longest)))
    return least, wanted


def _fitted(least: Sequence[float], wanted: Sequence[float], page: float) -> list[float]:
    """The widths that fill a page: as wanted where all have room, else the least and a share of what is left over."""
    room = page - 2 * MARGIN_CM
    missing = [full - narrow for full, narrow in zip(wanted, least, strict=True)]
    if sum(wanted) <= room or sum(least) >= room or not sum(missing):
        base = wanted if sum(wanted) <= room else least
        return [width * room / sum(base) for width in base]
    share = (room - sum(least)) / sum(missing)
    return [narrow + share * more for narrow, more in zip(least, missing, strict=True)]


def _keep_row(row: _Row, *, header: bool) -> None:
    """A row that does not break over pages; the header's is repeated on each."""
    properties = row._tr.get_or_add_trPr()
    properties.append(_element("w:cantSplit"))
    if header:
        properties.append(_element("w:tblHeader"))


def _fill(cell: _Cell, text: str, *, is_number: bool, is_header: bool) -> None:
    """A cell's text: numbers to the right with en dashes, levels indented, the header bold."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    bare = text.lstrip(" ")
    run = paragraph.add_run(_text(_dashed(bare) if is_number and not is_header else bare))
    run.bold = is_header or None
    form = paragraph.paragraph_format
    form.space_before = form.space_after = Pt(1)
    form.left_indent = Pt(2.5 * (len(text) - len(bare)))
    if is_number:
        form.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _dashed(text: str) -> str:
    """A number whose interval has an en dash."""
    return INTERVAL.sub(r"\1–\2", text)


def _rule(cell: _Cell, *edges: str) -> None:
    """Horizontal rules at a cell's edges."""
    if edges:
        borders = _element("w:tcBorders")
        for edge in edges:
            borders.append(_element(f"w:{edge}", val="single", sz="6", space="0", color="000000"))
        cell._tc.get_or_add_tcPr().append(borders)


def _add_note(document: Document, note: str) -> None:
    """The note under a table, its ``**bold**`` words bold."""
    from docx.shared import Pt

    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_before = Pt(3)
    for number, part in enumerate(BOLD.split(_text(note))):
        run = paragraph.add_run(part)
        run.bold = number % 2 == 1 or None
        run.font.size = Pt(SIZE - 1)


def _text(text: str) -> str:
    """Text as XML can hold it: characters that it cannot are marked."""
    return NOT_XML.sub("\ufffd", text)


def _same_bytes(document: Document) -> bytes:
    """The document's archive with one date for all of its parts."""
    written, fixed = io.BytesIO(), io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(fixed, "w") as new:
        for part in old.infolist():
            entry = zipfile.ZipInfo(part.filename, ZIP_DATE)
            new.writestr(entry, old.read(part), zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
