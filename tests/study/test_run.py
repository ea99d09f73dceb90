"""What goes wrong while a report is made costs only itself, is named in words, and leaves nothing half-written."""

from __future__ import annotations

import errno
import json
import subprocess
from pathlib import Path

import pytest

from analysis import InputError, cli, errors, load_example, run_study, write_cohort, write_outputs
from analysis.errors import NotSupported, NotWritten, PackageFault, PartFailed, guarded
from analysis.present.canvas.files import replace_file
from analysis.present.pages import explorer as explorer_of_present
from analysis.present.pages.page import Note, Prose
from analysis.study import report, run
from analysis.study.outputs.drift import find_drift
from analysis.study.report.results import StudyFigure, StudyResults, StudySection, section
from analysis.study.report.sections.about import about_section
from analysis.study.report.sections.strata import strata_section
from tests.study.plans import LUNG_BY_AGE


def hazards_section(study):
    return 1 / 0


def drawn_section(study):
    """A figure that draws and one that does not."""
    from matplotlib.figure import Figure

    good, bad = (StudyFigure(name, name, "Alternative words.", "", draw) for name, draw in
                 (("good", Figure), ("bad", lambda: [][1])))  # fmt: skip
    return StudySection("drawn", "Drawn", (good, bad))


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """A plan in the working folder, with two sections, no summary of models and no companions to make."""
    write_cohort(load_example("lung")[["os_days", "os_event", "age"]], tmp_path / "cohort.csv")
    path = tmp_path / "plan.toml"
    path.write_text(LUNG_BY_AGE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "SECTIONS", (about_section, strata_section))
    monkeypatch.setattr(report, "summary_lines", lambda *_: ("Summary.",))
    monkeypatch.setattr(report, "study_cautions", lambda study: ())
    monkeypatch.setattr(report, "words_section", lambda *_: StudySection("words", "Words", ()))
    monkeypatch.setattr("analysis.study.outputs.write.write_explorer", lambda *_, **__: None)
    monkeypatch.setattr("analysis.study.outputs.write.write_word_tables", lambda *_, **__: None)
    return path


def text_of(section: StudySection) -> str:
    return " ".join(block.text for block in section.blocks if isinstance(block, Note))


def test_a_section_that_fails_is_a_note_under_its_name_and_the_rest_stands(plan, monkeypatch):
    monkeypatch.setattr(run, "SECTIONS", (about_section, hazards_section, strata_section))
    with pytest.warns(
        PartFailed, match=r"The section hazards is not given: .*ZeroDivisionError: division by zero"
    ) as caught:
        results = run_study(plan)
    (failed,) = caught
    assert "in hazards_section" in failed.message.details
    assert [section.title for section in results.sections][1] == "Hazards"
    assert "The section hazards" in text_of(results.sections[1])
    assert "strata" in results.tables


@pytest.mark.parametrize("part", ["study_cautions", "summary_lines", "words_section", "checklists_section"])
def test_what_stands_beside_the_sections_may_fail_too(part, plan, monkeypatch):
    monkeypatch.setattr(report, part, lambda *_, **__: 1 / 0)
    with pytest.warns(PartFailed, match="ZeroDivisionError"):
        results = run_study(plan)
    assert "strata" in results.tables
    assert results.summary


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize("part", ["study_cautions", "summary_lines", "study_opening"])
def test_what_is_no_section_and_is_not_given_is_a_note_of_the_first_one(part, plan, monkeypatch):
    def refuse(*_, **__):
        raise InputError("the rows do not allow it")

    monkeypatch.setattr(report, part, refuse)
    first, *others = run_study(plan).sections
    assert "is not given: the rows do not allow it." in text_of(first)
    assert not any("do not allow it" in text_of(section) for section in others)


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_a_section_that_fails_half_way_keeps_its_place_its_title_and_what_was_made(plan, monkeypatch):
    @section("half", "Half of {marker}", supplement=True)
    def half_section(study):
        yield Prose("made")
        raise InputError("no rows")

    monkeypatch.setattr(run, "SECTIONS", (about_section, half_section, strata_section))
    half = run_study(plan).sections[1]
    assert (half.anchor, half.title, half.supplement) == ("half", "Half of age", True)
    made, note = half.blocks
    assert made == Prose("made")
    assert note == Note("The rest of the section Half of age is not given: no rows.", "caution")


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_warnings_name_columns_by_their_labels_and_rows_by_what_they_lack(plan, monkeypatch):
    def warn_section(study):
        errors.warn_all([errors.RowsDropped(8630, 5829, {"at or after the end of follow-up": 2799, "missing age": 2})])
        errors.warn_all([errors.AnalysisWarning("column 'age' is odd")])
        return StudySection("warn", "Warn", ())

    plan.write_text(LUNG_BY_AGE.replace('column = "age"', 'column = "age"\nlabel = "Age at start"'), encoding="utf-8")
    monkeypatch.setattr(run, "SECTIONS", (about_section, warn_section))
    assert text_of(run_study(plan).sections[1]) == (
        "2,801 of 8,630 rows are left out: 2,799 at or after the end of follow-up; 2 with missing age at start."
        " Age at start is odd."
    )


def test_a_report_with_a_failed_part_is_written_and_the_exit_code_and_a_log_say_so(plan, monkeypatch, capsys):
    monkeypatch.setattr(run, "SECTIONS", (about_section, hazards_section, drawn_section))
    assert cli.main(["report", "--plan", str(plan), "--output", "out"]) == 1
    page = Path("out/report.html").read_text(encoding="utf-8")
    assert "The section hazards" in page
    assert "The figure bad (bad) could not be drawn. Alternative words." in page
    assert Path("out/figures/good.png").is_file()
    assert not Path("out/figures/bad.png").exists()
    log = Path("out/errors.log").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in log
    assert "IndexError" in log
    message = capsys.readouterr().err
    assert "Traceback" not in message
    assert str(Path("out/errors.log")) in message
    monkeypatch.setattr(run, "SECTIONS", (about_section,))
    assert cli.main(["report", "--plan", str(plan), "--output", "out"]) == 0
    assert not Path("out/errors.log").exists()


@pytest.mark.parametrize(
    ("arguments", "broken"),
    [
        (["plan", "new", "cohort.csv"], "analysis.study.plan.new_plan"),
        (["validate", "plan.toml"], "analysis.study.prepare.prepare_study"),
        (["check", "."], "analysis.study.outputs.find_drift"),
        (["bench", "hazards"], "analysis.truth.bench.run_bench"),
        (["simulate", "--output", "data"], "analysis.study.synthetic_data.write_synthetic"),
        (["figures", "--plan", "plan.toml"], "analysis.study.run.run_study"),
        (["report", "--plan", "plan.toml"], "analysis.study.run.run_study"),
    ],
)
def test_no_verb_ends_in_a_traceback(arguments, broken, plan, monkeypatch, capsys):
    def fail(*_, **__):
        raise KeyError("column")

    monkeypatch.setattr(broken, fail)
    assert cli.main(arguments) == 1
    message = capsys.readouterr().err
    assert "Traceback" not in message
    assert f"python -m analysis {arguments[0]}: a fault of this package (KeyError: 'column')" in message
    (log,) = Path("build").rglob("errors.log")
    assert "in fail" in log.read_text(encoding="utf-8")


def test_the_packages_own_errors_pass_a_guard_as_they_are():
    def refuse():
        raise InputError("one")

    with pytest.raises(InputError, match=r"^one$"):
        guarded("a part", refuse)
    with pytest.raises(PackageFault, match=r"a part: a fault of this package \(IndexError: list index out of range\)"):
        guarded("a part", lambda: [][1])


def full_disk(monkeypatch, most: int):
    """A disk that takes so many bytes of each file."""
    write = Path.write_bytes

    def write_some(path, data):
        write(path, data[:most])
        if len(data) > most:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", write_some)


def test_a_full_disk_leaves_the_old_file_whole_and_says_what_was_needed(tmp_path, monkeypatch):
    replace_file(tmp_path / "a.txt", "old")
    full_disk(monkeypatch, 5)
    with pytest.raises(NotWritten, match=r"no room for a.txt in .*: 2,000 bytes are needed, [\d,]+ are free"):
        replace_file(tmp_path / "a.txt", "n" * 2000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("most", [100, 5_000, 20_000])
def test_a_report_on_a_full_disk_is_one_fault_and_no_half_file(most, plan, monkeypatch, capsys):
    monkeypatch.setattr(run, "SECTIONS", (about_section, drawn_section))
    full_disk(monkeypatch, most)
    assert cli.main(["report", "--plan", str(plan), "--output", "out"]) == 1
    message = capsys.readouterr().err
    assert "1 fault:\n  - no room for" in message
    assert not Path("out/report.html").exists()
    assert not Path("out/manifest.json").exists()
    assert not list(Path("out").rglob(".partial*"))


def test_a_folder_that_is_a_file_is_refused(plan, capsys):
    Path("out").write_text("mine", encoding="utf-8")
    assert cli.main(["report", "--plan", str(plan), "--output", "out"]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert Path("out").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty, cut off or not JSON"),
        ('{"title": "a", "files": {"tab', "is empty, cut off or not JSON"),
        ("\x00\x01", "is empty, cut off or not JSON"),
        ("[1, 2]", "is not the manifest of a report"),
        ('{"name": "web app"}', "is not the manifest of a report"),
        ('{"files": ["a"]}', "is not the manifest of a report"),
        ('{"files": {}, "plan": 3}', "is not the manifest of a report"),
    ],
)
def test_a_manifest_that_is_none_is_refused_with_the_remedy(content, said, tmp_path, capsys):
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=f"{said}.*python -m analysis report writes one"):
        find_drift(tmp_path)
    assert cli.main(["check", str(tmp_path)]) == 1
    assert "1 fault:" in capsys.readouterr().err
    with pytest.raises(InputError, match=said):
        write_outputs(StudyResults(None, (), ()), tmp_path)


def test_a_table_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "a.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"tables/a.csv": ""}}), encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv is no table of a report"):
        find_drift(tmp_path)


def test_an_explorer_whose_engine_aborts_is_refused_in_words(monkeypatch):
    aborted = subprocess.CompletedProcess([], -6, b"", b"")
    monkeypatch.setattr(explorer_of_present.subprocess, "run", lambda *_, **__: aborted)
    with pytest.raises(NotSupported, match=r"vl-convert ended with -6.*ulimit"):
        explorer_of_present._chart_script.__wrapped__()


def test_numbers_that_are_not_finite_are_missing_on_the_page():
    content = {"a": [float("nan"), 1.5, {"b": float("-inf")}], "c": (float("inf"), "text", True, None, 3)}
    read = json.loads(explorer_of_present._json(content))
    assert read == {"a": [None, 1.5, {"b": None}], "c": [None, "text", True, None, 3]}
