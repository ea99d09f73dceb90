"""The house: imports point down its layers, and looking at it costs nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import analysis

PACKAGE = Path(analysis.__file__).parent
LAYERS = (
    "errors",
    "present",
    "kernels",
    "cohort",
    "survival",
    "strata",
    "robustness",
    "truth",
    "study",
    "cli",
    "__main__",
)
ONLY_ERRORS = {"present", "kernels"}
DRAWING_ROOMS = {"present", "study", "cli"}
HOMES = {
    "lifelines": {"survival", "cohort"},
    "matplotlib": {"present"},
    "seaborn": {"present"},
    "numba": {"kernels"},
    "duckdb": {"survival"},
    "dask": {"survival"},
    "altair": {"present"},
    "docx": {"present"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every module that a file imports, and whether only for type checkers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(name.name, id(node) in for_types) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.append((str(node.module), id(node) in for_types))
    return found


def room(path: Path) -> str:
    """The room of the house that a module stands in."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    here = room(path)
    if here == "__init__":
        return
    for module, _ in imports(path):
        parts = module.split(".")
        if parts[0] != "analysis" or len(parts) < 2:
            continue
        there = parts[1]
        assert LAYERS.index(there) <= LAYERS.index(here), f"{here} imports {there}, which stands above it"
        if here in ONLY_ERRORS:
            assert there in {here, "errors"}, f"{here} may import only errors, not {there}"
        if there == "present":
            assert here in DRAWING_ROOMS, f"{here} imports present: only study and cli draw"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_in_their_rooms(path):
    for module, only_for_types in imports(path):
        homes = HOMES.get(module.split(".")[0])
        if homes is not None and not only_for_types:
            assert room(path) in homes, f"{path.name} imports {module}"


def third_party_modules(code: str) -> set[str]:
    """The third-party packages in sys.modules after running some code in a new interpreter."""
    script = (
        f"{code}\nimport sys, json\n"
        "roots = {name.split('.')[0] for name, module in sys.modules.items()"
        " if 'site-packages' in (getattr(module, '__file__', None) or '')}\n"
        "print(json.dumps(sorted(roots)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


AT_START = third_party_modules("")


def test_importing_the_package_imports_no_third_party_package():
    assert third_party_modules("import analysis") == AT_START


def test_help_imports_no_third_party_package():
    code = "import analysis.cli\ntry:\n    analysis.cli.main(['--help'])\nexcept SystemExit:\n    pass"
    assert third_party_modules(code) == AT_START


@pytest.mark.parametrize("name", analysis.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(analysis, name)
    assert name in dir(analysis)
    if callable(value):
        assert value.__doc__, f"{name} has no docstring"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'kaplan_maier'"):
        _ = analysis.kaplan_maier
