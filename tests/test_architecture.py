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
    "arrays",
    "batches",
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
LOWEST = {"errors", "arrays", "batches"}
APART = {"present", "kernels"}
DRAWING_ROOMS = {"present", "study", "cli"}
HOMES = {
    "lifelines": {"survival", "cohort"},
    "matplotlib": {"present"},
    "seaborn": {"present"},
    "numba": {"kernels"},
    "duckdb": {"survival"},
    "dask": {"survival"},
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
        if here in APART:
            assert there in {here, *LOWEST}, f"{here} may import only {sorted(LOWEST)}, not {there}"
        if there == "present":
            assert here in DRAWING_ROOMS, f"{here} imports present: only study and cli draw"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_in_their_rooms(path):
    for module, only_for_types in imports(path):
        homes = HOMES.get(module.split(".")[0])
        if homes is not None and not only_for_types:
            assert room(path) in homes, f"{path.name} imports {module}"


# --- Shelves: packages within a room, each with a face ---------------------------------------------


NAMES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES
}
SHELVES = {name for name, path in NAMES.items() if path.name == "__init__.py" and name.count(".") >= 2}
SECTIONS = "analysis.study.report.sections"
"""Its face is the list of sections; what a section shares with other modules is imported from its own."""


def shelf(module: str) -> str | None:
    """The shelf that a module lies on; None for a module that lies in a room itself."""
    if module in SHELVES:
        return module
    parent = module.rpartition(".")[0]
    return parent if parent in SHELVES else None


def statements(module: str) -> list[ast.ImportFrom]:
    """The imports that run when a module is imported, those for type checkers left out."""
    return [
        node for node in ast.parse(NAMES[module].read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)
    ]


def imported(node: ast.ImportFrom) -> set[str]:
    """The modules that one statement imports from."""
    named = {f"{node.module}.{name.name}" for name in node.names}
    return (named & set(NAMES)) or {str(node.module)}


def compiled_modules() -> set[str]:
    """The modules whose import imports the compiler: they are imported by name, where they are used."""
    found = {"analysis.kernels.compiled"}
    while True:
        more = {module for module in set(NAMES) - found if any(imported(node) & found for node in statements(module))}
        if not more:
            return found
        found |= more


COMPILED = compiled_modules()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_shelf_is_entered_by_its_face(path):
    here = next(name for name, known in NAMES.items() if known == path)
    for module, only_for_types in imports(path):
        there = shelf(module)
        if there in (None, SECTIONS, module) or only_for_types or module in COMPILED or here == "analysis":
            continue
        assert here.startswith(there), f"{here} imports {module}: import it from {there}"


def test_no_shelf_imports_in_a_circle():
    arrows: dict[str, set[str]] = {}
    for module in set(NAMES) - {"analysis"}:
        for node in statements(module):
            targets = {shelf(target) or target for target in imported(node) if target in NAMES}
            arrows.setdefault(shelf(module) or module, set()).update(targets - {shelf(module) or module})
    while arrows:
        free = {name for name in arrows if not arrows[name] & set(arrows)}
        assert free, f"circles among {sorted(arrows)}"
        arrows = {name: targets for name, targets in arrows.items() if name not in free}


@pytest.mark.parametrize("name", sorted({str(path.parent.relative_to(PACKAGE)) for path in MODULES}))
def test_a_shelf_says_what_it_holds_and_holds_no_more_than_fourteen_modules(name):
    folder = PACKAGE / name
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    alike = {"figures", "sections"}
    assert folder.name in alike or len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= 14


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


def test_every_public_name_stands_once_and_comes_from_this_package():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    names = [(name.name, name.asname) for node in stub.body if isinstance(node, ast.ImportFrom) for name in node.names]
    assert sorted(name for name, _ in names) == analysis.__all__
    assert len(set(names)) == len(names)
    assert all(name == given for name, given in names)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'kaplan_maier'"):
        _ = analysis.kaplan_maier
