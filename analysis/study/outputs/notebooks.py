"""The notebooks, executed and written as HTML that loads nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.present.canvas import replace_file

if TYPE_CHECKING:
    from nbformat import NotebookNode

_OUTSIDE_ADDRESSES = (
    "mathjax_url",
    "require_js_url",
    "jquery_url",
    "jupyter_widgets_base_url",
    "html_manager_semver_range",
    "mermaid_js_url",
)


def notebook_folder() -> Path | None:
    """The notebooks of a checkout; None where the package is installed without them."""
    folder = Path(__file__).resolve().parents[3] / "notebooks"
    return folder if folder.is_dir() else None


def notebook_paths() -> tuple[Path, ...]:
    """Every notebook of the checkout, in order."""
    folder = notebook_folder()
    return tuple(sorted(folder.glob("*.ipynb"))) if folder else ()


def execute_notebook(path: Path, directory: Path) -> Path:
    """Run one notebook from top to bottom and write it as HTML.

    Parameters
    ----------
    path : Path
        A notebook; it is not changed.
    directory : Path
        Where the HTML goes.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        When a cell fails.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    return replace_file(directory / f"{path.stem}.html", notebook_html(notebook, title=path.stem))


def notebook_html(notebook: NotebookNode, *, title: str) -> str:
    """A notebook as one HTML page whose scripts and styles all lie within it, linked to the other pages of a report."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(**dict.fromkeys(_OUTSIDE_ADDRESSES, ""), embed_images=True)  # type: ignore[no-untyped-call]
    html, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    return re.sub(r'href="(\w+)\.ipynb"', r'href="\1.html"', str(html)).replace('href="../build/', 'href="../')


def start_notebooks(paths: Sequence[Path], directory: Path, pool: ThreadPoolExecutor) -> list[Future[Path]]:
    """Start every notebook in the pool; each future gives its HTML file."""
    return [pool.submit(execute_notebook, path, directory) for path in paths]
