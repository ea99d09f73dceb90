"""The pictures of the report and of the explorer in the README: ``python docs/screens.py build docs``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 1280, 800
COLOURS = 128
PAGES = ("report", "explorer")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def take_screen(page: Path, picture: Path) -> Path:
    """The first screen of a page as a small PNG."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("no Chromium found: install Debian's package chromium")
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder) / "screen.png"
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={folder}/profile", f"--screenshot={taken}"]
        subprocess.run([*command, page.resolve().as_uri()], check=True, capture_output=True)
        with Image.open(taken) as screen:
            small = screen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(picture, optimize=True)
    return picture


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    for name in PAGES:
        print(take_screen(source / f"{name}.html", target / f"{name}-screen.png"))
