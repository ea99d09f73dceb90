"""Figures to files, the same bytes each time: PNG, SVG and PDF with their alternative text inside."""

from __future__ import annotations

import io
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.present.style import figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Figure

CREATOR = "magnesium-survival"
DPI = 300


def save_figure(figure: Figure, stem: str | Path, *, alt: str, title: str = "") -> tuple[Path, Path, Path]:
    """Save a figure as PNG (300 dpi), SVG and PDF.

    Parameters
    ----------
    figure : Figure
    stem : str or Path
        The path without its ending; a dot in it stays.
    alt : str
        What is to be seen, for those who cannot see it: stored in each file.
    title : str
        The files' title; the stem's name when empty.

    Returns
    -------
    tuple of Path
        PNG, SVG, PDF. No date goes in, so that the bytes repeat on the same machine.

    Examples
    --------
    >>> import tempfile
    >>> from matplotlib.figure import Figure
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in save_figure(Figure(), Path(folder) / "empty", alt="Nothing.")]
    ['empty.png', 'empty.svg', 'empty.pdf']
    """
    stem = Path(stem)
    png, svg, pdf = (stem.with_name(stem.name + ending) for ending in (".png", ".svg", ".pdf"))
    title = title or stem.name
    with figure_style():
        figure.savefig(png, dpi=DPI, metadata={"Software": CREATOR, "Title": title, "Description": alt})
        made: dict[str, str | None] = {"Creator": CREATOR, "Producer": CREATOR, "CreationDate": None}
        figure.savefig(pdf, metadata={**made, "Title": title, "Subject": alt})
    markup = '<?xml version="1.0" encoding="utf-8"?>\n' + figure_svg(figure, alt=alt, title=title, prefix=stem.name)
    svg.write_text(markup, encoding="utf-8", newline="\n")
    return png, svg, pdf


def figure_svg(figure: Figure, *, alt: str, title: str = "", prefix: str = "figure") -> str:
    """A figure as SVG markup that can stand inside an HTML page.

    Parameters
    ----------
    figure : Figure
    alt : str
        Becomes the description that screen readers speak.
    title : str
        Becomes the drawing's title; none when empty (browsers show it as a tooltip).
    prefix : str
        Put before every id, so that several drawings can share a page; give each its own.

    Returns
    -------
    str
        ``<svg ...>...</svg>``; nothing is loaded from outside.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> 'aria-label="Nothing &amp; more."' in figure_svg(Figure(), alt="Nothing & more.", prefix="a")
    True
    """
    with figure_style():
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    markup = drawn.getvalue()
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<metadata>.*?</metadata>\s*", "", markup, count=1, flags=re.DOTALL)
    markup = _prefixed(markup, re.sub(r"[^A-Za-z0-9_-]+", "-", prefix))
    return _described(markup, alt, title)


def _prefixed(markup: str, prefix: str) -> str:
    """The markup with `prefix` before each id and each reference to one."""
    markup = re.sub(r'\bid="', f'id="{prefix}-', markup)
    markup = re.sub(r"url\(#", f"url(#{prefix}-", markup)
    return re.sub(r'href="#', f'href="#{prefix}-', markup)


def _described(markup: str, alt: str, title: str) -> str:
    """The markup as an image with words: role, label, title and description."""
    end = markup.index(">") + 1
    opening = f'{markup[: end - 1]} role="img" aria-label="{escape(alt)}">'
    words = f"<title>{escape(title)}</title>" if title else ""
    return f"{opening}\n{words}<desc>{escape(alt)}</desc>{markup[end:]}"
