"""The public face as type checkers see it: right code passes, wrong code does not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


def mypy() -> dict[tuple[str, int], str]:
    """The errors of mypy, by script and line."""
    options = ("--strict", "--no-implicit-reexport", "--follow-imports=silent", "--no-error-summary")
    said = run("mypy", *options, "--cache-dir=build/.cache/mypy-user", *map(str, SCRIPTS.glob("*.py")))
    errors = re.findall(r"^(.*?):(\d+): (error.*)", said, re.MULTILINE)
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
