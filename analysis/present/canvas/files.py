"""Figures to files, the same bytes each time: PNG, SVG and PDF with their alternative text inside."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import threading
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import NotWritten
from analysis.present.canvas.style import figure_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Figure

CREATOR = "magnesium-survival"
DPI = 300
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def replace_file(path: str | Path, content: str | bytes) -> Path:
    """Write a file whole or not at all: under another name in its folder, then renamed.

    Parameters
    ----------
    path : str or Path
        Its folder is made where it does not exist; a file of that name is replaced.
    content : str or bytes
        Text is written as UTF-8, its line ends as they are.

    Returns
    -------
    Path

    Raises
    ------
    NotWritten
        With the bytes needed and the bytes free where there is no room, else with the system's reason.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     replace_file(Path(folder) / "new" / "a.txt", "text").read_text()
    'text'
    """
    path, data = Path(path), content.encode("utf-8") if isinstance(content, str) else content
    partial = path.with_name(f".partial-{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise NotWritten(_why_not(path, len(data), error)) from error
    return path


def remove_file(path: Path) -> None:
    """Remove a file where it is there; raise `NotWritten` with the system's reason where that cannot be."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise NotWritten(f"{path} cannot be replaced: {error.strerror or error}; name another folder") from error


def _why_not(path: Path, size: int, error: OSError) -> str:
    """Why a file could not be written, and what to do."""
    if error.errno not in NO_ROOM:
        return f"{path} cannot be written: {error.strerror or error}; name another place"
    free = ""
    with suppress(OSError):
        free = f", {shutil.disk_usage(path.parent).free:,} are free"
    return (
        f"no room for {path.name} in {path.parent}: {size:,} bytes are needed{free}; make room, or name another folder"
    )


def save_figure(figure: Figure, stem: str | Path, *, alt: str, title: str = "") -> tuple[Path, ...]:
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
        pixels, lines = io.BytesIO(), io.BytesIO()
        metadata = {"Software": CREATOR, "Title": title, "Description": alt}
        figure.savefig(pixels, format="png", dpi=DPI, metadata=metadata)
        made: dict[str, str | None] = {"Creator": CREATOR, "Producer": CREATOR, "CreationDate": None}
        figure.savefig(lines, format="pdf", metadata={**made, "Title": title, "Subject": alt})
    markup = '<?xml version="1.0" encoding="utf-8"?>\n' + figure_svg(figure, alt=alt, title=title, prefix=stem.name)
    written = ((png, pixels.getvalue()), (svg, markup), (pdf, lines.getvalue()))
    return tuple(replace_file(path, content) for path, content in written)


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


def page_svg(path: Path) -> str:
    """The markup of a figure's SVG file as it stands inside a page: `figure_svg` of the same figure without a title."""
    markup = path.read_text(encoding="utf-8")
    return re.sub(r"<title>.*?</title>", "", markup[markup.index("<svg") :], count=1, flags=re.DOTALL)


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
