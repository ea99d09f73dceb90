"""Sheets to draw on: a figure of fixed width whose margins hold exactly what stands in them, with a heading.

Lengths are points in the house style, and grow with the user's type (`style.points`, `style.inches`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError
from analysis.present.canvas import style
from analysis.present.canvas.measuring import (
    LINE,
    axes_size,
    figure_of,
    page_width,
    renderer_of,
    shortened,
    text_size,
    wrapped,
)
from analysis.present.canvas.style import HEAD, INK, MM_PER_INCH, SMALL, SOFT_INK, TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text as TextArtist
    from matplotlib.transforms import Bbox

SYNTHETIC_MARK = "SYNTHETIC - ILLUSTRATIVE"
_IN_BATCH: ContextVar[bool] = ContextVar("figures of a batch", default=False)
PAD, SETTLED = 0.05, 0.002  # inches
MOST_ROUNDS = 20
ROW, ROW_GAP, MARK_LIFT = 1.35 * TEXT, 10.0, 6.0
LEAST_WIDE, LEAST_HIGH = 90.0, 50.0  # of axes in somebody else's figure
MOST_MARGIN, WORD_SHARE, LABEL_SHARE, LABEL_LINES = 0.75, 0.3, 0.6, 2
"""Of a page's width: margins that leave too little to draw on; one piece of text beside the axes; each of an axis'
label's two lines."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A figure while it is drawn: its first axes, its heading, and whether the page is ours to lay out."""

    figure: Figure
    ax: Axes
    own: bool
    title: str
    subtitle: str
    synthetic: bool

    @property
    def width(self) -> float:
        """The width of the page."""
        return page_width(self.figure)

    def room(self, height: float) -> float:
        """How high the drawing is: `height` mm on a page of our own, else what the axes have."""
        return style.from_inches(height / MM_PER_INCH) if self.own else axes_size(self.ax)[1]

    def fit(self, height: float) -> None:
        """Lay out a page of our own so that the axes area is `height` mm high."""
        if self.own:
            fit(self.figure, height)

    def finish(self, height: float, *, rows: Sequence[tuple[str, str]] = ()) -> None:
        """Lay the page out with the heading above everything, `rows` under it; on axes given, only head them."""
        if self.own:
            self._finish_page(height, rows)
            return
        words = "\n".join(filter(None, (self.title, self.subtitle)))
        if words:
            self.ax.set_title(words, loc="left", size=style.points(TEXT), weight="bold")
        if self.synthetic:
            corner: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right"}
            look: dict[str, Any] = {"size": style.points(SMALL), "weight": "bold", "color": SOFT_INK, "va": "bottom"}
            above = style.points(2 + (MARK_LIFT + LINE * TEXT * (1 + words.count("\n")) if words else 0))
            self.ax.annotate(SYNTHETIC_MARK, (1, 1), (0, above), **corner, **look)

    def _finish_page(self, height: float, rows: Sequence[tuple[str, str]]) -> None:
        """Make room for the mark, the title, the subtitle and the rows, and write them from the upper left corner."""
        lines = []
        for words, size, weight, color in (
            (SYNTHETIC_MARK if self.synthetic else "", SMALL, "bold", SOFT_INK),
            (self.title, HEAD, "bold", INK),
            (self.subtitle, TEXT, "normal", SOFT_INK),
        ):
            if words:
                text = wrapped(self.figure, words, self.width - 2 * style.from_inches(PAD), size=size, weight=weight)
                lines.append((text, size, weight, color, text_size(self.figure, text, size=size)[1] + 2.5))
        head = sum(line[-1] for line in lines) + ROW * len(rows) + (4 if lines or rows else 0)
        fit(self.figure, height, top=style.inches(head))
        depth = 0.0
        for text, size, weight, color, high in lines:
            self._from_corner(text, 0.0, depth, size=size, weight=weight, color=color)
            depth += high
        second = 10 + max((text_size(self.figure, label)[0] for label, value in rows if value), default=0.0)
        for label, value in rows:
            self._from_corner(label, 0.0, depth, weight="normal" if value else "bold")
            self._from_corner(value, second, depth)
            depth += ROW

    def _from_corner(
        self, text: str, x: float, y: float, *, size: float = TEXT, weight: str = "normal", color: str = INK
    ) -> None:
        """Words so far to the right of and below the page's upper left corner."""
        width, total = self.figure.get_size_inches()
        for number, line in enumerate(text.split("\n")):
            down = y + size * (0.85 + LINE * number)
            spot = ((PAD + style.inches(x)) / width, 1 - (PAD + style.inches(down)) / total)
            self.figure.text(*spot, line, size=style.points(size), weight=weight, color=color, va="baseline")


@contextmanager
def batch_of_figures() -> Iterator[None]:
    """The house style, and figures that pyplot does not know: for a program that draws many and saves each."""
    before = _IN_BATCH.set(True)
    try:
        with style.figure_style():
            yield
    finally:
        _IN_BATCH.reset(before)


@contextmanager
def sheet(
    width: float,
    *,
    title: str,
    subtitle: str,
    synthetic: bool,
    ax: Axes | None = None,
    grid: tuple[int, int] = (1, 1),
) -> Iterator[Sheet]:
    """Within the style in force, axes to draw on: those given, or a grid of them on a page `width` mm wide."""
    with style.drawing_style(on_axes=ax is not None):
        figure = new_figure(width, grid) if ax is None else figure_of(ax)
        yield Sheet(figure, figure.axes[0] if ax is None else ax, ax is None, title, subtitle, synthetic)


def new_figure(width: float, grid: tuple[int, int] = (1, 1)) -> Figure:
    """A figure of `width` mm with axes in rows and columns, known to pyplot unless it is one of a batch."""
    size = (width / MM_PER_INCH, 60.0 / MM_PER_INCH)
    if _IN_BATCH.get():
        from matplotlib.figure import Figure

        figure = Figure(figsize=size)
    else:
        from matplotlib import pyplot as plt

        from analysis.present.canvas.shown_once import ShownOnce

        figure = plt.figure(figsize=size, FigureClass=ShownOnce)
    figure.subplots(*grid, squeeze=False)
    return figure


def fit(figure: Figure, height: float, *, top: float = 0.0) -> None:
    """Set size and margins so that the axes area is `height` mm high and all that hangs over it is on the page.

    `top` is what the heading needs above, in inches. Text hangs over by a fixed length: a few rounds settle it. Where
    words beside the axes would leave less than a quarter of the width to the drawing, they are shortened first.
    """
    sides = _overhang(figure)
    if sides[0] + sides[1] + 2 * PAD > MOST_MARGIN * figure.get_figwidth():
        _shorten_words(figure)
        sides = _overhang(figure)
    for _ in range(MOST_ROUNDS):
        left, right, bottom, above = before = sides
        width, total = figure.get_figwidth(), height / MM_PER_INCH + above + bottom + top + 2 * PAD
        figure.set_size_inches(width, total)
        figure.subplots_adjust(
            left=(left + PAD) / width,
            right=1 - (right + PAD) / width,
            bottom=(bottom + PAD) / total,
            top=1 - (above + top + PAD) / total,
        )
        sides = _overhang(figure)
        if max(abs(now - then) for now, then in zip(sides, before, strict=True)) < SETTLED:
            break


def _shorten_words(figure: Figure) -> None:
    """Shorten the words that hang over the sides of their axes, and wrap the axes' own labels."""
    from matplotlib.text import Text

    page = page_width(figure)

    def short(text: TextArtist, words: str) -> str:
        """Every line of a text's words, shortened in the text's type."""
        size, weight = float(text.get_fontsize()) / style.scale(), str(text.get_fontweight())
        lines = (shortened(figure, line, WORD_SHARE * page, size=size, weight=weight) for line in words.split("\n"))
        return "\n".join(lines)

    for ax in figure.axes:
        for label in (ax.xaxis.label, ax.yaxis.label):
            room, size = LABEL_SHARE * page, float(label.get_fontsize()) / style.scale()
            words = shortened(figure, " ".join(label.get_text().split("\n")), LABEL_LINES * room, size=size)
            label.set_text(wrapped(figure, words, room, size=size))
        ticks = ax.get_yticklabels()
        if any(short(tick, tick.get_text()) != tick.get_text() for tick in ticks):
            ax.set_yticks(ax.get_yticks(), [short(tick, tick.get_text()) for tick in ticks])
        inner = ax.get_window_extent()
        for text in ax.get_children():
            if isinstance(text, Text) and not _reaches_in(text, inner):  # titles as well
                text.set_text(short(text, text.get_text()))


def _reaches_in(text: TextArtist, inner: Bbox) -> bool:
    """Whether words start left of their axes and end within them, so that shorter ones would need the same margin."""
    box = text.get_window_extent()
    return text.get_horizontalalignment() == "left" and bool(box.x0 < inner.x0 < box.x1)


def _overhang(figure: Figure, axes: Sequence[Axes] | None = None) -> tuple[float, float, float, float]:
    """How far drawings and words reach beyond the area of (all) axes to the left, right, bottom and top, in inches."""
    from matplotlib.transforms import Bbox

    axes = figure.axes if axes is None else axes
    renderer = renderer_of(figure)
    inner = Bbox.union([ax.get_window_extent(renderer) for ax in axes])
    outer = Bbox.union([box for ax in axes if (box := ax.get_tightbbox(renderer)) is not None] + [inner])
    sides = (inner.x0 - outer.x0, outer.x1 - inner.x1, inner.y0 - outer.y0, outer.y1 - inner.y1)
    left, right, bottom, top = (max(0.0, float(side)) / figure.dpi for side in sides)
    return left, right, bottom, top


def fit_rows(sheet: Sheet, height: float, down: int, *, head: Sequence[tuple[str, str]] | None = None) -> None:
    """Lay out a page whose panels, `down` rows of them, are `height` mm high, with room for what hangs between rows.

    `head` finishes the page: its rows stand under the heading.
    """
    gap = 0.0
    if sheet.own and down > 1:
        sides = [_overhang(sheet.figure, [ax]) for ax in sheet.figure.axes]
        gap = MM_PER_INCH * (max(side[2] for side in sides) + max(side[3] for side in sides) + style.inches(ROW_GAP))
        sheet.figure.subplots_adjust(hspace=gap / height)
    total = height * down + gap * (down - 1)
    if head is None:
        sheet.fit(total)
    else:
        sheet.finish(total, rows=head)


def make_room(ax: Axes) -> None:
    """Shrink axes of somebody else's figure until what hangs over them is on the page and off the other axes.

    A figure with a layout engine (constrained, tight) makes the room by itself.

    Raises
    ------
    InputError
        Less would be left than can be read; the message says how large the figure needs to be.
    """
    figure = figure_of(ax)
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
    else:
        _shrink(ax)
    width, height = axes_size(ax)
    if width < LEAST_WIDE or height < LEAST_HIGH:
        missing = style.inches(max(0.0, LEAST_WIDE - width)), style.inches(max(0.0, LEAST_HIGH - height))
        wide, high = (MM_PER_INCH * (figure.get_size_inches() + missing)).tolist()
        raise InputError(
            f"ax: {width:.0f} by {height:.0f} points would be left for the curves beside the names and over the numbers"
            f" at risk, and they need {LEAST_WIDE:.0f} by {LEAST_HIGH:.0f}; make the figure about {math.ceil(wide)} by"
            f" {math.ceil(high)} mm or more, or leave risk out"
        )


def _shrink(ax: Axes) -> None:
    """Move the sides of axes inwards by as much as hangs over the page or other axes."""
    from matplotlib.transforms import Bbox

    figure, renderer = figure_of(ax), renderer_of(figure_of(ax))
    for _ in range(2):  # words beside curves move with the axes
        inner, outer = ax.get_window_extent(renderer), ax.get_tightbbox(renderer) or ax.get_window_extent(renderer)
        left, bottom, right, top = figure.bbox.padded(-figure.dpi * PAD).extents
        for other in figure.axes:
            box = other.get_tightbbox(renderer) if other is not ax and other.get_visible() else None
            if box is None or box.overlaps(inner):
                continue
            box = box.padded(figure.dpi * style.inches(ROW_GAP / 2))
            if box.x0 < inner.x1 and box.x1 > inner.x0:
                bottom, top = (max(bottom, box.y1), top) if box.y1 <= inner.y0 else (bottom, min(top, box.y0))
            elif box.y0 < outer.y1 and box.y1 > outer.y0:
                left, right = (max(left, box.x1), right) if box.x1 <= inner.x0 else (left, min(right, box.x0))
        sides = [
            inner.x0 + max(0.0, left - outer.x0), inner.y0 + max(0.0, bottom - outer.y0),
            inner.x1 - max(0.0, outer.x1 - right), inner.y1 - max(0.0, outer.y1 - top),
        ]  # fmt: skip
        least = figure.dpi * style.inches(1.0)
        kept = Bbox.from_extents(*sides[:2], max(sides[2], sides[0] + least), max(sides[3], sides[1] + least))
        ax.set_position(kept.transformed(ax.figure.transSubfigure.inverted()))
