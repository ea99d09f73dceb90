"""Magnesium & Immunotherapy Survival: an illustrative survival-analysis lab on a synthetic cohort.

Every public function is importable from here. ``__init__.pyi`` names them, by room and by question, with the module of
each; it is read when the first is asked for, so that ``import analysis`` itself imports no third-party package.

Examples
--------
>>> from analysis import clinical_cutpoints
>>> clinical_cutpoints("nhanes-1").edges
(0.75, 0.95)
"""

from __future__ import annotations

from functools import cache as _cache
from importlib import import_module

__version__ = "0.1.0"


@_cache
def _modules() -> dict[str, str]:
    """The module of each public name, as ``__init__.pyi`` has it."""
    import ast
    from pkgutil import get_data

    stub = ast.parse(get_data(__name__, "__init__.pyi") or b"")
    return {
        name.name: str(node.module) for node in stub.body if isinstance(node, ast.ImportFrom) for name in node.names
    }


def __getattr__(name: str) -> object:
    """The public name, from the module that holds it."""
    if name == "__all__":
        return sorted(_modules())
    if name.startswith("__") or name not in _modules():
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    value = getattr(import_module(_modules()[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Every public name."""
    return sorted({*globals(), *_modules()})
