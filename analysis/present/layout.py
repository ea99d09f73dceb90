"""Pages for drawings: a figure of fixed width whose margins hold exactly what stands in them, with a heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from analysis.present.style import HEAD, INK, MM_PER_INCH, SMALL, SOFT_INK, TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure

SYNTHETIC_MARK = "SYNTHETIC - ILLUSTRATIVE"
PAD, SETTLED = 0.05, 0.002  # inches
LINE, ROW = 1.25, 1.35 * TEXT
POINTS = 72.0


def new_figure(width: float, *, rows: int = 1, columns: int = 1, height: float = 60.0) -> Figure:
    """A figure of `width` mm with axes in a grid, outside pyplot, so that none stays open."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH))
    figure.subplots(rows, columns, squeeze=False)
    return figure


def drawing_axes(ax: Axes | None, width: float) -> tuple[Axes, bool]:
    """The axes to draw on, and whether their figure is ours to lay out."""
    return (ax, False) if ax is not None else (new_figure(width).axes[0], True)


def figure_of(ax: Axes) -> Figure:
    """The outermost figure of some axes."""
    figure = ax.figure
    while figure.figure is not figure:
        figure = figure.figure
    return figure


def renderer_of(figure: Figure) -> RendererAgg:
    """A renderer to measure text with."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    return cast("RendererAgg", canvas.get_renderer())  # type: ignore[no-untyped-call]


def text_size(figure: Figure, text: str, *, size: float = TEXT, weight: str = "normal") -> tuple[float, float]:
    """Width of the widest line and height of all lines of a text, in points."""
    from matplotlib.font_manager import FontProperties

    renderer, font = renderer_of(figure), FontProperties(size=size, weight=weight)
    lines = text.split("\n")
    measure = renderer.get_text_width_height_descent
    widths = [measure(line, font, ismath=False)[0] for line in lines]  # type: ignore[no-untyped-call]
    return max(widths) * POINTS / figure.dpi, LINE * size * len(lines)


def wrapped(figure: Figure, text: str, width: float, *, size: float = TEXT, weight: str = "normal") -> str:
    """A text broken into lines no wider than `width` points; a longer word stands alone."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and text_size(figure, longer, size=size, weight=weight)[0] > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return "\n".join(lines)


def fit(figure: Figure, height: float, *, top: float = 0.0) -> None:
    """Set size and margins so that the axes area is `height` mm high and all that hangs over it is on the page.

    `top` is what the heading needs above, in inches. Text hangs over by a fixed length, so two rounds settle it.
    """
    inner_height = height / MM_PER_INCH
    before: tuple[float, ...] = ()
    for _ in range(3):
        left, right, bottom, above = sides = _overhang(figure)
        if before and max(abs(now - then) for now, then in zip(sides, before, strict=True)) < SETTLED:
            break
        before = sides
        width, total = figure.get_figwidth(), inner_height + above + bottom + top + 2 * PAD
        figure.set_size_inches(width, total)
        figure.subplots_adjust(
            left=(left + PAD) / width,
            right=1 - (right + PAD) / width,
            bottom=(bottom + PAD) / total,
            top=1 - (above + top + PAD) / total,
        )


def _overhang(figure: Figure) -> tuple[float, float, float, float]:
    """How far drawings and words reach beyond the axes area to the left, right, bottom and top, in inches."""
    from matplotlib.transforms import Bbox

    renderer = renderer_of(figure)
    inner = Bbox.union([ax.get_window_extent(renderer) for ax in figure.axes])
    outer = Bbox.union([box for ax in figure.axes if (box := ax.get_tightbbox(renderer)) is not None] + [inner])
    sides = (inner.x0 - outer.x0, outer.x1 - inner.x1, inner.y0 - outer.y0, outer.y1 - inner.y1)
    left, right, bottom, top = (max(0.0, float(side)) / figure.dpi for side in sides)
    return left, right, bottom, top


def finish(
    figure: Figure,
    height: float,
    *,
    title: str = "",
    subtitle: str = "",
    synthetic: bool = False,
    rows: Sequence[tuple[str, str]] = (),
) -> None:
    """Lay a figure out and put the heading above everything, from the left edge of the page; `rows` stand under it."""
    lines = _heading(figure, title, subtitle, synthetic)
    head = sum(line.height for line in lines) + ROW * len(rows) + (4 if lines or rows else 0)
    fit(figure, height, top=head / POINTS)
    depth = 0.0
    for line in lines:
        _from_corner(figure, line.text, 0.0, depth, size=line.size, weight=line.weight, color=line.color)
        depth += line.height
    second = 10 + max((text_size(figure, label)[0] for label, value in rows if value), default=0.0)
    for label, value in rows:
        _from_corner(figure, label, 0.0, depth, weight="normal" if value else "bold")
        _from_corner(figure, value, second, depth)
        depth += ROW


@dataclass(frozen=True)
class _Line:
    """One piece of a heading, wrapped, with the height it takes in points."""

    text: str
    size: float
    weight: str
    color: str
    height: float


def _heading(figure: Figure, title: str, subtitle: str, synthetic: bool) -> list[_Line]:
    """The heading of a figure: the mark, the title, the subtitle, each where there is one."""
    room = POINTS * (figure.get_figwidth() - 2 * PAD)
    parts = (
        (SYNTHETIC_MARK if synthetic else "", SMALL, "bold", SOFT_INK),
        (title, HEAD, "bold", INK),
        (subtitle, TEXT, "normal", SOFT_INK),
    )
    lines = []
    for words, size, weight, color in parts:
        if words:
            text = wrapped(figure, words, room, size=size, weight=weight)
            lines.append(_Line(text, size, weight, color, text_size(figure, text, size=size)[1] + 2.5))
    return lines


def _from_corner(
    figure: Figure, text: str, x: float, y: float, *, size: float = TEXT, weight: str = "normal", color: str = INK
) -> None:
    """Words at points to the right of and below the page's upper left corner."""
    width, total = figure.get_size_inches()
    for place, line in enumerate(text.split("\n")):
        down = y + size * (0.85 + LINE * place)
        spot = ((PAD + x / POINTS) / width, 1 - (PAD + down / POINTS) / total)
        figure.text(*spot, line, size=size, weight=weight, color=color, va="baseline")


def head_axes(ax: Axes, *, title: str, subtitle: str, synthetic: bool) -> None:
    """The heading of axes that stand in somebody else's figure."""
    words = "\n".join(filter(None, (title, subtitle)))
    if words:
        ax.set_title(words, loc="left", size=TEXT, weight="bold")
    if synthetic:
        ax.annotate(
            SYNTHETIC_MARK, (1, 1), (0, 2), xycoords="axes fraction", textcoords="offset points",
            ha="right", va="bottom", size=SMALL, weight="bold", color=SOFT_INK,
        )  # fmt: skip
