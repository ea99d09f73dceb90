"""How large text and axes are, in the lengths of the layout; text broken into lines, or shortened."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from analysis.present.canvas import style
from analysis.present.canvas.style import TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure

LINE = 1.25


def figure_of(ax: Axes) -> Figure:
    """The outermost figure of some axes."""
    figure = ax.figure
    while figure.figure is not figure:
        figure = figure.figure
    return figure


def axes_size(ax: Axes) -> tuple[float, float]:
    """Width and height of some axes."""
    box, dpi = ax.get_window_extent(), figure_of(ax).dpi
    return style.from_inches(float(box.width) / dpi), style.from_inches(float(box.height) / dpi)


def page_width(figure: Figure) -> float:
    """The width of a page."""
    return style.from_inches(figure.get_figwidth())


def renderer_of(figure: Figure) -> RendererAgg:
    """A renderer to measure text with; the figure keeps its own canvas, which may belong to a window."""
    return _renderer(float(figure.dpi))


@lru_cache(maxsize=8)
def _renderer(dpi: float) -> RendererAgg:
    """A renderer of one resolution."""
    from matplotlib.backends.backend_agg import RendererAgg

    return RendererAgg(1, 1, dpi)  # type: ignore[no-untyped-call]


def text_size(figure: Figure, text: str, *, size: float = TEXT, weight: str = "normal") -> tuple[float, float]:
    """Width of the widest line and height of all lines of a text."""
    from matplotlib.font_manager import FontProperties

    renderer, font = renderer_of(figure), FontProperties(size=style.points(size), weight=weight)
    lines = text.split("\n")
    measure = renderer.get_text_width_height_descent
    widths = [measure(line, font, ismath=False)[0] for line in lines]  # type: ignore[no-untyped-call]
    return style.from_inches(max(widths) / figure.dpi), LINE * size * len(lines)


def wrapped(figure: Figure, text: str, width: float, *, size: float = TEXT, weight: str = "normal") -> str:
    """A text broken into lines no wider than `width` points, inside a word where it is longer than that."""

    def fits(words: str) -> bool:
        """Whether words stand on one line."""
        return text_size(figure, words, size=size, weight=weight)[0] <= width

    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and not fits(longer):
                lines.append(line)
                longer = word
            *whole, line = _broken(longer, fits)
            lines += whole
        lines.append(line)
    return "\n".join(lines)


def _broken(word: str, fits: Callable[[str], bool]) -> list[str]:
    """A word in pieces that fit, after a dash where one is near the end; a single character stands however wide."""
    pieces = []
    while len(word) > 1 and not fits(word):
        kept = max(1, _most(lambda n, word=word: fits(word[:n]), len(word)))  # type: ignore[misc]
        dash = max(word.rfind(mark, 0, kept) for mark in "-/_")
        kept = dash + 1 if dash > kept // 2 else kept
        pieces.append(word[:kept])
        word = word[kept:]
    return [*pieces, word]


def shortened(figure: Figure, text: str, width: float, *, size: float = TEXT, weight: str = "normal") -> str:
    """A line no wider than `width` points: an ellipsis takes the place of its middle, so that both ends are read."""

    def around(n: int) -> str:
        """The text with `n` of its characters."""
        return f"{text[: n - n // 2]}…{text[len(text) - n // 2 :]}"

    if text_size(figure, text, size=size, weight=weight)[0] <= width:
        return text
    return around(_most(lambda n: text_size(figure, around(n), size=size, weight=weight)[0] <= width, len(text)))


def _most(fits: Callable[[int], bool], n: int) -> int:
    """The largest number below `n` that fits, where all smaller ones do; 0 where none does."""
    return bisect_left(range(1, n), True, key=lambda number: not fits(number))


def hangs_below(axis: Axis) -> float:
    """How far an axis' ticks and label reach below the axes."""
    box, figure = axis.get_tightbbox(renderer_of(figure_of(axis.axes))), figure_of(axis.axes)
    return style.from_inches((axis.axes.get_window_extent().y0 - box.y0) / figure.dpi) if box is not None else 0.0
