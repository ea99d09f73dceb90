"""Results to files: figures, tables, one report, and a manifest of all of them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from analysis import errors
from analysis.batches import batch_results
from analysis.cohort.reading import synthetic_folder
from analysis.present.canvas import batch_of_figures, figure_svg, page_svg, remove_file, replace_file, save_figure
from analysis.present.pages import Block as PageBlock
from analysis.present.pages import FigureBlock, Note, Opening, Section, TableBlock, WordFigure, render_page, write_word
from analysis.present.text import csv_text
from analysis.study.blocks import computed, recorded
from analysis.study.outputs.explorer import write_explorer
from analysis.study.plan import StudyPlan, slug
from analysis.study.report import Block, StudyFigure, StudyResults, StudySection
from analysis.study.report.sections.verification import input_table, sha256, software_table

MANIFEST = "manifest.json"
_BESIDE = "Tables and figures lie beside this file; manifest.json lists their digests."


def write_outputs(
    results: StudyResults,
    directory: str | Path,
    *,
    others: tuple[Path, ...] = (),
    companions: bool = True,
    progress: Callable[[str], object] | None = None,
) -> tuple[Path, ...]:
    """Write the report, its figures and tables, and a manifest.

    Parameters
    ----------
    results : StudyResults
        What `run_study` gave.
    directory : str or Path
        Where to; made when it is not there. What an earlier run's manifest lists is removed when all is written, where
        this run has not replaced it: a full disk costs nothing that was there.
    others : tuple of Path
        Files under `directory`, already written, that the manifest should cover too.
    companions : bool
        Whether to write the explorer and the Word file too.
    progress : callable, optional
        Called with the name of each figure when it is written.

    Returns
    -------
    tuple of Path
        All files: ``report.html``, ``explorer.html``, ``tables.docx``, ``figures/*`` (PNG, SVG and PDF),
        ``tables/*.csv``, ``manifest.json``. The explorer is left out where no cut can be searched, the Word file where
        python-docx is not installed; the report then says so.

    Raises
    ------
    NotWritten
        A file cannot be written; none stands half-written under its name.

    Warns
    -----
    PartFailed
        A figure, the explorer or the Word file, where it failed in a way that the package did not foresee.

    Examples
    --------
    >>> import tempfile
    >>> from analysis.study.prepare import prepare_study
    >>> from analysis.study.report import StudyResults
    >>> from analysis.study.report.sections.strata import strata_section
    >>> from analysis.study.run import synthetic_plan
    >>> study = prepare_study(synthetic_plan())
    >>> results = StudyResults(study, summary=(), sections=(strata_section(study),))  # run_study(plan) makes all of it
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = write_outputs(results, folder)
    >>> files[-1].name
    'manifest.json'
    """
    directory = Path(directory)
    earlier = _earlier_files(directory)
    figures, drawings = write_figures(results, directory, progress=progress)
    tables = _write_tables(results, directory)
    beside, notes = _write_companions(results, directory, figures) if companions else ({}, [])
    report = replace_file(directory / "report.html", _report(results, drawings, beside, notes))
    files = (report, *beside, *figures, *tables, *others)
    manifest = _write_manifest(results, directory, files)
    for path in sorted(earlier - {path.resolve() for path in files}):
        remove_file(path)
    return (*files, manifest)


def write_figures(
    results: StudyResults, directory: Path, *, progress: Callable[[str], object] | None = None
) -> tuple[tuple[Path, ...], dict[str, str]]:
    """Draw every figure: its three files, and its drawings for the page by name; a note where it cannot be drawn.

    Under ``joblib.parallel_config(n_jobs=2)`` figures are shared out among processes; their bytes are the same.
    """
    files: list[Path] = []
    drawings: dict[str, str] = {}
    folder = directory / "figures"
    work = partial(_recorded_figure, folder=folder.absolute())  # a process that stands by may lie in another folder
    written = batch_results(work, list(results.figures.values()))
    for name, (drawn, failures) in zip(results.figures, written, strict=True):
        errors.warn_all(failures)
        if drawn is not None:
            files += [folder / path.name for path in drawn[0]]
            drawings |= drawn[1]
        if progress is not None:
            progress(name)
    return tuple(files), drawings


Drawn = tuple[tuple[Path, ...], dict[str, str]]


def _recorded_figure(figure: StudyFigure, folder: Path) -> tuple[Drawn | None, list[errors.AnalysisWarning]]:
    """One figure, or why it could not be drawn: a warning of another process would not be heard."""
    with errors.collected() as caught:
        drawn = computed(f"The figure {figure.name}", _write_figure, figure, folder)
    return drawn, [warning for warning in caught if isinstance(warning, errors.PartFailed)]


def _write_figure(figure: StudyFigure, folder: Path) -> Drawn:
    """One figure's files, and its drawings for the page by name: as wide as a page, and as wide as a phone."""
    with batch_of_figures():
        paths = save_figure(figure.draw(), folder / figure.name, alt=figure.alt, title=figure.title)
        drawings = {figure.name: page_svg(paths[1])}
        if figure.draw_narrow is not None:
            name = narrow_name(figure.name)
            drawings[name] = figure_svg(figure.draw_narrow(), alt=figure.alt, prefix=name)
    return paths, drawings


def narrow_name(name: str) -> str:
    """The name of a figure's drawing for phones."""
    return f"{name}--narrow"


def _write_tables(results: StudyResults, directory: Path) -> list[Path]:
    """Every tidy table as CSV."""
    folder = directory / "tables"
    return [replace_file(folder / f"{name}.csv", csv_text(frame)) for name, frame in results.tables.items()]


def _write_companions(
    results: StudyResults, directory: Path, figures: Sequence[Path]
) -> tuple[dict[Path, str], list[str]]:
    """The explorer and the Word file, each with the words of its link; and why one of them is not there."""
    explorer = partial(write_explorer, results.study, directory / "explorer.html", report="report.html")
    banner = _banner(results.study.plan)
    word = partial(write_word_tables, results, directory / "tables.docx", banner=banner, figures=figures)
    written: dict[Path, str] = {}
    notes: list[str] = []
    for words, write in (("the cut-point explorer", explorer), ("tables for Word", word)):
        path, warnings = recorded(f"{words[:1].upper()}{words[1:]}", write)
        if path is not None:
            written[path] = words
        notes += [str(warning) for warning in warnings if isinstance(warning, errors.NotComputed)]
    return written, notes


def _banner(plan: StudyPlan) -> str:
    """What heads every page of a synthetic study."""
    return "Synthetic and illustrative: every patient is simulated" if plan.synthetic else ""


def _report(results: StudyResults, drawings: dict[str, str], companions: dict[Path, str], notes: Sequence[str]) -> str:
    """The report as one page."""
    plan = results.study.plan
    return render_page(
        plan.title,
        banner=_banner(plan),
        opening=_page_opening(results, drawings),
        summary=() if results.opening else results.summary,
        sections=tuple(_page_section(section, drawings) for section in results.sections),
        footer=" ".join([*notes, f"Plan SHA-256 {plan.sha256}. {_BESIDE}"]),
        companions={path.name: words for path, words in companions.items()},
    )


def _page_opening(results: StudyResults, drawings: dict[str, str]) -> Opening | None:
    """The first screen with its figure drawn."""
    opening = results.opening
    if opening is None:
        return None
    figure = _page_block(opening.figure, drawings) if opening.figure else None
    shown = figure if isinstance(figure, FigureBlock) else None
    return Opening(opening.paragraphs, shown, opening.tiles, opening.cautions)


def _page_section(section: StudySection, drawings: dict[str, str]) -> Section:
    """A section with its figures drawn."""
    blocks = (_page_block(block, drawings) for block in section.blocks)
    shown = blocks if section.supplement else (_folded(block) for block in blocks)
    return Section(section.anchor, section.title, tuple(shown), section.supplement)


def _folded(block: PageBlock) -> PageBlock:
    """A block of the main part: its tables are folded, but for those that a reader needs."""
    if not isinstance(block, TableBlock) or any(fnmatchcase(block.name, pattern) for pattern in OPEN_TABLES):
        return block
    return replace(block, folded=True)


def _page_block(block: Block, drawings: dict[str, str]) -> PageBlock:
    """A block as the page takes it."""
    if not isinstance(block, StudyFigure):
        return block
    if block.name not in drawings:
        return Note(f"The figure {block.name} ({block.title}) could not be drawn. {block.alt}", "caution")
    narrow = drawings.get(narrow_name(block.name), "")
    return FigureBlock(block.name, block.title, drawings[block.name], block.alt, block.caption, narrow)


def _earlier_files(directory: Path) -> set[Path]:
    """What an earlier run wrote here, as its manifest lists it; nothing outside of the folder."""
    if not (directory / MANIFEST).exists():
        return set()
    paths = {(directory / name).resolve() for name in read_manifest(directory)["files"]}
    return {path for path in paths if path.is_relative_to(directory.resolve())}


def read_manifest(directory: Path) -> dict[str, Any]:
    """What the earlier run of a folder says of itself.

    Raises
    ------
    InputError
        No manifest there, or one that `write_outputs` has not written.
    """
    path = directory / MANIFEST
    again = "python -m analysis report writes one"
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise errors.InputError(f"no {MANIFEST} in {directory}, so no report was written there; {again}") from None
    except ValueError as error:  # not JSON, or not text
        raise errors.InputError(f"{path} is empty, cut off or not JSON ({error}); remove it, then {again}") from None
    names = content.get("files") if isinstance(content, dict) else None
    if not isinstance(names, dict) or not isinstance(content.get("plan"), str | None):
        raise errors.InputError(f"{path} is not the manifest of a report (no table of files); move it, then {again}")
    return dict(content)


def _plan_path(results: StudyResults, directory: Path) -> str | None:
    """Where the plan lies, seen from the report's folder; None for the synthetic cohort's own."""
    path = results.study.plan.path
    if path is None or path.resolve() == (synthetic_folder() / "plan.toml").resolve():
        return None
    return Path(os.path.relpath(path.resolve(), directory.resolve())).as_posix()


def _write_manifest(results: StudyResults, directory: Path, files: tuple[Path, ...]) -> Path:
    """The digests of everything written, of the inputs and of the plan, with the versions that ran."""
    inputs, software = input_table(results.study), software_table()
    content = {
        "title": results.study.plan.title,
        "plan": _plan_path(results, directory),
        "plan_sha256": results.study.plan.sha256,
        "inputs": dict(zip(inputs["file"], inputs["sha256"], strict=True)),
        "software": dict(zip(software["software"], software["version"], strict=True)),
        "files": {path.relative_to(directory).as_posix(): sha256(path) for path in sorted(files)},
    }
    return replace_file(directory / MANIFEST, json.dumps(content, indent=2) + "\n")


OPEN_TABLES = ("table-1", "*-survival-table", "hazard-ratio-table", "threats", "searched-cut")
"""Names of the tables of the main part that are not folded."""
PAPER_TABLES = ("table-1", "*-survival-table", "*-restricted-mean-differences", "hazard-ratio-table", "*-model")
"""Names of the tables that go into the file; it keeps the report's order."""


def write_word_tables(
    results: StudyResults, path: str | Path, *, banner: str = "", figures: Sequence[Path] = ()
) -> Path | None:
    """Write the tables of a paper, and its two main figures, into one Word file.

    Parameters
    ----------
    results : StudyResults
        What `run_study` gave.
    path : str or Path
        The ``.docx`` file.
    banner : str
        As in the report.
    figures : sequence of Path
        The files of the figures; of the primary endpoint's curves and of the forest, the PNG goes in.

    Returns
    -------
    Path or None
        None where there is no such table, or python-docx is missing.

    Warns
    -----
    NotComputed
        Without python-docx, which the extra ``word`` brings.
    """
    tables = word_tables(results)
    if not tables:
        return None
    try:
        pictures = _word_figures(results, figures)
        return write_word(tables, path, title=results.study.plan.title, banner=banner, figures=pictures)
    except errors.NotSupported as error:
        errors.warn_all([errors.NotComputed(f"{Path(path).name} is not written: {error}")])
        return None


def _word_figures(results: StudyResults, files: Sequence[Path]) -> list[WordFigure]:
    """The curves of the primary endpoint and the forest of the models, where they were drawn."""
    names = (f"survival-{slug(results.study.primary.name)}", "forest")
    paths = {path.name: path for path in files}
    drawn = [results.figures[name] for name in names if f"{name}.png" in paths]
    return [WordFigure(one.title, one.caption, one.alt, paths[f"{one.name}.png"]) for one in drawn]


def word_tables(results: StudyResults) -> tuple[TableBlock, ...]:
    """The tables of a paper, in the report's order."""
    blocks = [block for section in results.sections for block in section.blocks if isinstance(block, TableBlock)]
    return tuple(block for block in blocks if any(fnmatchcase(block.name, pattern) for pattern in PAPER_TABLES))
