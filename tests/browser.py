"""A page in a real browser, with all that it asks for and complains of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Seen:
    """What a page asked for and complained of."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def opened(browser: Any, path: Path, *, width: int = 1100, height: int = 800, **options: Any) -> tuple[Any, Seen]:
    """A page of a file, and what it asked for and complained of."""
    page, seen = browser.new_page(viewport={"width": width, "height": height}, **options), Seen()
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("dialog", lambda dialog: seen.complaints.append(f"dialog: {dialog.message}"))
    page.goto(path.as_uri())
    return page, seen
