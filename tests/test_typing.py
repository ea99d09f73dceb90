"""The public face as type checkers see it: right code passes, wrong code does not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import analysis

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "tests" / "typing"
WRONG = {
    ("wrong_script.py", number)
    for number, line in enumerate((SCRIPTS / "wrong_script.py").read_text(encoding="utf-8").splitlines(), start=1)
    if line.endswith("# wrong")
}


def run(*command: str) -> str:
    """What a checker says of the two scripts."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.stdout


@cache
def said_by_mypy() -> str:
    """One run on both scripts and on a list of every public name, as a user's project is checked."""
    listed = ROOT / "build" / ".cache" / "public_names.py"
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_text("import analysis\n" + "".join(f"reveal_type(analysis.{name})\n" for name in analysis.__all__))
    options = ("--strict", "--no-implicit-reexport", "--follow-imports=silent", "--no-error-summary")
    return run("mypy", *options, "--cache-dir=build/.cache/mypy-user", str(listed), *map(str, SCRIPTS.glob("*.py")))


def mypy() -> dict[tuple[str, int], str]:
    """The errors of mypy, by script and line."""
    errors = re.findall(r"^(.*?):(\d+): (error.*)", said_by_mypy(), re.MULTILINE)
    return {(Path(path).name, int(line)): what for path, line, what in errors}


def pyright() -> dict[tuple[str, int], str]:
    """The errors of pyright, by script and line."""
    said = json.loads(run("basedpyright", "--outputjson", "--level=error", f"--pythonpath={sys.executable}"))
    return {
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1): one["message"]
        for one in said["generalDiagnostics"]
    }


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_the_users_script_passes_and_every_wrong_line_is_an_error(checker):
    errors = checker()
    assert {place: what for place, what in errors.items() if place not in WRONG} == {}
    assert WRONG - set(errors) == set()


def test_no_public_name_loses_its_types_on_the_way_to_a_user():
    # a class that is reached through the face of a shelf, as `report.StudyResults`, is Any where --strict checks a user
    types = dict(zip(analysis.__all__, re.findall(r'Revealed type is "(.*)"', said_by_mypy()), strict=True))
    meant = re.compile(r"(Series|dtype|Index)\[Any\]|tuple\[Any, \.\.\.\]|Mapping\[(str, Any|Any, object)\]")
    lost = {name for name, type_ in types.items() if re.search(r"\bAny\b", meant.sub("", type_))}
    assert lost == {"Bench", "BenchWorld", "simulation_study"}  # whose data may be anything
