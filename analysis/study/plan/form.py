"""The form of a plan file: a JSON schema derived from the classes of its tables, and what departs from it in words."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Required, Union, get_args, get_origin, get_type_hints

from analysis.cohort.columns import first_few

Schema = dict[str, Any]
EventCodes = Mapping[Hashable, Any]

ONE_OR_MORE: Schema = {"type": ["array", "string"]}
"""A list of names, or one name alone."""
POSITIVE: Schema = {"minimum": 0, "exclusiveMinimum": True}

_SIMPLE = {str: "string", Path: "string", bool: "boolean", int: "integer", float: "number"}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}
_IN_WORDS = {
    ("string",): "text",
    ("boolean",): "true or false",
    ("integer",): "a whole number",
    ("number",): "a number",
    ("array",): "a list",
    ("array", "string"): "a list of text",
    ("array", "object"): "a list, or a table with a list for each column",
    ("string", "number"): "text or a number",
    ("object",): "a table",
}


def at_least(least: int) -> Schema:
    """The lower limit of a whole number."""
    return {"minimum": least}


def table_schema(table: type) -> Schema:
    """The JSON schema (draft 4, which editors of TOML know) of a table whose keys are a class's fields.

    Parameters
    ----------
    table : type
        A dataclass or a TypedDict; a field annotated with text has it as its description, and with a dict as more of
        its schema.

    Returns
    -------
    dict

    Examples
    --------
    >>> from analysis.study.plan.tables import ModelPlan
    >>> table_schema(ModelPlan)["properties"]["strata"]["type"]
    ['array', 'string']
    """
    hints = get_type_hints(table, include_extras=True)
    if is_dataclass(table):
        required = [one.name for one in fields(table) if one.default is MISSING]
    else:
        required = [name for name, hint in hints.items() if get_origin(hint) is Required]
    return closed_table({name: _schema(hint) for name, hint in hints.items()}, required)


def closed_table(properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """The schema of a table that has no other keys."""
    needed = {"required": list(required)} if required else {}  # draft 4 knows no empty list here
    return {"type": "object", "properties": dict(properties), **needed, "additionalProperties": False}


def _schema(hint: Any) -> Schema:  # noqa: ANN401
    """The schema of a value by the type of its field; None among its types means that it may be left out."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Required:
        return _schema(arguments[0])
    if origin is Annotated:
        schema = _schema(arguments[0])
        for more in arguments[1:]:
            schema |= {"description": more} if isinstance(more, str) else more
        return schema
    if origin in (Union, UnionType):
        return _schema(next(one for one in arguments if one is not NoneType))
    if is_dataclass(hint) and isinstance(hint, type):
        return table_schema(hint)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin in (tuple, list):
        return {"type": "array", "items": _schema(arguments[0])}
    return {"type": _SIMPLE.get(hint, "object" if origin is not None and issubclass(origin, Mapping) else "array")}


def form_problems(tables: Mapping[str, object], schema: Schema) -> list[str]:
    """Every unknown, missing or mistyped table and key of a plan; limits of values are not looked at."""
    known = schema["properties"]
    problems = [_unknown("table", name, known) for name in tables if name not in known]
    problems += [f"no table [{name}]; every plan needs one" for name in schema["required"] if name not in tables]
    for name, table in tables.items():
        if name not in known:
            continue
        if known[name]["type"] == "array":
            problems += _list_problems(name, table, known[name]["items"])
        elif isinstance(table, dict):
            problems += _key_problems(table, known[name], f"[{name}]")
        else:
            problems.append(f"{name} = {table!r}: write it as a table headed [{name}]")
    return problems


def _list_problems(name: str, tables: object, schema: Schema) -> list[str]:
    """What is wrong with several tables of one name."""
    if not isinstance(tables, list) or not tables:
        return [f"{name}: write each as a table of its own, headed [[{name}]]"]
    problems = []
    for number, table in enumerate(tables, start=1):
        where = f"[[{name}]] number {number}"
        if isinstance(table, dict):
            problems += _key_problems(table, schema, where)
        else:
            problems.append(f"{where}: {table!r} is no table")
    return problems


def _key_problems(table: Mapping[str, object], schema: Schema, where: str) -> list[str]:
    """Every unknown, missing or mistyped key of one table."""
    known = schema.get("properties", {})
    problems = [f"{where}: {_unknown('key', key, known)}" for key in table if known and key not in known]
    problems += [f"{where}: no {key!r}" for key in schema.get("required", ()) if key not in table]
    for key in [key for key in table if key in known]:
        value, items = table[key], known[key].get("items")
        if "properties" in known[key] and isinstance(value, dict):
            problems += _key_problems(value, known[key], f"{where.removesuffix(']')}.{key}]")
        elif not _fits(value, known[key]):
            problems.append(f"{where}: {key} = {value!r} should be {_in_words(known[key])}")
        elif items is not None and isinstance(value, list):
            unfit = [repr(item) for item in value if not _fits(item, items)]
            if unfit:
                problems.append(f"{where}: {key} holds {first_few(unfit)}; each should be {_in_words(items)}")
    return problems


def _types(schema: Schema) -> tuple[str, ...]:
    """The types that a schema allows."""
    return (schema["type"],) if isinstance(schema["type"], str) else tuple(schema["type"])


def _fits(value: object, schema: Schema) -> bool:
    """Whether a value is of a schema's type; true and false are no numbers."""
    types = _types(schema)
    if isinstance(value, bool):
        return "boolean" in types
    return isinstance(value, tuple(kind for name in types for kind in _TYPES[name]))


def _in_words(schema: Schema) -> str:
    """What a value should be."""
    return _IN_WORDS[_types(schema)]


def _unknown(what: str, name: str, known: Mapping[str, object]) -> str:
    """What is said of a name that no plan has: the nearest one, or all."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {first_few(known, 12)}"
    return f"unknown {what} {name!r}; {hint}"
