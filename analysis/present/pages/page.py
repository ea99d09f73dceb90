"""One self-contained HTML page from prose, notes, tables and figures; nothing is loaded from outside, nothing runs."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from analysis.errors import InputError
from analysis.present.text import csv_text, html_table

if TYPE_CHECKING:
    import pandas as pd

LONG = 24  # rows
BESIDE = 5  # columns
NOTE_TITLES = {"caution": "Caution", "synthetic": "Synthetic and illustrative", "info": "Note"}
BOLD = re.compile(r"\*\*(?!\s)((?:(?!\*\*).)+)(?<!\s)\*\*")
REFERENCE = re.compile(r"\[\[((?:figure|table)-[\w.-]+)\]\]")
DOI = re.compile(r"\b(10\.\d{4,9}/[^\s&;,)<>\"']*[^\s&;,.)<>\"'])")


@dataclass(frozen=True)
class Prose:
    """Paragraphs, parted by an empty line; ``**bold**`` and DOIs are marked up, everything else is plain text.

    Examples
    --------
    >>> Prose("A **strong** word & <nothing> else").html
    '<p>A <strong>strong</strong> word &amp; &lt;nothing&gt; else</p>'
    """

    text: str
    template: str = field(default="prose", init=False, repr=False)

    @property
    def html(self) -> str:
        """The paragraphs as HTML."""
        return "\n".join(f"<p>{marked_up(part)}</p>" for part in re.split(r"\n\s*\n", self.text.strip()))


@dataclass(frozen=True)
class Note:
    """A box that nobody should miss; `kind` is "caution", "synthetic" or "info".

    Examples
    --------
    >>> Note("Few events.", "caution").heading
    'Caution'
    """

    text: str
    kind: str = "info"
    template: str = field(default="note", init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in NOTE_TITLES:
            raise InputError(f"note kind {self.kind!r}: choose one of {', '.join(NOTE_TITLES)}")

    @property
    def heading(self) -> str:
        """The word in front of the note."""
        return NOTE_TITLES[self.kind]

    @property
    def html(self) -> str:
        """The text as HTML."""
        return marked_up(self.text)


@dataclass(frozen=True)
class Listing:
    """A text shown as it was written, such as a plan.

    Examples
    --------
    >>> Listing("a < b").html
    '<pre><code>a &lt; b</code></pre>'
    """

    text: str
    template: str = field(default="prose", init=False, repr=False)

    @property
    def html(self) -> str:
        """The text as HTML, its lines kept."""
        return f"<pre><code>{escape(self.text, quote=False)}</code></pre>"


@dataclass(frozen=True, eq=False)
class TableBlock:
    """A table: `frame` is tidy and can be downloaded as CSV, `display` is what is shown, or folded until asked for.

    Examples
    --------
    >>> import pandas as pd
    >>> block = TableBlock("counts", "Counts", pd.DataFrame({"n": [1]}), pd.DataFrame({"Patients": ["1"]}))
    >>> block.href[:23]
    'data:text/csv;charset=u'
    """

    name: str
    title: str
    frame: pd.DataFrame
    display: pd.DataFrame
    note: str = ""
    folded: bool = False
    template: str = field(default="table", init=False, repr=False)

    @property
    def html(self) -> str:
        """The table as HTML."""
        return html_table(self.display, caption=self.title)

    @property
    def long(self) -> bool:
        """Whether the table gets a window of its own on a screen; on paper it stands in full."""
        return len(self.display) > LONG

    @property
    def half(self) -> bool:
        """Whether the table is narrow enough to stand beside another on paper."""
        return len(self.display.columns) <= BESIDE

    @property
    def note_html(self) -> str:
        """The note under the table as HTML."""
        return marked_up(self.note)

    @property
    def href(self) -> str:
        """The tidy frame as a ``data:`` link."""
        return "data:text/csv;charset=utf-8;base64," + base64.b64encode(csv_text(self.frame).encode()).decode("ascii")


@dataclass(frozen=True)
class FigureBlock:
    """A figure: `svg` is inline markup as `figure_svg` makes it, `alt` says what is to be seen.

    `narrow` is the same figure drawn for a phone, which is shown in its place on a small screen.

    Examples
    --------
    >>> FigureBlock("curves", "Curves", "<svg/>", "Two curves.", "By stratum.").caption_html
    'By stratum.'
    """

    name: str
    title: str
    svg: str
    alt: str
    caption: str = ""
    narrow: str = ""
    template: str = field(default="figure", init=False, repr=False)

    @property
    def caption_html(self) -> str:
        """The caption as HTML."""
        return marked_up(self.caption)


Block = Prose | Note | Listing | TableBlock | FigureBlock


@dataclass(frozen=True, eq=False)
class Section:
    """One section of the page; `anchor` is its address. Those of the supplement stand folded behind the main part.

    Examples
    --------
    >>> Section("methods", "Methods", (Prose("As planned."),)).title
    'Methods'
    """

    anchor: str
    title: str
    blocks: Sequence[Block]
    supplement: bool = False


@dataclass(frozen=True)
class Tile:
    """A number of the first screen: what it is, each value behind its label, and a line on how to read it.

    Examples
    --------
    >>> Tile("Median, months", {"low": "10.3 (7.4 to 14.7)"}).values["low"]
    '10.3 (7.4 to 14.7)'
    """

    heading: str
    values: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Opening:
    """The first screen: the question in a few paragraphs, one figure, a few numbers, and what calls for caution.

    `cautions` has the address of a section behind each text; the texts are listed once, behind their number.

    Examples
    --------
    >>> Opening(("Who lives longer?",)).figure is None
    True
    """

    paragraphs: Sequence[str]
    figure: FigureBlock | None = None
    tiles: Sequence[Tile] = ()
    cautions: Mapping[str, str] = field(default_factory=dict)


def render_page(
    title: str,
    *,
    banner: str = "",
    opening: Opening | None = None,
    summary: Sequence[str] = (),
    sections: Sequence[Section] = (),
    footer: str = "",
    companions: Mapping[str, str] | None = None,
    language: str = "en",
) -> str:
    """Render one self-contained HTML page.

    Parameters
    ----------
    title : str
        The page's heading.
    banner : str
        A line above everything, such as that all is synthetic; none when empty.
    opening : Opening, optional
        The first screen.
    summary : sequence of str
        The answer in a few lines, in front of the sections.
    sections : sequence of Section
        In reading order; the table of contents lists them. Figures and tables are numbered as they come, those of the
        supplement as S1, S2, ...; ``[[figure-NAME]]`` or ``[[table-NAME]]`` in any text becomes a link to one.
    footer : str
        The last line.
    companions : mapping of str to str, optional
        Files that lie beside the page, by their relative addresses, with the words of each link.
    language : str
        The page's language tag.

    Returns
    -------
    str
        HTML that loads nothing and runs no script (its content security policy forbids both); all text given is
        escaped, apart from ``**bold**`` and DOIs, which become links.

    Raises
    ------
    InputError
        Two sections, or two tables or figures, of the same name: their links would collide.

    Examples
    --------
    >>> page = render_page("A <study>", sections=[Section("one", "First", (Prose("Text."),))])
    >>> "A &lt;study&gt;" in page, "<script" in page
    (True, False)
    """
    shown = [opening.figure] if opening is not None and opening.figure is not None else []
    main, supplement = ([one for one in sections if one.supplement is folded] for folded in (False, True))
    _check_names(sections, shown)
    numbers = _numbers([*shown, *_blocks(main)], "") | _numbers(_blocks(supplement), "S")
    page = filled(
        "page.html.jinja",
        title=title,
        banner=banner,
        opening=opening,
        summary=summary,
        main=main,
        supplement=supplement,
        numbers=numbers,
        titles={section.anchor: section.title for section in sections},
        footer=marked_up(footer),
        companions=companions or {},
        language=language,
        style=own_file("page.css"),
    )
    return REFERENCE.sub(lambda match: _reference(match[1], numbers), page)


def filled(template: str, **values: object) -> str:
    """One of our own templates with values, all of which are escaped but what it marks as trusted."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["trusted"] = Markup
    environment.filters["marked_up"] = lambda text: Markup(marked_up(text))  # noqa: S704  # escaped by marked_up
    return environment.from_string(own_file(template)).render(**values)


def own_file(name: str) -> str:
    """The text of a file beside this one."""
    return files("analysis.present.pages").joinpath(name).read_text(encoding="utf-8")


def marked_up(text: str) -> str:
    """Plain text as safe HTML: escaped, then ``**bold**`` and DOIs marked up.

    Examples
    --------
    >>> marked_up("see 10.1016/j.cell.2021.12.039.")
    'see <a href="https://doi.org/10.1016/j.cell.2021.12.039">10.1016/j.cell.2021.12.039</a>.'
    """
    safe = escape(text, quote=True)
    safe = BOLD.sub(r"<strong>\1</strong>", safe)
    return DOI.sub(r'<a href="https://doi.org/\1">\1</a>', safe)


def _blocks(sections: Sequence[Section]) -> list[Block]:
    """The blocks of sections, in reading order."""
    return [block for section in sections for block in section.blocks]


def _numbers(blocks: Sequence[Block], prefix: str) -> dict[str, str]:
    """What each figure and table is called, by its address: figures and tables are counted apart."""
    counted: Counter[str] = Counter()
    numbers = {}
    for block in blocks:
        if isinstance(block, TableBlock | FigureBlock):
            word = block.template.capitalize()
            counted[word] += 1
            numbers[f"{block.template}-{block.name}"] = f"{word} {prefix}{counted[word]}"
    return numbers


def _reference(address: str, numbers: Mapping[str, str]) -> str:
    """A link to a figure or table by its number; its name where the page has none of that name."""
    return f'<a href="#{address}">{numbers[address]}</a>' if address in numbers else address.partition("-")[2]


def _check_names(sections: Sequence[Section], shown: Sequence[FigureBlock]) -> None:
    """Every address on the page must be its own; a table and a figure may share a name."""
    ids = [section.anchor for section in sections]
    ids += [
        f"{block.template}-{block.name}"
        for block in [*shown, *_blocks(sections)]
        if isinstance(block, TableBlock | FigureBlock)
    ]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise InputError(f"used twice on one page: {', '.join(twice)}; give each its own name")
