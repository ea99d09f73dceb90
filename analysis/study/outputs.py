"""Results to files: figures, tables, one report, and a manifest of all of them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from analysis.cohort.examples import synthetic_folder
from analysis.present.files import figure_svg, save_figure
from analysis.present.page import Block as PageBlock
from analysis.present.page import FigureBlock, Section, render_page
from analysis.present.tables import csv_text
from analysis.study.results import Block, StudyFigure, StudyResults, StudySection
from analysis.study.sections.methods import input_table, sha256, software_table

MANIFEST = "manifest.json"


def write_outputs(
    results: StudyResults,
    directory: str | Path,
    *,
    others: tuple[Path, ...] = (),
    progress: Callable[[str], object] | None = None,
) -> tuple[Path, ...]:
    """Write the report, its figures and tables, and a manifest.

    Parameters
    ----------
    results : StudyResults
        What `run_study` gave.
    directory : str or Path
        Where to; made when it is not there. Files that an earlier run's manifest lists are removed first.
    others : tuple of Path
        Files under `directory`, already written, that the manifest should cover too.
    progress : callable, optional
        Called with the name of each figure when it is written.

    Returns
    -------
    tuple of Path
        All files: ``report.html``, ``figures/*`` (PNG, SVG and PDF), ``tables/*.csv``, ``manifest.json``.

    Examples
    --------
    >>> import tempfile
    >>> from dataclasses import replace
    >>> from analysis.study.run import run_study, synthetic_plan
    >>> results = run_study(synthetic_plan())
    >>> methods = replace(results, sections=results.sections[-1:])  # all sections take a while to draw
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = write_outputs(methods, folder)
    >>> files[-1].name
    'manifest.json'
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    _remove_earlier(directory, keep=others)
    figures, drawings = write_figures(results, directory, progress=progress)
    tables = _write_tables(results, directory)
    report = directory / "report.html"
    report.write_text(_report(results, drawings), encoding="utf-8", newline="\n")
    files = (report, *figures, *tables, *others)
    return (*files, _write_manifest(results, directory, files))


def write_figures(
    results: StudyResults, directory: Path, *, progress: Callable[[str], object] | None = None
) -> tuple[tuple[Path, ...], dict[str, str]]:
    """Draw every figure once: its three files, and its SVG for the page, by name."""
    folder = directory / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    drawings = {}
    for name, figure in results.figures.items():
        drawn = figure.draw()
        files += save_figure(drawn, folder / name, alt=figure.alt, title=figure.title)
        drawings[name] = figure_svg(drawn, alt=figure.alt, prefix=name)
        if progress is not None:
            progress(name)
    return tuple(files), drawings


def _write_tables(results: StudyResults, directory: Path) -> list[Path]:
    """Every tidy table as CSV."""
    folder = directory / "tables"
    folder.mkdir(exist_ok=True)
    files = []
    for name, frame in results.tables.items():
        path = folder / f"{name}.csv"
        path.write_text(csv_text(frame), encoding="utf-8", newline="")
        files.append(path)
    return files


def _report(results: StudyResults, drawings: dict[str, str]) -> str:
    """The report as one page."""
    plan = results.study.plan
    return render_page(
        plan.title,
        banner="Synthetic and illustrative: every patient is simulated" if plan.synthetic else "",
        summary=results.summary,
        sections=tuple(_page_section(section, drawings) for section in results.sections),
        footer=f"Plan SHA-256 {plan.sha256}. Tables and figures lie beside this file; manifest.json lists their"
        " digests.",
    )


def _page_section(section: StudySection, drawings: dict[str, str]) -> Section:
    """A section with its figures drawn."""
    return Section(section.anchor, section.title, tuple(_page_block(block, drawings) for block in section.blocks))


def _page_block(block: Block, drawings: dict[str, str]) -> PageBlock:
    """A block as the page takes it."""
    if not isinstance(block, StudyFigure):
        return block
    return FigureBlock(block.name, block.title, drawings[block.name], block.alt, block.caption)


def _remove_earlier(directory: Path, *, keep: tuple[Path, ...]) -> None:
    """Remove what an earlier run wrote here, as its manifest lists it, so that no stale file is left behind."""
    manifest = directory / MANIFEST
    if not manifest.exists():
        return
    kept = {path.resolve() for path in keep}
    for name in json.loads(manifest.read_text(encoding="utf-8"))["files"]:
        path = (directory / name).resolve()
        if path.is_relative_to(directory.resolve()) and path not in kept:
            path.unlink(missing_ok=True)


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
    path = directory / MANIFEST
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8", newline="\n")
    return path
