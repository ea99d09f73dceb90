"""The look of every figure: the house style and what of the user's settings it respects, colours, lines, sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, get_args

from analysis.errors import InputError

ONE_COLUMN = 85.0
TWO_COLUMNS = 174.0
MM_PER_INCH = 25.4
POINTS_PER_INCH = 72.0

VERMILLION, BLUE, GREEN, PURPLE = "#D55E00", "#0072B2", "#009E73", "#CC79A7"
ORANGE, SKY, GREY = "#E69F00", "#56B4E9", "#444444"
INK, SOFT_INK, HAIRLINE = "#1b1f24", "#57606a", "#c8cdd3"
VERMILLION_INK, BLUE_INK = "#b04d00", "#005f95"  # for words: contrast 4.5 on white

SMALL, TEXT, HEAD, STROKE = 7.0, 7.5, 9.5, 1.4
DIMMED = 0.35
LIKE_ARIAL = ("Arial", "Helvetica", "Liberation Sans", "Arimo", "Nimbus Sans", "TeX Gyre Heros")
DEFAULT_FACE = "DejaVu Sans"  # shipped with matplotlib

Dashes = tuple[float, tuple[float, ...] | None]
Preset = Literal["paper", "slides"]

_PRESETS: dict[Preset, dict[str, Any]] = {
    "paper": {},
    "slides": {"font.size": 11.0, "lines.linewidth": 2.2, "axes.linewidth": 1.0, "savefig.dpi": 200},
}
_HOUSE: dict[str, Any] = {
    "font.size": TEXT,
    "text.parse_math": False,  # a "$" in a label is a dollar
    "text.color": INK,
    "text.hinting": "none",  # widths are then the same at every resolution
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.unicode_minus": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": STROKE,
    "figure.dpi": 150,
    "figure.facecolor": "white",
    "savefig.dpi": 300,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "magnesium-survival",
    "pdf.fonttype": 42,
}
_RESPECTED = (
    "font.", "lines.linewidth", "axes.prop_cycle", "axes.labelsize", "axes.labelweight", "axes.titlesize",
    "axes.linewidth", "xtick.labelsize", "ytick.labelsize", "xtick.major.", "ytick.major.", "figure.dpi",
    "savefig.dpi", "pdf.fonttype",
)  # fmt: skip


@contextmanager
def figure_style(preset: Preset = "paper") -> Iterator[None]:
    """Draw figures in the house style, whatever `plt.rcParams`, a style sheet or seaborn have set before.

    Outside of it, plot functions respect what you have set away from matplotlib's defaults: font, sizes of type and
    lines, colour cycle (and with them seaborn's contexts and palettes). The house style fills in the rest.

    Parameters
    ----------
    preset : {"paper", "slides"}
        "paper": type of 7 to 9.5 points, as journals ask for at the printed width. "slides": type and lines half as
        large again, so that a figure of 174 mm, drawn out to the width of a slide, has type of 20 points. What you set
        within (``plt.rcParams["font.size"] = 9``) holds until the end of the block.

    Raises
    ------
    InputError
        Another preset.

    Notes
    -----
    matplotlib's settings are as before afterwards. The ground, the axes and the layout are the house's in any case. A
    setting that equals matplotlib's default counts as not set.

    Examples
    --------
    >>> import matplotlib
    >>> before = matplotlib.rcParams["font.size"]
    >>> with figure_style("slides"):
    ...     inside = matplotlib.rcParams["font.size"]
    >>> inside, matplotlib.rcParams["font.size"] == before
    (11.0, True)
    """
    import matplotlib as mpl

    if preset not in _PRESETS:
        raise InputError(f"preset={preset!r}: the styles are {', '.join(map(repr, get_args(Preset)))}")
    with mpl.rc_context():
        mpl.rcdefaults()
        settings: Any = mpl.rcParams
        settings.update({**_HOUSE, **_PRESETS[preset], "font.family": [*_installed(LIKE_ARIAL)[:1], DEFAULT_FACE]})
        yield


@contextmanager
def drawing_style(*, on_axes: bool = False) -> Iterator[None]:
    """The house style, with what the user has set away from matplotlib's defaults among the settings respected.

    `on_axes` of the user's, whose labels have their type already, the type is the user's in any case.
    """
    import matplotlib as mpl

    settings: Any = mpl.rcParams
    defaults: Any = mpl.rcParamsDefault
    names = [name for name in settings if name.startswith(_RESPECTED)]
    theirs = {
        name: settings[name]
        for name in names
        if settings[name] != defaults[name] or (on_axes and name.startswith("font."))
    }
    if any(name in theirs for name in ("font.family", "font.sans-serif", "font.serif", "font.monospace")):
        # by name: a generic family would be looked up again when the figure is saved, in other settings
        families = [settings.get(f"font.{family}", [family]) for family in settings["font.family"]]
        theirs["font.family"] = _installed([name for family in families for name in family]) or [DEFAULT_FACE]
    with figure_style():
        settings.update(theirs)
        yield


def _installed(faces: Sequence[str]) -> list[str]:
    """Those of the faces that matplotlib finds."""
    from matplotlib.font_manager import fontManager

    found = set(fontManager.get_font_names())
    return [face for face in faces if face in found]


def scale() -> float:
    """The size of type against the house's: lengths of the layout grow with it. 1 in the house style."""
    import matplotlib as mpl

    return float(mpl.rcParams["font.size"]) / TEXT


def stroke(width: float) -> float:
    """A line's width, as much wider as the user's lines are."""
    import matplotlib as mpl

    return width * float(mpl.rcParams["lines.linewidth"]) / STROKE


def points(length: float) -> float:
    """A length of the layout in true points."""
    return length * scale()


def from_inches(length: float) -> float:
    """Inches as a length of the layout."""
    return length * POINTS_PER_INCH / scale()


def inches(length: float) -> float:
    """A length of the layout in inches."""
    return points(length) / POINTS_PER_INCH


def millimetres(length: float) -> float:
    """A length of the layout in millimetres."""
    return inches(length) * MM_PER_INCH


def is_wide(width: float) -> bool:
    """Whether a figure of so many mm is laid out for two columns."""
    return width > 1.5 * ONE_COLUMN
