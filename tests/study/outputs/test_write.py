"""The report of the synthetic cohort and of real cohorts: what lies in it, and that it repeats."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest
from joblib import parallel_config

from analysis import StudyPlan, load_example, run_study, write_cohort, write_outputs
from analysis.errors import NotWritten, PartFailed
from analysis.present.canvas import batch_of_figures, figure_svg
from analysis.study.outputs.write import narrow_name, write_figures
from analysis.study.report import StudyFigure, StudySection
from tests.study.plans import quick_results

WRITTEN = {"survival-overall-survival", "forest"}
"""Figures that are written as files; all others take long, and no path of their own."""


@pytest.fixture(scope="module")
def drawn(results):
    """The synthetic cohort's results with few figures."""
    return with_figures(results, WRITTEN)


def with_figures(results, names):
    """Results without the figures of other names."""

    def kept(block):
        return not isinstance(block, StudyFigure) or block.name in names

    sections = (replace(section, blocks=tuple(filter(kept, section.blocks))) for section in results.sections)
    return replace(results, sections=tuple(sections))


@pytest.fixture(scope="module")
def folder(drawn, tmp_path_factory):
    directory = tmp_path_factory.mktemp("build")
    write_outputs(drawn, directory)
    return directory


def page_of(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_manifest_covers_every_file_but_itself(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(manifest["files"]) == there - {"manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_each_figure_lies_there_three_times(drawn, folder):
    assert set(drawn.figures) == WRITTEN
    for name in WRITTEN:
        assert {path.suffix for path in (folder / "figures").glob(f"{name}.*")} == {".png", ".svg", ".pdf"}


def test_figures_and_report_repeat_byte_for_byte(results, drawings, folder, tmp_path):
    again = quick_results()
    write_outputs(with_figures(again, WRITTEN), tmp_path)
    first, second = (json.loads((place / "manifest.json").read_text()) for place in (folder, tmp_path))
    assert first == second
    assert list(again.figures) == list(results.figures)
    for name in {one.draw.func: name for name, one in again.figures.items()}.values():  # one function draws a kind
        figure = again.figures[name]
        with batch_of_figures():
            assert figure_svg(figure.draw(), alt=figure.alt, prefix=name) == drawings[name], name


def test_figures_of_several_processes_have_the_same_bytes(drawn, folder, tmp_path):
    with parallel_config(n_jobs=2):
        files, drawings = write_figures(drawn, tmp_path)
    assert list(drawings) == [kind for name in drawn.figures for kind in (name, narrow_name(name))]
    assert len(files) == 3 * len(drawn.figures)
    for path in files:
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes(), path.name


def test_a_relative_folder_is_the_callers_whichever_process_draws(drawn, tmp_path, monkeypatch):
    """Processes that stand by from an earlier report may lie in another folder."""
    two = with_figures(drawn, set(list(drawn.figures)[:2]))
    with parallel_config(n_jobs=2):
        write_figures(two, tmp_path / "first")
        monkeypatch.chdir(tmp_path)
        files, _ = write_figures(two, Path("second"))
    assert files[0].parts[:2] == ("second", "figures")
    assert all(path.is_file() for path in files)


def test_every_figure_can_be_sent_to_another_process(results):
    for figure in results.figures.values():
        assert pickle.loads(pickle.dumps(figure.draw)).func is figure.draw.func


def _undrawable():
    raise ZeroDivisionError("no figure")


def test_a_figure_that_fails_in_another_process_costs_itself_alone(drawn, tmp_path):
    good, bad = list(drawn.figures.values())[:2]
    results = with_figures(drawn, {good.name})
    section = StudySection("extra", "Extra", (replace(bad, draw=_undrawable),))
    results = replace(results, sections=(*results.sections, section))
    with (
        parallel_config(n_jobs=2),
        pytest.warns(PartFailed, match=f"{bad.name}.*ZeroDivisionError") as caught,
    ):
        _, drawings = write_figures(results, tmp_path)
    assert bad.name not in drawings
    assert good.name in drawings
    assert "_undrawable" in caught[0].message.details


def test_the_word_file_holds_the_two_main_figures(drawn, folder):
    docx = pytest.importorskip("docx", reason="python-docx (the extra word) is not installed")
    shapes = docx.Document(folder / "tables.docx").inline_shapes
    alts = [shape._inline.docPr.get("descr") for shape in shapes]
    assert alts == [drawn.figures[name].alt for name in ("survival-overall-survival", "forest")]


def test_nothing_is_loaded_from_outside(folder):
    page = page_of(folder)
    loads = re.findall(r"""(?:src|href)=["']([^"'#]+)""", page)
    beside = {"explorer.html", "tables.docx"}  # links to files that lie there, followed only by a reader
    assert beside <= set(loads)
    assert all((folder / name).is_file() for name in beside)
    assert all(address.startswith(("data:", "https://doi.org/")) for address in set(loads) - beside)
    assert "<script" not in page
    assert "@import" not in page


def test_each_table_is_a_link_with_the_bytes_of_its_file(results, folder):
    linked = re.findall(r"data:text/csv[^,]*;base64,([A-Za-z0-9+/=]+)", page_of(folder))
    texts = {base64.b64decode(link) for link in linked}
    for name in results.tables:
        assert (folder / "tables" / f"{name}.csv").read_bytes() in texts


def test_every_figure_has_words_for_those_who_do_not_see_it(results):
    for figure in results.figures.values():
        assert len(figure.alt) > 30
        assert figure.caption


def test_it_says_what_it_is(folder):
    page = page_of(folder).lower()
    assert "synthetic" in page
    assert "not evidence" in page
    assert "significant" not in page


def test_estimates_stand_beside_their_targets(results):
    ratios = results.tables["hazard-ratios"]
    assert ratios["target"].notna().all()
    for _, of_one_endpoint in ratios.groupby("endpoint"):
        assert of_one_endpoint["marker"].iloc[0] == "continuous"
    assert results.tables["overall-survival-milestones"]["target"].notna().any()


def test_two_engines_agree_on_the_study_at_hand(results):
    assert results.tables["two-engines"]["largest_difference"].max() < 1e-8


def test_files_of_an_earlier_run_do_not_stay_behind(results, tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.study.outputs.write.write_explorer", lambda *_, **__: None)
    results = replace(results, sections=results.sections[-1:])
    write_outputs(results, tmp_path)
    stale = tmp_path / "tables" / "stale.csv"
    stale.write_text("x")
    mine = tmp_path / "mine.txt"
    mine.write_text("not written by us")
    manifest = tmp_path / "manifest.json"
    content = json.loads(manifest.read_text())
    content["files"]["tables/stale.csv"] = ""
    manifest.write_text(json.dumps(content))
    write_outputs(results, tmp_path)
    assert not stale.exists()
    assert mine.exists()


def test_a_full_disk_costs_nothing_that_was_there(results, tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.study.outputs.write.write_explorer", lambda *_, **__: None)
    results = replace(results, sections=results.sections[-1:])
    write_outputs(results, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NotWritten, match="no room for"):
        write_outputs(results, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def lung_of(days, folder: Path) -> StudyPlan:
    """A plan of the lung cohort by age, its events coded 1 and 2, its times changed."""
    lung = load_example("lung")
    coded = lung.assign(status=lung["os_event"] + 1, os_days=days(lung["os_days"])).drop(columns="os_event")
    write_cohort(coded, folder / "cohort.csv")
    (folder / "plan.toml").write_text('[data]\npath = "cohort.csv"\n' + LUNG, encoding="utf-8")
    return StudyPlan.from_toml(folder / "plan.toml")


LUNG = """event_codes = { status = { 1 = 0, 2 = 1 } }
[marker]
column = "age"
unit = "years"
per = 10
direction = "higher"
[strata]
quantiles = 2
[[endpoints]]
name = "Overall survival"
duration = "os_days"
event = "status"
time_unit = "days"
[model]
covariates = ["ecog", "weight_loss"]
strata = "sex"
"""


@pytest.fixture(scope="module")
def lung_results(tmp_path_factory):
    return run_study(lung_of(lambda days: days, tmp_path_factory.mktemp("lung")))


def test_a_plan_of_real_data_leads_to_a_report(lung_results, tmp_path):
    model = lung_results.tables["overall-survival-model"].set_index("term")
    assert model.loc["age, per 10 years higher", "hazard_ratio"] > 1
    assert "target" not in lung_results.tables["hazard-ratios"].columns
    first, *others = lung_results.figures
    write_outputs(with_figures(lung_results, {first}), tmp_path)
    assert len(list((tmp_path / "figures").iterdir())) == 3
    for name in others:
        lung_results.figures[name].draw()
    assert "synthetic" not in page_of(tmp_path).split("</style>")[1].lower()


def test_a_changed_cohort_changes_the_tables(lung_results, tmp_path):
    first, second = lung_results.tables, run_study(lung_of(lambda days: days // 2, tmp_path)).tables
    assert not first["overall-survival-medians"].equals(second["overall-survival-medians"])
    assert not first["inputs"].equals(second["inputs"])
