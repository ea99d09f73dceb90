"""What each method is worth where the answer is known: the benches as they were last run in full."""

from __future__ import annotations

from functools import partial

import pandas as pd

from analysis.cohort.reading import synthetic_folder
from analysis.present.figures import bench_display, plot_bench
from analysis.present.pages import Prose, TableBlock
from analysis.study.report import FOLDER, READING, BenchRecord, Block, StudyFigure, StudySection, read_benches
from analysis.study.study import Study
from analysis.truth.bench import NO_DEPARTURE, bench_table


def bench_section(study: Study) -> StudySection:
    """The committed benches of the synthetic worlds; for a cohort of one's own a word on where they are.

    Nothing is simulated here: each bench takes minutes, and its command stands beside it.
    """
    records = read_benches(synthetic_folder() / FOLDER) if study.plan.synthetic else ()
    if not records:
        words = (
            "The methods of this report also run on thousands of simulated cohorts whose truth is known, to see how"
            " often they mislead: the report of the synthetic cohort shows the scores, and python -m analysis bench"
            " makes them again."
        )
        return StudySection("bench", "Where the truth is known", (Prose(words),))
    words = (
        "One cohort shows one draw. Here each method meets many cohorts of each world, in which what was planted is"
        f" known, and is judged by its own target. {READING}"
    )
    blocks: list[Block] = [Prose(words)]
    for record in records:
        blocks += _record_blocks(record)
    return StudySection("bench", "Where the truth is known", tuple(blocks))


def _record_blocks(record: BenchRecord) -> list[Block]:
    """A bench as a figure and a table."""
    table = bench_table(record.scores)
    missed = table[~table["verdict"].isin([NO_DEPARTURE, ""])]
    note = f"{record.about} {record.words}."
    figure = StudyFigure(
        name=f"bench-{record.name}",
        title=record.title,
        alt=f"Bias, coverage and type-I error of {table['method'].nunique()} methods in {table['world'].nunique()}"
        f" worlds. {_missed_words(missed)}",
        caption=f"{record.about} Bars are 1.96 Monte-Carlo errors; bands: bias of 0.4 standard deviations, coverage of"
        " 93 to 97%.",
        draw=partial(plot_bench, table, synthetic=True),
    )
    shown = TableBlock(
        name=f"bench-{record.name}",
        title=f"{record.title}: every method in every world",
        frame=table,
        display=bench_display(table),
        note=note,
    )
    return [figure, shown]


def _missed_words(missed: pd.DataFrame) -> str:
    """The methods with a departure somewhere, in a sentence."""
    if missed.empty:
        return "No departure is shown."
    methods = ", ".join(dict.fromkeys(missed["method"].astype(str)))
    return f"A departure is shown, in one world or more, of: {methods}."
