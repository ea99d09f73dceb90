"""A study plan to its results, section by section."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from analysis.cohort.columns import nearest
from analysis.cohort.reading import synthetic_folder
from analysis.errors import AnalysisWarning, NotComputed, PartFailed, PlanError, RowsDropped, raise_all
from analysis.present.pages import Note
from analysis.present.text import in_sentence
from analysis.study import report
from analysis.study.blocks import recorded, table
from analysis.study.plan import StudyPlan
from analysis.study.prepare import prepare_study
from analysis.study.report import StudyResults
from analysis.study.report.sections import SECTIONS, glossary_section
from analysis.study.report.sections.moving import MARKER_AT_THE_TIME
from analysis.study.study import Study
from analysis.study.synthetic_data import read_truth
from analysis.truth.estimands import TrueEstimands

_NO_SUMMARY = "The summary could not be made; see the sections below."


def synthetic_plan() -> StudyPlan:
    """The committed plan of the synthetic cohort.

    Examples
    --------
    >>> synthetic_plan().synthetic
    True
    """
    return StudyPlan.from_toml(synthetic_folder() / "plan.toml")


def load_truth() -> TrueEstimands:
    """The committed targets of the synthetic cohort, from a million patients simulated by the same design.

    Returns
    -------
    TrueEstimands
        `log_hazard_ratios`, `curves` and `restricted_means`, each with its Monte-Carlo error.

    Examples
    --------
    >>> load_truth().n
    1000000
    """
    return read_truth(synthetic_folder() / "truth.json")


def load_plan(path: Path | None) -> StudyPlan:
    """The plan of a file, or the synthetic cohort's where none is named."""
    return StudyPlan.from_toml(path) if path else synthetic_plan()


def chosen_sections(only: Sequence[str] = ()) -> tuple[Callable[[Study], report.StudySection], ...]:
    """The sections of a report that are asked for by name, in their order; all where none is.

    Raises
    ------
    PlanError
        For names that no section has.
    """
    by_name = {build.__name__.removesuffix("_section"): build for build in SECTIONS}
    unknown = [f"no section {name!r}{nearest(name, by_name, kind='sections')}" for name in only if name not in by_name]
    raise_all(unknown, PlanError)
    return tuple(build for name, build in by_name.items() if name in only or not only)


def run_study(
    plan: StudyPlan | str | Path, *, only: Sequence[str] = (), progress: Callable[[str], object] | None = None
) -> StudyResults:
    """Carry out a study plan.

    Parameters
    ----------
    plan : StudyPlan, str or Path
        A plan, or the TOML file that holds one.
    only : sequence of str
        Names of sections, such as "survival" and "models": these alone are made; all when empty.
    progress : callable, optional
        Called with the title of each section when it is done.

    Returns
    -------
    StudyResults
        Sections with their tidy tables and figures (drawn when written); `tables` and `figures` by name.

    Raises
    ------
    InputError
        With every fault of the plan, the file or the cohort.

    Warns
    -----
    PartFailed
        A part that this package should have foreseen, with its traceback as `details`; the other parts stand.

    Notes
    -----
    Warnings of the analyses do not get lost: each stands as a note in the section where it arose. A part that the rows
    do not allow is a note, too, and so is one that fails in a way the package did not foresee.

    Examples
    --------
    >>> results = run_study(synthetic_plan())
    >>> results.tables["strata"].columns[:3].tolist()
    ['stratum', 'interval', 'n']
    """
    chosen = chosen_sections(only)
    study = prepare_study(plan if isinstance(plan, StudyPlan) else StudyPlan.from_toml(plan))
    cautions, loose = recorded("The cautions", report.study_cautions, study)
    sections = []
    for build in chosen:
        made = _noted(study, build.__name__.removesuffix("_section"), partial(build, study))
        section = _cautioned(study, made, cautions or ())
        sections.append(section)
        if progress is not None:
            progress(section.title)
    frames = report.frames_of(sections)
    if only:
        return report.StudyResults(study, (), tuple(sections))
    threats = _noted(study, "threats", partial(report.threats_section, study, frames))
    if threats.blocks:
        later = (i for i, section in enumerate(sections) if section.anchor == "searching" or section.supplement)
        sections.insert(next(later, len(sections)), threats)
    sections.append(_noted(study, "words", partial(report.words_section, study, sections)))
    sections.append(_noted(study, "checklists", partial(report.checklists_section, study.plan, sections)))
    sections.append(_noted(study, "glossary", partial(glossary_section, study)))
    summary, of_summary = recorded("The summary", report.summary_lines, study, frames)
    first, of_opening = recorded("The first screen", report.study_opening, study, sections, frames)
    opening, others = first or (None, tuple(sections))
    placed = _with_loose_ends(study, others, [*loose, *of_summary, *of_opening])
    return report.StudyResults(study, tuple(summary or (_NO_SUMMARY,)), placed, opening)


def _with_loose_ends(
    study: Study, sections: Sequence[report.StudySection], warnings: Iterable[AnalysisWarning]
) -> tuple[report.StudySection, ...]:
    """The sections, the first with a note on what could not be made outside of all of them."""
    shown = {block.text for section in sections for block in section.blocks if isinstance(block, Note)}
    failed = (one for one in warnings if isinstance(one, NotComputed | PartFailed))
    texts = [text for text in dict.fromkeys(_sentence(study, one) for one in failed) if text not in shown]
    first, *others = sections
    return replace(first, blocks=(*first.blocks, *(Note(text, "caution") for text in texts))), *others


def _noted(study: Study, name: str, build: Callable[[], report.StudySection]) -> report.StudySection:
    """A section with the warnings of its making as notes at its end; the section on the cohort has those of reading.

    A section that cannot be made is a note under its name.
    """
    made, warnings = recorded(f"The section {name}", build)
    section = made or report.StudySection(name, name.capitalize(), ())
    if section.anchor == "cohort":
        warnings = [*study.notes, *warnings]
    missing_marker = {f"missing {name}" for name in (*study.marker_columns, *MARKER_AT_THE_TIME)}  # a note of reading
    texts = [
        _sentence(study, warning)
        for warning in warnings
        if not (isinstance(warning, RowsDropped) and set(warning.dropped) <= missing_marker)
    ]
    return replace(section, blocks=(*section.blocks, *(Note(text, "caution") for text in dict.fromkeys(texts))))


def _cautioned(study: Study, section: report.StudySection, cautions: tuple[report.Caution, ...]) -> report.StudySection:
    """A section headed by what calls for caution in it; the checks list every rule."""
    raised = [one.text for one in cautions if one.section == section.anchor and one.raised and one.text]
    blocks: tuple[report.Block, ...] = (
        *(Note(_in_plan_words(study, text), "caution") for text in raised),
        *section.blocks,
    )
    if section.anchor == "checks":
        title = "What would call for caution: every rule, its threshold and what was observed"
        blocks = (*blocks, table("cautions", title, report.caution_table(cautions)))
    return replace(section, blocks=blocks)


def _sentence(study: Study, warning: AnalysisWarning) -> str:
    """A warning as a sentence in the plan's words."""
    text = str(warning)
    if isinstance(warning, RowsDropped):
        reasons = (
            f"{count:,} with missing '{reason.removeprefix('missing ')}'"
            if "missing " in reason
            else f"{count:,} {reason}"
            for reason, count in warning.dropped.items()
        )
        lost = warning.n_read - warning.n_used
        text = f"{lost:,} of {warning.n_read:,} rows are left out: {'; '.join(reasons)}"
    text = _in_plan_words(study, text)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _in_plan_words(study: Study, text: str) -> str:
    """A text in which columns in quotation marks have become their labels."""
    labels = {**study.plan.labels, study.plan.marker.column: study.plan.marker.label}
    labels[study.stratum_column] = f"strata of {study.marker_label}"
    for column, label in labels.items():
        text = text.replace(f"column '{column}'", in_sentence(label)).replace(f"'{column}'", in_sentence(label))
    return text
