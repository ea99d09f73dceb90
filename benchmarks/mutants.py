"""Change one thing in the code at random, run the tests that lie nearest, and list the changes that no test noticed.

A change is another comparison, another arithmetic or logical operator, a `not` left out, or another number. Each is
made alone in a copy of the tree, where the module's own tests and examples run, then those of its shelf and its room.

    python -m benchmarks.mutants --n 100 --seed 1
    python -m benchmarks.mutants --n 30 --seed 2 --under analysis/strata
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[1]
LIMIT_SECONDS = 900
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


def changeable(tree: ast.Module) -> list[ast.AST]:
    """The operators and numbers of a module's functions, classes and constants, in an order that parsing repeats."""
    hints = {
        id(inner)
        for node in ast.walk(tree)
        for hint in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(hint, ast.AST)
        for inner in ast.walk(hint)
    }
    return [node for node in ast.walk(tree) if id(node) not in hints and _operator_or_number(node)]


def _operator_or_number(node: ast.AST) -> bool:
    """Whether a node can be changed."""
    if isinstance(node, ast.Compare):
        return type(node.ops[0]) in SWAPS
    if isinstance(node, ast.BinOp | ast.BoolOp):
        return type(node.op) in SWAPS
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def change(node: ast.AST) -> str:
    """Change one node in place; what it was and what it is, as code."""
    before = ast.unparse(node)
    if isinstance(node, ast.Compare):
        node.ops[0] = SWAPS[type(node.ops[0])]()  # type: ignore[assignment]
    elif isinstance(node, ast.BinOp | ast.BoolOp):
        node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
    elif isinstance(node, ast.UnaryOp):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        node.value = node.value + 1 if isinstance(node.value, int) else 2 * node.value or 1.0
    return f"`{before}` -> `{ast.unparse(node)}`"


def nearest_tests(module: Path) -> Iterator[list[str]]:
    """What to run, one after the other until something fails: the module's tests, its shelf's, its room's."""
    folder = Path("tests", *module.parent.parts[1:])
    mirror = folder / f"test_{module.stem}.py"
    yield [str(path) for path in (mirror, module) if (ROOT / path).exists()]
    yield [str(folder)]
    if len(module.parts) > 3:
        yield [str(Path("tests", module.parts[1]))]


def noticed(tree: Path, module: Path, cache: Path) -> str:
    """The tests that failed in a copy of the tree; empty when none did."""
    kernels = module.parts[1] == "kernels"
    with tempfile.TemporaryDirectory() as fresh:
        environment = os.environ | {"NUMBA_CACHE_DIR": fresh if kernels else str(cache), "PYTHONPATH": str(tree)}
        for tests in nearest_tests(module):
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:xdist", "-o", f"cache_dir={fresh}", *tests]
            try:
                run = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                return "no end"
            if run.returncode in (3, 4):
                raise RuntimeError(f"pytest could not run: {run.stdout.decode()[-500:]}{run.stderr.decode()[-500:]}")
            if run.returncode not in (0, 5):
                return tests[0]
    return ""


def main() -> None:
    """Sample changes and say which survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100, help="how many changes (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample (default 1)")
    parser.add_argument("--under", default="analysis", help="the folder or file to change (default analysis)")
    options = parser.parse_args()
    start = ROOT / options.under
    paths = [start] if start.is_file() else sorted(start.rglob("*.py"))
    sites = [(path, at) for path in paths for at in range(len(changeable(ast.parse(path.read_text(encoding="utf-8")))))]
    sample = Random(options.seed).sample(sites, min(options.n, len(sites)))
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        tree, cache = Path(folder, "tree"), Path(folder, "numba")
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".venv", "build", "__pycache__"))
        for path, at in sample:
            module, text = path.relative_to(ROOT), path.read_text(encoding="utf-8")
            syntax = ast.parse(text)
            node = changeable(syntax)[at]
            what = change(node)
            (tree / module).write_text(ast.unparse(syntax), encoding="utf-8")
            by = noticed(tree, module, cache)
            (tree / module).write_text(text, encoding="utf-8")
            survivors += not by
            print(f"{'noticed' if by else 'SURVIVED'}  {module}:{node.lineno}  {what}", flush=True)  # type: ignore[attr-defined]
    print(f"{survivors} of {len(sample)} changes survived (of {len(sites)} that could be made, seed {options.seed})")


if __name__ == "__main__":
    main()
