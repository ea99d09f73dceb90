"""The documentation as one offline folder: ``python docs/build.py build/docs``.

Pages are Markdown. A block ```` ```python ```` without prompts is run, and what its last line gives is shown below it;
blocks with prompts are examples that the tests run. ``{{ name }}`` on a line of its own stands for a part made here.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shutil
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path

import jinja2
import mistune
from architecture import imports_table, picture
from markupsafe import Markup
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from reference import home_of, index_of_names, names_of_room, public_rooms, r_cell, r_table

import analysis

HERE = Path(__file__).parent
MENU = {
    "Start": ["index", "your-file", "recipes", "gallery"],
    "Methods": ["conventions", "coming-from", "glossary"],
    "Reference": ["reference", *(f"reference-{room}" for room, _, _ in public_rooms())],
    "Inside": ["architecture", "agreement", "calibration", "corrections", "speed"],
}
ADDRESSES = [name for names in MENU.values() for name in names]
FORMATTER = HtmlFormatter(nowrap=True, noclasses=False)
GENERATED: dict[str, Callable[[], str]] = {
    "names by question": index_of_names,
    "calls of R": r_table,
    "imports between rooms": imports_table,
}


def sources() -> dict[str, str]:
    """Every page by its address without ending, as Markdown; those of the rooms are written from their docstrings."""
    rooms = {f"reference-{room}": names_of_room(room) for room, _, _ in public_rooms()}
    return {
        name: rooms[name] if name in rooms else (HERE / f"{name}.md").read_text(encoding="utf-8") for name in ADDRESSES
    }


def title_of(text: str) -> str:
    """The first heading of a page."""
    return next(line.removeprefix("# ").replace("`", "") for line in text.splitlines() if line.startswith("# "))


def slug(text: str) -> str:
    """A heading as the end of an address."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"<[^>]+>", "", text).lower()).strip("-")


class Page(mistune.HTMLRenderer):
    """One page: headings with addresses, code that runs, public names that link to the reference."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(escape=False)
        self.name, self.folder, self.about, self.n_figures = name, folder, "", 0
        self.variables: dict[str, object] = {"__name__": "docs"}

    def heading(self, text: str, level: int, **_: object) -> str:
        self.about = re.sub(r"<[^>]+>", "", text)
        return f'<h{level} id="{slug(text)}">{text}</h{level}>\n'

    def codespan(self, text: str) -> str:
        name, code = text.removesuffix("()"), f"<code>{escape(text)}</code>"
        known = home_of(name)
        return f'<a href="{known}.html#{name}">{code}</a>' if known else code

    def link(self, text: str, url: str, title: str | None = None) -> str:
        page, _, anchor = url.partition("#")
        if url.startswith(("http:", "https:", "#")):
            return super().link(text, url, title)
        if page.removesuffix(".md") in ADDRESSES:
            return super().link(text, page.removesuffix(".md") + ".html" + (f"#{anchor}" if anchor else ""), title)
        if (HERE / page).is_file() and (HERE / page).parent == HERE:
            shutil.copy(HERE / page, self.folder / page)
            return super().link(text, page, title)
        return f"{text} (<code>{escape(Path(page).name)}</code> in the repository)"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        shutil.copy(HERE / url, self.folder / url)
        return super().image(text, url, title)

    def table(self, text: str) -> str:
        return f'<div class="scroll"><table>{text}</table></div>\n'

    def block_code(self, code: str, info: str | None = None) -> str:
        language, *options = (info or "text").split()
        prompts = code.lstrip().startswith(">>>")
        try:
            lexer = get_lexer_by_name("pycon" if prompts else language)
        except ClassNotFound:
            lexer = get_lexer_by_name("text")
        shown = f"<pre><code>{highlight(code, lexer, FORMATTER)}</code></pre>\n"
        return shown + (self.run(code) if language == "python" and not prompts and "shown" not in options else "")

    def run(self, code: str) -> str:
        """What the last line of a block gives, as HTML."""
        tree, value, file = ast.parse(code), None, f"{self.name}.md"
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(tree, file, "exec"), self.variables)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), file, "eval"), self.variables)
        if isinstance(value, Figure):
            self.n_figures += 1
            drawn = f"{self.name}-{self.n_figures}.svg"
            (self.folder / drawn).write_text(analysis.figure_svg(value, alt=self.about), encoding="utf-8")
            plt.close(value)
            return f'<figure><img src="{drawn}" alt="{escape(self.about)}"></figure>\n'
        if value is None:
            return f'<pre class="output">{escape(printed.getvalue())}</pre>\n' if printed.getvalue() else ""
        table = getattr(value, "_repr_html_", lambda: f"<pre>{escape(repr(value))}</pre>")()
        return f'<div class="scroll output">{re.sub(r"<style.*?</style>", "", table, flags=re.DOTALL)}</div>\n'


def generated(text: str) -> str:
    """A page with its made parts filled in."""
    text = text.replace("{{ version }}", analysis.__version__)
    text = re.sub(r"\{\{ R of (\w+) \}\}", lambda found: r_cell(found[1]), text)
    return re.sub(r"^\{\{ ([\w ]+) \}\}$", lambda found: GENERATED[found[1]](), text, flags=re.MULTILINE)


def build(folder: Path) -> None:
    """Write every page, its figures and the style into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    template = jinja2.Environment(autoescape=True).from_string((HERE / "page.html").read_text(encoding="utf-8"))
    pages = sources()
    titles = {name: title_of(text) for name, text in pages.items()}
    named = titles | {"index": "Overview", "reference": "By question"}
    menu = [(group, [(f"{name}.html", named[name]) for name in names]) for group, names in MENU.items()]
    (folder / "architecture.svg").write_text(picture(), encoding="utf-8")
    for name, text in pages.items():
        markdown = mistune.create_markdown(renderer=Page(name, folder), plugins=["table", "def_list"])
        content = Markup(markdown(generated(text)))
        html = template.render(title=titles[name], menu=menu, here=f"{name}.html", content=content)
        (folder / f"{name}.html").write_text(html + "\n", encoding="utf-8")
    style = (HERE / "style.css").read_text(encoding="utf-8") + HtmlFormatter(style="tango").get_style_defs("pre")
    (folder / "style.css").write_text(style, encoding="utf-8")


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "build/docs")
    build(target)
    print(target / "index.html")
