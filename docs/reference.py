"""The reference, from the stub of public names and their docstrings, as Markdown."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path

import mistune

import analysis

STUB = Path(analysis.__file__).with_suffix(".pyi")
HEADING = re.compile(r"\n(\w[\w ]*)\n-{3,}\n")


@cache
def public_rooms() -> list[tuple[str, str, list[tuple[str, list[str]]]]]:
    """The rooms as the stub has them: name, what it holds, and the names that answer each question."""
    rooms: list[tuple[str, str, list[tuple[str, list[str]]]]] = []
    for line in STUB.read_text(encoding="utf-8").splitlines():
        if room := re.match(r"# --- (\w+): (.*?) -+$", line):
            rooms.append((room[1], room[2], []))
        elif line.startswith("# "):
            rooms[-1][2].append((line[2:], []))
        else:
            for name in re.findall(r"\b(\w+) as \1\b", line):
                rooms[-1][2][-1][1].append(name)
    return rooms


@cache
def home_of(name: str) -> str | None:
    """The page that a public name is described on."""
    found = [room for room, _, questions in public_rooms() for _, names in questions if name in names]
    return f"reference-{found[0]}" if found else None


def docstring(name: str) -> str:
    """The docstring of a public name; a constant has none of its own."""
    value = getattr(analysis, name)
    return inspect.getdoc(value) or "" if callable(value) else ""


def summary(name: str) -> str:
    """What a name is, in a sentence."""
    text = docstring(name).partition("\n\n")[0] or f"`{shortened(repr(getattr(analysis, name)))}`"
    return " ".join(text.split())


def shortened(text: str, most: int = 100) -> str:
    """A text cut at so many characters."""
    return text if len(text) <= most else text[: most - 3] + "..."


def index_of_names() -> str:
    """Every public name by room and question, then by the alphabet."""
    parts = []
    for room, what, questions in public_rooms():
        parts.append(f"## {what}\n\n[All of `{room}`](reference-{room}.md)\n")
        for question, names in questions:
            rows = "\n".join(f"| `{name}` | {summary(name).replace('|', chr(92) + '|')} |" for name in names)
            parts.append(f"### {question}\n\n| name | what it is |\n|---|---|\n{rows}\n")
    links = "".join(f'<li><a href="{home_of(name)}.html#{name}">{name}</a></li>' for name in analysis.__all__)
    return "\n".join([*parts, f'## By the alphabet\n\n<ul class="names">{links}</ul>\n'])


def names_of_room(room: str) -> str:
    """The page of one room."""
    ((_, what, questions),) = [one for one in public_rooms() if one[0] == room]
    parts = [f"# {room}: {what[0].lower()}{what[1:]}\n"]
    for question, names in questions:
        parts += [f"## {question}\n", *(entry(name) for name in names)]
    return "\n".join(parts)


def entry(name: str) -> str:
    """One public name: how it is called, and its docstring."""
    value, doc = getattr(analysis, name), docstring(name)
    head, *rest = HEADING.split("\n" + doc)
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    called = f"{name}{signature(value)}" if inspect.isroutine(value) or "Parameters" in sections else name
    if not callable(value):
        called = f"{name} = {shortened(repr(value), 400)}"
    parts = [f'<section class="name"><h3 id="{name}"><code>{name}</code></h3>\n']
    parts += [] if called == name else [f"```python shown\n{called}\n```\n"]
    parts.append(head.strip() + "\n")
    if module := getattr(value, "__module__", ""):
        parts.append(f'<p class="where">In <code>{module.replace(".", "/")}.py</code></p>\n')
    for title, text in sections.items():
        parts.append(f"<h4>{title}</h4>\n\n" + as_markdown(title, text.strip("\n")) + "\n")
    parts += methods(value) if inspect.isclass(value) and not issubclass(value, Exception) else []
    return "\n".join([*parts, "</section>\n"])


class Annotation:
    """An annotation that prints as it is written."""

    def __init__(self, text: object) -> None:
        self.text = text

    def __repr__(self) -> str:
        return str(self.text)


def signature(value: Callable[..., object]) -> str:
    """How a function is called, an argument a line when it is long."""
    found = inspect.signature(value)
    plain = [one.replace(annotation=Annotation(one.annotation)) for one in found.parameters.values()]
    star = [place for place, one in enumerate(plain) if one.kind is one.KEYWORD_ONLY][:1]
    returned = "" if inspect.isclass(value) else f" -> {found.return_annotation}"
    arguments = [str(one) for one in plain]
    for place in star:
        arguments.insert(place, "*")
    line = f"({', '.join(arguments)}){returned}"
    return line if len(line) < 80 else "(\n" + "".join(f"    {one},\n" for one in arguments) + f"){returned}"


def as_markdown(title: str, text: str) -> str:
    """A section of a numpydoc docstring: lists of names with descriptions, examples, or prose."""
    if title == "Examples":
        return f"```pycon\n{text}\n```\n"
    if title == "Notes":
        return text + "\n"
    items = re.split(r"\n(?=\S)", text)
    if not any("\n" in item for item in items):
        return text + "\n"
    render = mistune.create_markdown(escape=True)
    listed = []
    for item in items:
        term, _, about = item.partition("\n")
        terms = term.split(", ") if title in ("Raises", "Warns") else [term]
        listed.append("<dt>" + linked(", ".join(f"<code>{escape(one)}</code>" for one in terms)) + "</dt>")
        if about:
            listed.append(f"<dd>{linked(str(render(textwrap.dedent(about))))}</dd>")
    return "<dl>" + "".join(listed).replace("\n\n", "\n") + "</dl>\n"


def linked(html: str) -> str:
    """Public names in code become links."""
    return re.sub(
        r"<code>(\w+)</code>",
        lambda found: (
            f'<a href="{home_of(found[1])}.html#{found[1]}">{found[0]}</a>' if home_of(found[1]) else found[0]
        ),
        html,
    )


def methods(value: type) -> list[str]:
    """The public methods and properties of a class, each with what it gives."""
    listed = [
        f"<dt><code>{name}{'()' if inspect.isroutine(member) else ''}</code></dt>"
        f"<dd>{escape(' '.join(str(inspect.getdoc(member)).partition(chr(10) * 2)[0].split()))}</dd>"
        for name, member in vars(value).items()
        if not name.startswith("_")
        and inspect.getdoc(member)
        and (inspect.isroutine(member) or isinstance(member, property))
    ]
    return [f"<h4>Methods and properties</h4>\n\n<dl>{''.join(listed)}</dl>\n"] if listed else []


def r_calls(name: str) -> list[str]:
    """The calls of R that a docstring says its function equals."""
    sections = HEADING.split("\n" + docstring(name))
    notes = " ".join(dict(zip(sections[1::2], sections[2::2], strict=True)).get("Notes", "").split())
    found = []
    for sentence in re.split(r"(?<=[.;]) (?=[A-Z])", notes):
        if re.search(r"\bR\b", sentence):
            found += re.findall(r"``(.+?)``", sentence)
    return [call for call in found if not call.endswith("=")]


def r_cell(name: str) -> str:
    """The calls of R that a function equals, as a cell of a table."""
    return "<br>".join(f"`{call}`" for call in r_calls(name)).replace("|", "\\|")


def r_table() -> str:
    """Every public name whose docstring names a call of R, with it."""
    lines = [f"| `{name}` | {r_cell(name)} |" for name in analysis.__all__ if r_calls(name)]
    return "\n".join(["| here | R |", "|---|---|", *lines])
