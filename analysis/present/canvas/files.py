"""Figures to files, the same bytes each time: PNG, SVG and PDF with their alternative text inside."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from analysis.errors import InputError, NotWritten, choice_problems, number_problems, raise_all
from analysis.present.canvas.style import LIKE_ARIAL, drawing_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Figure

CREATOR = "magnesium-survival"
Format = Literal["png", "svg", "pdf", "tiff"]
SvgText = Literal["text", "paths"]
DEFAULT_FORMATS: tuple[Format, ...] = ("png", "svg", "pdf")
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


def save_figure(
    figure: Figure,
    path: str | Path,
    *,
    formats: Sequence[Format] | None = None,
    dpi: float | None = None,
    alt: str = "",
    title: str = "",
    svg_text: SvgText = "text",
) -> tuple[Path, ...]:
    """Save a figure to one file or several, the same bytes each time on the same machine.

    Parameters
    ----------
    figure : Figure
    path : str or Path
        With the ending of a format, that one file; without, the path before the endings (a dot in it stays).
    formats : sequence of {"png", "svg", "pdf", "tiff"}, optional
        A file each; PNG, SVG and PDF by default where the path has no ending. TIFF is opaque and packed (LZW), as
        journals ask for.
    dpi : float, optional
        Of PNG and TIFF: 300, or what you have set as ``savefig.dpi``.
    alt : str
        What is to be seen, for those who cannot see it: stored in each file.
    title : str
        The files' title; the file's name when empty.
    svg_text : {"text", "paths"}
        In SVG, text that can be searched and edited, in a face that readers need to have; or its outlines, the same
        everywhere. In PDF the face is embedded.

    Returns
    -------
    tuple of Path
        In the order of the formats. No date goes in.

    Raises
    ------
    InputError
        A format that is not known, or none, or a resolution that is no positive number.
    NotWritten
        Where a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from matplotlib.figure import Figure
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in save_figure(Figure(), Path(folder) / "empty", formats=("tiff", "pdf"), dpi=600)]
    ['empty.tiff', 'empty.pdf']
    """
    path, known = Path(path), get_args(Format)
    ending = path.suffix[1:].casefold()
    stem = path.with_suffix("") if ending in known else path
    chosen = formats if formats is not None else ((ending,) if ending in known else DEFAULT_FORMATS)
    problems = [problem for name in chosen for problem in choice_problems("formats", name, known)]
    if isinstance(chosen, str) or not len(chosen):
        problems = [f"formats={formats!r}: give one or more in a list, such as ['tiff', 'pdf']"]
    problems += choice_problems("svg_text", svg_text, get_args(SvgText))
    if dpi is not None:
        problems += number_problems("dpi", dpi, open_low=True, low=0)
    raise_all(problems, InputError)
    title = title or stem.name
    written = []
    for name in chosen:
        with drawing_style():
            content = _content(figure, name, dpi, _About(alt, title, stem.name, svg_text))
        written.append(replace_file(stem.with_name(f"{stem.name}.{name}"), content))
    return tuple(written)


@dataclass(frozen=True)
class _About:
    """What is stored in a file beside the drawing."""

    alt: str
    title: str
    prefix: str
    svg_text: SvgText


def _content(figure: Figure, name: str, dpi: float | None, about: _About) -> str | bytes:
    """A figure as the content of a file of one format."""
    if name == "svg":
        options: dict[str, Any] = {"title": about.title, "prefix": about.prefix, "svg_text": about.svg_text}
        return '<?xml version="1.0" encoding="utf-8"?>\n' + figure_svg(figure, alt=about.alt, **options)
    import matplotlib as mpl

    drawn, dots = io.BytesIO(), mpl.rcParams["savefig.dpi"] if dpi is None else dpi
    if name == "pdf":
        made = {"Creator": CREATOR, "Producer": CREATOR, "CreationDate": None}
        figure.savefig(drawn, format="pdf", metadata={**made, "Title": about.title, "Subject": about.alt})
        return drawn.getvalue()
    words = {"Software": CREATOR, "Title": about.title, "Description": about.alt}
    figure.savefig(drawn, format="png", metadata=words, dpi=dots)
    return drawn.getvalue() if name == "png" else _tiff(drawn, about)


def _tiff(pixels: io.BytesIO, about: _About) -> bytes:
    """A PNG as an opaque TIFF of the same resolution."""
    from PIL import Image

    packed = io.BytesIO()
    with Image.open(pixels) as image:
        dpi = tuple(round(float(number), 2) for number in image.info["dpi"])
        words = {"description": f"{about.title}. {about.alt}".rstrip(), "software": CREATOR}
        image.convert("RGB").save(packed, format="TIFF", compression="tiff_lzw", dpi=dpi, **words)
    return packed.getvalue()


def figure_svg(figure: Figure, *, alt: str, title: str = "", prefix: str = "figure", svg_text: SvgText = "text") -> str:
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
    svg_text : {"text", "paths"}
        Text that can be searched, or its outlines.

    Returns
    -------
    str
        ``<svg ...>...</svg>``; nothing is loaded from outside.

    Raises
    ------
    InputError
        Another value of `svg_text`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> 'aria-label="Nothing &amp; more."' in figure_svg(Figure(), alt="Nothing & more.", prefix="a")
    True
    """
    import matplotlib as mpl

    raise_all(choice_problems("svg_text", svg_text, get_args(SvgText)), InputError)
    with drawing_style():
        mpl.rcParams["svg.fonttype"] = "none" if svg_text == "text" else "path"
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    markup = drawn.getvalue()
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<metadata>.*?</metadata>\s*", "", markup, count=1, flags=re.DOTALL)
    markup = re.sub(r"(?<=font-family: )[^;\"]*", lambda found: _with_likes(found[0]), markup)
    markup = _prefixed(markup, re.sub(r"[^A-Za-z0-9_-]+", "-", prefix))
    return _described(markup, alt, title)


def _with_likes(families: str) -> str:
    """The faces of some text, with those of the same widths after the first, for readers who do not have it."""
    first, *others = [face.strip() for face in families.split(",")]
    alike = [f"'{face}'" for face in LIKE_ARIAL] if first.strip("'") in LIKE_ARIAL else []
    return ", ".join(dict.fromkeys([first, *alike, *others, "sans-serif"]))


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
