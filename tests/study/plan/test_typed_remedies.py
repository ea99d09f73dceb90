"""What a message says is typed as it stands, and the fault is gone: of a plan, and of `plan new`."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from analysis import cli

PLAN = """[data]
path = "cohort.csv"
{data}[marker]
column = "magnesium"
unit = "mmol/L"
[strata]
cutpoints = "nhanes-1"
[[endpoints]]
name = "Overall survival"
duration = "months"
event = "status"
"""
N_ROWS = 12
MAGNESIUM = [0.62, 0.71, 0.9, 0.66, 0.75, 0.86, 0.79, 0.99, 0.7, 0.81, 0.97, 0.88]
MONTHS = [12.1, 30, 8.4, 22.7, 3.2, 17.5, 5, 41, 9, 14, 27, 2]
STATUS = [1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1]
REMEDY = re.compile(r"(\w+) = (\{.*?\} \}|\{.*?\}|\[.*?\]|\".*?\") in (\[\w+\])")


def written(folder: Path, sep: str = ",", encoding: str = "utf-8", **columns) -> None:
    """The cohort with some columns replaced or added, and its plan."""
    frame = {"magnesium": MAGNESIUM, "months": MONTHS, "status": STATUS} | columns
    lines = [sep.join(frame)] + [sep.join(map(str, row)) for row in zip(*frame.values(), strict=True)]
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n", encoding=encoding)
    (folder / "plan.toml").write_text(PLAN.replace("{data}", ""), encoding="utf-8")


def typed(message: str, plan: Path) -> None:
    """The first remedy of a message put into its table of the plan, in place of a line of that key."""
    key, value, table = REMEDY.search(message).groups()
    lines = [line for line in plan.read_text("utf-8").splitlines() if not line.startswith(f"{key} = ")]
    lines.insert(lines.index(table) + 1, f"{key} = {value}")
    plan.write_text("\n".join(lines) + "\n", encoding="utf-8")
    tomllib.loads(plan.read_text("utf-8"))


FAULTS = {
    "event in words": {"status": ["1:DECEASED" if event else "0:LIVING" for event in STATUS]},
    "event of 1 and 2": {"status": [event + 1 for event in STATUS]},
    "event with a cause": {"status": [2, *STATUS[1:]]},
    "a word among the events' codes": {"status": ["Unknown", *STATUS[1:]]},
    "magnesium in mEq/L": {"magnesium": [2.2 * value for value in MAGNESIUM]},
    "-9 for missing": {"magnesium": [-9, *MAGNESIUM[1:]]},
    "a word for missing": {"magnesium": ["n.d.", *MAGNESIUM[1:]]},
    "decimal commas": {
        "sep": ";",
        "months": range(1, 13),
        "magnesium": [str(value).replace(".", ",") for value in MAGNESIUM],
    },
    "thousands": {"months": [f'"1,{100 + row}"' if row else 640 for row in range(N_ROWS)]},
    "beyond a limit": {"magnesium": ["<0.65", *MAGNESIUM[1:]]},
    "cp1252": {"site": ["Köln", *"ABCDEFGHIJK"], "encoding": "cp1252"},
    "UTF-16 without its mark": {"encoding": "utf-16-le"},
}


@pytest.mark.parametrize("columns", FAULTS.values(), ids=FAULTS)
def test_a_line_for_the_plan_is_typed_and_the_fault_is_gone(tmp_path, capsys, columns):
    written(tmp_path, **columns)
    plan = tmp_path / "plan.toml"
    assert cli.main(["validate", str(plan)]) == 1
    message = capsys.readouterr().err
    assert not re.search(r"read_cohort|[a-z]=[\[{'\"]|time_from_dates|CompetingEndpoint", message), message
    typed(message, plan)
    assert cli.main(["validate", str(plan)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("fault", ["decimal commas", "cp1252", "UTF-16 without its mark", "beyond a limit"])
def test_an_option_of_plan_new_is_typed_and_the_fault_is_gone(tmp_path, capsys, fault):
    written(tmp_path, **FAULTS[fault])
    command = ["plan", "new", str(tmp_path / "cohort.csv"), "--output", str(tmp_path / "new.toml")]
    assert cli.main(command) == 1
    option = re.search(r"--\w+ \S+", capsys.readouterr().err)[0]
    assert cli.main([*command, *shlex.split(option.rstrip(",;"))]) == 0
    assert (tmp_path / "new.toml").is_file()


def test_an_identifier_that_repeats_is_settled_by_the_line_that_is_offered(tmp_path, capsys):
    written(tmp_path, who=["a", "a", *"bcdefghijk"])
    assert cli.main(["validate", str(tmp_path / "plan.toml")]) == 0
    note = next(line for line in capsys.readouterr().out.splitlines() if "'who'" in line)
    typed(note, tmp_path / "plan.toml")
    assert cli.main(["validate", str(tmp_path / "plan.toml")]) == 1
    assert "'who': 1 ids stand more than once (a)" in capsys.readouterr().err
