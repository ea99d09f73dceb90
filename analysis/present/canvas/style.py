"""The look of every figure: Okabe-Ito colours with line styles that tell them apart in grey, sizes, fonts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

ONE_COLUMN = 85.0
TWO_COLUMNS = 174.0
MM_PER_INCH = 25.4

VERMILLION, BLUE, GREEN, PURPLE = "#D55E00", "#0072B2", "#009E73", "#CC79A7"
ORANGE, SKY, GREY = "#E69F00", "#56B4E9", "#444444"
INK, SOFT_INK, HAIRLINE = "#1b1f24", "#57606a", "#c8cdd3"
VERMILLION_INK, BLUE_INK = "#b04d00", "#005f95"  # for words: contrast 4.5 on white

SMALL, TEXT, HEAD = 7.0, 7.5, 9.5
DIMMED = 0.35

Dashes = tuple[float, tuple[float, ...] | None]


@dataclass(frozen=True)
class StratumStyle:
    """How one stratum is drawn everywhere: colour, darker `ink` for its words (contrast 4.5 on white), line, marker."""

    color: str
    ink: str
    line: Dashes
    marker: str


SOLID: Dashes = (0, None)
_SLOTS = (
    StratumStyle(VERMILLION, VERMILLION_INK, SOLID, "o"),
    StratumStyle(BLUE, BLUE_INK, (0, (6, 1.4)), "s"),
    StratumStyle(GREEN, "#00704f", (0, (6, 1.3, 1.3, 1.3)), "^"),
    StratumStyle(PURPLE, "#99447a", (0, (2.6, 1.2)), "D"),
    StratumStyle(ORANGE, "#8a5f00", (0, (8, 1.2, 1.2, 1.2, 1.2, 1.2)), "v"),
    StratumStyle(SKY, "#1b6f9f", (0, (10, 2)), "P"),
    StratumStyle(GREY, GREY, (0, (4, 1.2, 1.2, 1.2)), "X"),
)
_KNOWN = {"low": 0, "reference": 1, "normal": 1, "high": 2}
_ALL = StratumStyle(GREY, GREY, SOLID, "o")


def stratum_styles(labels: Sequence[str]) -> dict[str, StratumStyle]:
    """The style of each stratum: fixed for low, reference (normal) and high; the others by position in what is left.

    Parameters
    ----------
    labels : sequence of str
        Strata in their order.

    Returns
    -------
    dict
        label to StratumStyle; a single stratum "all" is grey; past seven strata the styles come round again.

    Examples
    --------
    >>> styles = stratum_styles(["low", "reference"])
    >>> styles["low"].color, styles["reference"].color
    ('#D55E00', '#0072B2')
    >>> stratum_styles(["reference", "high"])["reference"] == styles["reference"]
    True
    """
    taken = {label: _KNOWN[label.strip().casefold()] for label in labels if label.strip().casefold() in _KNOWN}
    free = [slot for slot in range(len(_SLOTS)) if slot not in taken.values()] or list(range(len(_SLOTS)))
    styles, others = {}, cycle(free)
    for label in labels:
        if label in taken:
            styles[label] = _SLOTS[taken[label]]
        else:
            styles[label] = _ALL if label.casefold() == "all" else _SLOTS[next(others)]
    return styles


def is_wide(width: float) -> bool:
    """Whether a figure of so many mm is laid out for two columns."""
    return width > 1.5 * ONE_COLUMN


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw or save within the project's style; matplotlib's own settings are as before afterwards.

    Examples
    --------
    >>> import matplotlib
    >>> before = matplotlib.rcParams["font.size"]
    >>> with figure_style():
    ...     inside = matplotlib.rcParams["font.size"]
    >>> inside, matplotlib.rcParams["font.size"] == before
    (7.5, True)
    """
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


_SETTINGS: dict[Any, Any] = {
    # shipped with matplotlib itself, so that a figure repeats on any machine
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "text.parse_math": False,  # a "$" in a label is a dollar
    "text.color": INK,
    "text.hinting": "none",  # widths are then the same at every resolution
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": TEXT,
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.4,
    "figure.dpi": 150,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "magnesium-survival",
    "pdf.fonttype": 42,
}
