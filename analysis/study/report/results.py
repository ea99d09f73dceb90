"""What a study came to, and what its sections are made of: blocks, figures, forests, tests, parts by endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.canvas import ONE_COLUMN
from analysis.present.figures import plot_forest
from analysis.present.pages import Listing, Note, Prose, TableBlock, Tile
from analysis.study.blocks import attempted, computed
from analysis.study.models import estimate_text
from analysis.study.plan import slug as slug
from analysis.study.study import Study

if TYPE_CHECKING:
    from analysis.present.canvas.files import Figure

RATIO = ["hazard_ratio", "conf_low", "conf_high"]
FOREST = ["group", "label", "kind", *RATIO]


@dataclass(frozen=True, eq=False)
class StudyFigure:
    """A figure of the study: drawn from its frames only when it is written.

    Attributes
    ----------
    name : str
        The stem of its files.
    title, alt, caption : str
        A heading, what is to be seen in words, and the line under the figure.
    draw : callable
        Gives the matplotlib figure.
    draw_narrow : callable, optional
        The same in the width of one column, which a phone shows.
    """

    name: str
    title: str
    alt: str
    caption: str
    draw: Callable[[], Figure]
    draw_narrow: Callable[[], Figure] | None = None


Block = Prose | Note | Listing | TableBlock | StudyFigure
Blocks = Iterator[Block]


@dataclass(frozen=True, eq=False)
class StudySection:
    """One section of the report, in its main part or its supplement."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    supplement: bool = False


@dataclass(frozen=True, eq=False)
class StudyOpening:
    """What the first screen shows.

    Attributes
    ----------
    paragraphs : tuple of str
        The plan's question, or one made from the plan.
    figure : StudyFigure, optional
        The curves of the primary endpoint.
    tiles : tuple of Tile
    cautions : Mapping[str, str]
        What calls for caution, each once, and the anchor of the section where it matters.
    """

    paragraphs: tuple[str, ...]
    figure: StudyFigure | None
    tiles: tuple[Tile, ...]
    cautions: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class StudyResults:
    """Everything that a study computed.

    Attributes
    ----------
    study : Study
        The plan and the cohort as analysed.
    summary : tuple of str
        The answer in a few lines.
    sections : tuple of StudySection
        The report, in reading order.
    opening : StudyOpening, optional
        The first screen, which holds the curves of the primary endpoint.

    Examples
    --------
    >>> from analysis import synthetic_plan
    >>> from analysis.study.prepare import prepare_study
    >>> study = prepare_study(synthetic_plan())
    >>> frame = pd.DataFrame({"step": ["rows read"], "n": [480]})
    >>> cohort = StudySection("cohort", "The cohort", (TableBlock("flow", "Rows read and used", frame, frame),))
    >>> results = StudyResults(study, summary=(), sections=(cohort,))  # run_study(plan) makes all of it
    >>> results.tables["flow"]["n"].tolist()
    [480]
    """

    study: Study
    summary: tuple[str, ...]
    sections: tuple[StudySection, ...]
    opening: StudyOpening | None = None

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of the report, by name, as the tidy frame it was computed as."""
        return frames_of(self.sections)

    @property
    def figures(self) -> dict[str, StudyFigure]:
        """Every figure of the report, by name."""
        lead = self.opening.figure if self.opening is not None else None
        return ({lead.name: lead} if lead is not None else {}) | figures_of(self.sections)


def frames_of(sections: Iterable[StudySection]) -> dict[str, pd.DataFrame]:
    """The frames of the tables of some sections, by name."""
    return {block.name: block.frame for one in sections for block in one.blocks if isinstance(block, TableBlock)}


def figures_of(sections: Iterable[StudySection]) -> dict[str, StudyFigure]:
    """The figures of some sections, by name."""
    return {block.name: block for one in sections for block in one.blocks if isinstance(block, StudyFigure)}


Build = Callable[[Study], StudySection]


def section(
    anchor: str, title: str, *, supplement: bool = False
) -> Callable[[Callable[[Study], Iterable[Block]]], Build]:
    """A section of a function that yields the blocks of a study; ``{marker}`` in the title is the marker's label.

    Where the function fails, the section keeps its place and what was made of it, with a warning.
    """

    def decorate(blocks: Callable[[Study], Iterable[Block]]) -> Build:
        """The section of one function."""

        @wraps(blocks)
        def build(study: Study) -> StudySection:
            """The section of one study."""
            heading, made = title.replace("{marker}", study.marker_label), list[Block]()
            computed(f"The rest of the section {heading}", lambda: made.extend(blocks(study)))
            return StudySection(anchor, heading, tuple(made), supplement)

        return build

    return decorate


def by_endpoint(study: Study, parts: Mapping[str, Callable[[Study, Endpoint], Iterable[Block]]]) -> Blocks:
    """The blocks of every part, by its name, endpoint by endpoint; a part that the rows do not allow is a warning."""
    for endpoint in study.plan.endpoints:
        for name, compute in parts.items():
            yield from attempted(f"{endpoint.name}, {name}", compute, study, endpoint)


def figure(
    study: Study,
    name: str,
    title: str,
    plot: Callable[..., Figure],
    /,
    *frames: object,
    alt: str,
    caption: str,
    **options: object,
) -> StudyFigure:
    """A figure that `plot` draws of its frames when it is written, marked where the cohort is synthetic."""
    draw = partial(plot, *frames, **options, synthetic=study.plan.synthetic)
    return StudyFigure(name, title, alt, caption, draw, partial(draw, width=ONE_COLUMN))


def estimate_row(group: str, label: str, kind: str, estimate: Mapping[Any, Any]) -> tuple[object, ...]:
    """One row of a forest plot: a hazard ratio with its limits."""
    return (group, label, kind, *(estimate[name] for name in RATIO))


def target_row(group: str, label: str, ratio: float) -> tuple[object, ...]:
    """One row of a forest plot: a true hazard ratio, which has no limits."""
    return (group, label, "truth", ratio, float("nan"), float("nan"))


def forest_frame(rows: Iterable[tuple[object, ...]]) -> pd.DataFrame:
    """The rows of a forest plot: group label kind hazard_ratio conf_low conf_high."""
    return pd.DataFrame(rows, columns=FOREST)


def forest_words(frame: pd.DataFrame) -> str:
    """The estimates of a forest plot in words, each behind its group, where it has one, and its label."""
    return "; ".join(
        f"{', '.join(part for part in (row.get('group'), row['label']) if part)}: {estimate_text(row)}"
        for row in frame.to_dict("records")
    )


def forest(
    study: Study, name: str, title: str, /, frame: pd.DataFrame, *, caption: str, alt: str = "", **options: object
) -> StudyFigure:
    """A forest plot; without `alt` its words are those of all estimates."""
    words = alt or f"Forest plot. {forest_words(frame)}."
    return figure(study, name, title, plot_forest, frame, alt=words, caption=caption, **options)


def frame_of_tests(tests: Mapping[str, Any], *, key: str = "test") -> pd.DataFrame:
    """Tests by name: the key's column, n, statistic, df, p_value."""
    rows = [(name, test.n_used, test.statistic, test.df, test.p_value) for name, test in tests.items()]
    return pd.DataFrame(rows, columns=[key, "n", "statistic", "df", "p_value"])


def time_axis(study: Study, unit: str) -> str:
    """What an axis of follow-up is called: its unit, and where follow-up starts."""
    start = f" from {study.plan.time_zero}" if study.plan.time_zero else ""
    return f"{unit[:1].upper()}{unit[1:]}{start}"
