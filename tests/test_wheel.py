"""The package as people install it: the wheel is built, installed in an empty folder, and makes a report there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from analysis import load_example, write_cohort
from tests.study.plans import LUNG_BY_AGE

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds the installed wheel, and the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True, capture_output=True
    )
    wheel = next(folder.glob("*.whl"))
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True, capture_output=True)
    return folder / "site", wheel


def run(installed: Path, folder: Path, *arguments: str) -> str:
    """What a command of the installed package prints, in a folder of its own."""
    environment = os.environ | {"PYTHONPATH": str(installed), "NUMBA_CACHE_DIR": str(installed.parent / "numba")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def test_the_wheel_holds_the_package_with_its_types_and_data_and_nothing_else(installed):
    names = zipfile.ZipFile(installed[1]).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"analysis"}
    wanted = {"analysis/py.typed", "analysis/data/synthetic/cohort.csv", "analysis/data/synthetic/truth.json"}
    assert wanted <= set(names)
    tracked = {str(path.relative_to(ROOT)) for path in (ROOT / "analysis").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == tracked


def test_an_installed_package_makes_a_report_far_from_its_repository(installed, tmp_path):
    site = installed[0]
    write_cohort(load_example("lung").iloc[:60], tmp_path / "cohort.csv")
    (tmp_path / "lung.toml").write_text(LUNG_BY_AGE, encoding="utf-8")
    assert str(site) in run(site, tmp_path, "-c", "import analysis; print(analysis.__file__)")
    run(site, tmp_path, "-m", "analysis", "report", "--plan", "lung.toml")
    manifest = json.loads((tmp_path / "build" / "lung" / "manifest.json").read_text(encoding="utf-8"))
    assert "report.html" in manifest["files"]


def test_an_installed_package_knows_its_synthetic_cohort(installed, tmp_path):
    code = "import analysis; print(len(analysis.load_cohort()), analysis.load_truth() is not None)"
    assert run(installed[0], tmp_path, "-c", code).split() == ["480", "True"]
