"""The picture of the architecture, drawn from the imports of the package."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from html import escape
from pathlib import Path

import analysis

PACKAGE = Path(analysis.__file__).parent
FLOORS = (
    *("cli", "study", "truth", "robustness", "strata", "survival", "cohort", "kernels", "present"),
    *("errors", "arrays", "batches"),
)
"""The rooms from the top down, as the test of imports has them."""
WIDTH, HEIGHT, BOX = 1010, 62, 660
BLUE = "#0b5a94"
CODE = 'font-family="ui-monospace, Menlo, Consolas, monospace"'


@cache
def imports() -> Counter[tuple[str, str]]:
    """How many import statements lead from one room to another."""
    found: Counter[tuple[str, str]] = Counter()
    for path in sorted(PACKAGE.rglob("*.py")):
        here = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "analysis":
                names = [f"analysis.{name.name}" for name in node.names] if node.module == "analysis" else [node.module]
                found.update((here, str(name).split(".")[1]) for name in names)
    return Counter({pair: n for pair, n in found.items() if set(pair) <= set(FLOORS) and pair[0] != pair[1]})


def described(room: str) -> tuple[str, list[str]]:
    """What a room's docstring says it holds, and its shelves."""
    path = PACKAGE / room / "__init__.py"
    shelves = sorted(one.parent.name for one in PACKAGE.glob(f"{room}/*/__init__.py"))
    text = (path if path.exists() else PACKAGE / f"{room}.py").read_text(encoding="utf-8")
    what = str(ast.get_docstring(ast.parse(text))).replace("`", "")
    return re.split(r"[.;:] |\n", what)[0].rstrip("."), shelves


def picture() -> str:
    """The rooms as floors, and an arrow from each to every room that it imports, as wide as the imports are many."""
    parts = [arrow(start, end, n) for (start, end), n in sorted(imports().items())]
    parts += [floor(place, room) for place, room in enumerate(FLOORS)]
    tip = (
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" orient="auto"'
        f' markerUnits="userSpaceOnUse"><path d="M0 0L8 4L0 8z" fill="{BLUE}"/></marker>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {len(FLOORS) * HEIGHT}" role="img"'
        f' font-family="system-ui, DejaVu Sans, sans-serif" font-size="14" fill="#1f2933"><defs>{tip}</defs>'
        f"{''.join(parts)}</svg>\n"
    )


def arrow(start: str, end: str, n: int) -> str:
    """The arrow of the imports from one room to another."""
    low, high = (FLOORS.index(room) * HEIGHT + HEIGHT / 2 for room in (start, end))
    reach = BOX + 40 + (high - low) * 0.42
    return (
        f'<path d="M{BOX} {low + 6:g} C{reach:g} {low + 6:g} {reach:g} {high - 6:g} {BOX + 4} {high - 6:g}" fill="none"'
        f' stroke="{BLUE}" stroke-opacity=".38" stroke-width="{1 + n**0.5 / 2:.2f}" marker-end="url(#tip)">'
        f"<title>{start} imports {end} in {n} statements</title></path>"
    )


def floor(place: int, room: str) -> str:
    """The box of one room: its name, what it holds, its shelves."""
    what, shelves = described(room)
    top = place * HEIGHT
    return (
        f'<rect x="1" y="{top + 5}" width="{BOX - 2}" height="{HEIGHT - 10}" rx="6" fill="#f5f7f9" stroke="#b8c2cc"/>'
        f'<text x="14" y="{top + 27}" font-weight="600">{room}</text>'
        f'<text x="110" y="{top + 27}" font-size="12.5">{escape(what)}</text>'
        f'<text x="110" y="{top + 45}" font-size="11.5" fill="#52606d" {CODE}>{", ".join(shelves)}</text>'
    )


def imports_table() -> str:
    """How many import statements lead from the room of a row to that of a column."""
    targets = [room for room in FLOORS if any(end == room for _, end in imports())]
    rows = [room for room in FLOORS if any(start == room for start, _ in imports())]
    lines = [f"| **{row}** | " + " | ".join(str(imports()[row, end] or "") for end in targets) + " |" for row in rows]
    return "\n".join(["| from, to | " + " | ".join(targets) + " |", "|---" * (len(targets) + 1) + "|", *lines])
