"""Which tests share a worker, and a browser for those that look at pages as a reader does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For ``--dist loadgroup``: what the tests of one file make once is made by one worker, and so is the report."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            made_once = "the report" if "results" in getattr(item, "fixturenames", ()) else str(item.path)
            item.add_marker(pytest.mark.xdist_group(made_once))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    reason = "playwright is not installed: pip install -e '.[dev]'"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium found: install Debian's package chromium to look at pages in a browser")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()
