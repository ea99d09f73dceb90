"""How strata are told apart in every figure: colours, line styles that read in grey, marks; palettes of the user's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

from analysis.errors import InputError, raise_all
from analysis.present.canvas import style as house

Dashes = house.Dashes
Palette = str | Sequence[str] | Mapping[str, str]
Linestyle = str | Dashes
Linestyles = Linestyle | Sequence[Linestyle] | Mapping[str, Linestyle]
LINESTYLES = ("-", "--", "-.", ":", "solid", "dashed", "dashdot", "dotted")
CONTRAST = 4.5


@dataclass(frozen=True)
class StratumStyle:
    """How one stratum is drawn everywhere: colour, darker `ink` for its words (contrast 4.5 on white), line, marker."""

    color: str
    ink: str
    line: Dashes | str
    marker: str


SOLID: Dashes = (0, None)
_SLOTS = (
    StratumStyle(house.VERMILLION, house.VERMILLION_INK, SOLID, "o"),
    StratumStyle(house.BLUE, house.BLUE_INK, (0, (6, 1.4)), "s"),
    StratumStyle(house.GREEN, "#00704f", (0, (6, 1.3, 1.3, 1.3)), "^"),
    StratumStyle(house.PURPLE, "#99447a", (0, (2.6, 1.2)), "D"),
    StratumStyle(house.ORANGE, "#8a5f00", (0, (8, 1.2, 1.2, 1.2, 1.2, 1.2)), "v"),
    StratumStyle(house.SKY, "#1b6f9f", (0, (10, 2)), "P"),
    StratumStyle(house.GREY, house.GREY, (0, (4, 1.2, 1.2, 1.2)), "X"),
)
_KNOWN = {"low": 0, "reference": 1, "normal": 1, "high": 2}
_ALL = StratumStyle(house.GREY, house.GREY, SOLID, "o")


def stratum_styles(
    labels: Sequence[str], *, palette: Palette | None = None, linestyles: Linestyles | None = None
) -> dict[str, StratumStyle]:
    """The style of each stratum: fixed for low, reference (normal) and high; the others by position in what is left.

    Parameters
    ----------
    labels : sequence of str
        Strata in their order.
    palette : str, sequence of colours or mapping, optional
        A palette that seaborn knows by name, a colour for each stratum in order, or stratum to colour. By default the
        user's colour cycle where one is set, else the house's colours.
    linestyles : str, sequence or mapping, optional
        matplotlib's line styles, one for all, one for each, or stratum to style.

    Returns
    -------
    dict
        label to StratumStyle; a single stratum "all" is grey; past seven strata the styles come round again.

    Raises
    ------
    InputError
        A palette that is not known, or colours or line styles that are none, or fewer than there are strata.

    Examples
    --------
    >>> styles = stratum_styles(["low", "reference"])
    >>> styles["low"].color, styles["reference"].color
    ('#D55E00', '#0072B2')
    >>> stratum_styles(["reference", "high"])["reference"] == styles["reference"]
    True
    >>> stratum_styles(["low", "reference"], palette=["black", "0.5"])["reference"].color
    '#808080'
    """
    taken = {label: _KNOWN[label.strip().casefold()] for label in labels if label.strip().casefold() in _KNOWN}
    free = [slot for slot in range(len(_SLOTS)) if slot not in taken.values()] or list(range(len(_SLOTS)))
    others = cycle(free)
    slots = {
        label: _ALL if label.casefold() == "all" else _SLOTS[taken[label] if label in taken else next(others)]
        for label in labels
    }
    named = _named_palette(palette, len(slots)) if isinstance(palette, str) else palette
    colors = _for_each(named, slots, "palette", "colour") if named is not None else _users_colors(slots)
    lines = {} if linestyles is None else _for_each(linestyles, slots, "linestyles", "line style")
    known = f"{', '.join(LINESTYLES)} or (offset, (on, off, ...))"
    wrong = [f"linestyles: {line!r} is no line style: {known}" for line in lines.values() if not _is_line(line)]
    raise_all([*color_problems(colors.values()), *dict.fromkeys(wrong)], InputError)
    styles = {label: replace(slot, line=lines.get(label, slot.line)) for label, slot in slots.items()}
    return {label: _colored(style, colors[label]) if label in colors else style for label, style in styles.items()}


def color_problems(colors: Iterable[object]) -> list[str]:
    """What is wrong with the colours of a palette."""
    from matplotlib.colors import is_color_like

    unknown = (color for color in dict.fromkeys(colors) if not is_color_like(color))
    return [f"palette: {color!r} is no colour that matplotlib knows ('#0072B2', 'tab:blue', ...)" for color in unknown]


def _for_each(given: object, labels: Mapping[str, object], option: str, what: str) -> dict[str, Any]:
    """What an option gives to each label: by name, in order, or the same to all."""
    if isinstance(given, Mapping):
        missing = [label for label in labels if label not in given]
        if missing:
            have = ", ".join(map(repr, given))
            raise InputError(f"{option}: no {what} for {', '.join(map(repr, missing))}; it has {have}")
        return {label: given[label] for label in labels}
    if isinstance(given, str) or _is_line(given) or not isinstance(given, Iterable):
        return dict.fromkeys(labels, given)
    each = list(given)
    if len(each) < len(labels):
        names = ", ".join(map(repr, labels))
        raise InputError(f"{option}: {len(each)} given, for {len(labels)} strata ({names}); give a {what} for each")
    return dict(zip(labels, each, strict=False))


def _is_line(line: object) -> bool:
    """Whether matplotlib takes it for the style of one line."""
    if isinstance(line, str):
        return line in LINESTYLES
    return isinstance(line, tuple) and len(line) == 2 and not isinstance(line[0], str | tuple)


def _named_palette(name: str, n: int) -> list[str]:
    """Colours of a palette that seaborn knows."""
    import seaborn as sns

    try:
        return [str(color) for color in sns.color_palette(name, n).as_hex()]
    except (ValueError, AttributeError) as error:
        raise InputError(
            f"palette={name!r}: no palette of that name; take one of seaborn's (colorblind, Set2, viridis, ...),"
            " a list of colours, or a mapping of strata to colours"
        ) from error


def _users_colors(labels: Mapping[str, object]) -> dict[str, str]:
    """The colour cycle that the user has set, in order; empty where it is matplotlib's own."""
    import matplotlib as mpl

    colors = mpl.rcParams["axes.prop_cycle"].by_key().get("color", [])
    if mpl.rcParams["axes.prop_cycle"] == mpl.rcParamsDefault["axes.prop_cycle"] or not colors:
        return {}
    return dict(zip(labels, cycle(colors), strict=False))


def _colored(style: StratumStyle, color: str) -> StratumStyle:
    """The style in another colour, its ink darkened until it reads on white."""
    from matplotlib.colors import to_hex, to_rgb

    red, green, blue = to_rgb(color)
    shade = next(step for step in range(101) if _contrast(*(part * (1 - step / 100) for part in (red, green, blue))))
    ink = to_hex((red * (1 - shade / 100), green * (1 - shade / 100), blue * (1 - shade / 100)))
    return replace(style, color=to_hex(color), ink=ink)


def _contrast(*parts: float) -> bool:
    """Whether words in a colour read on white: contrast 4.5 by WCAG 2's relative luminance."""
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (luminance + 0.05) >= CONTRAST
