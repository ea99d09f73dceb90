"""Options that take one of a few words: one source for the type, the check and what the docstring says."""

from __future__ import annotations

import inspect
import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

import analysis

SETS = re.compile(r"^(\w+(?:, \w+)*) : \{(\".*)\}$", re.MULTILINE)
AS_IN = re.compile(r"^(\w+(?:, \w+)*)\n +As in `(\w+)`", re.MULTILINE)


def literals(function: Any) -> dict[str, set[str]]:
    """The words that each option of a function, or field of a class, may take by its type."""
    if inspect.isclass(function):
        hints = get_type_hints(function)
    else:  # names that stand for types only while they are checked cannot be resolved
        parameters = inspect.signature(function).parameters.items()
        hints = {name: inspect.unwrap(function).__globals__.get(parameter.annotation) for name, parameter in parameters}
    return {name: set(get_args(hint)) for name, hint in hints.items() if get_origin(hint) is Literal}


def documented(function: Any) -> dict[str, set[str]]:
    """The sets of words in a numpydoc docstring: its own, and those of a function that it refers to."""
    parameters = re.split(r"\n(?:Returns|Attributes)\n---", inspect.cleandoc(function.__doc__))[0]
    own = {
        name: set(re.findall(r'"([^"]*)"', words))
        for names, words in SETS.findall(parameters)
        for name in names.split(", ")
    }
    for names, other in AS_IN.findall(parameters):
        theirs = documented(getattr(analysis, other))
        own |= {name: theirs[name] for name in names.split(", ") if name in theirs}
    return own


PUBLIC = {
    name: value
    for name in analysis.__all__
    if callable(value := getattr(analysis, name))
    and (inspect.isroutine(value) or "\nParameters\n" in inspect.cleandoc(value.__doc__ or ""))
}


@pytest.mark.parametrize("name", PUBLIC)
def test_types_and_docstrings_allow_the_same_words(name):
    assert literals(PUBLIC[name]) == documented(PUBLIC[name])


def test_the_reading_sees_the_options():
    assert literals(analysis.fit_cox)["ties"] == {"efron", "breslow", "exact"}
    assert sum(len(literals(function)) for function in PUBLIC.values()) >= 25
