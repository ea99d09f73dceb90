"""What the report was made with, from which bytes, by which plan."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from analysis.present.pages import Listing, Prose
from analysis.study.blocks import table
from analysis.study.report import StudySection
from analysis.study.study import Study

PACKAGES = ("magnesium-survival", "lifelines", "pandas", "numpy", "scipy", "formulaic", "matplotlib", "seaborn")


def methods_section(study: Study) -> StudySection:
    """Software, inputs, and the plan as written."""
    return StudySection(
        "software-and-inputs",
        "Software and inputs",
        (
            table("software", "Software", software_table()),
            table("inputs", "Inputs and their SHA-256", input_table(study)),
            Prose("**The plan as written**"),
            Listing(study.plan.text),
        ),
    )


def software_table() -> pd.DataFrame:
    """What ran: software version."""
    rows = [("Python", platform.python_version()), *((name, version(name)) for name in PACKAGES)]
    return pd.DataFrame(rows, columns=["software", "version"])


def input_table(study: Study) -> pd.DataFrame:
    """The files that were read: file bytes sha256."""
    paths = [study.plan.data.path, *([study.plan.truth] if study.plan.truth else [])]
    rows = [(path.name, path.stat().st_size, sha256(path)) for path in paths]
    text = study.plan.text.encode("utf-8")
    rows.append(("the plan", len(text), study.plan.sha256))
    return pd.DataFrame(rows, columns=["file", "bytes", "sha256"])


def sha256(path: Path) -> str:
    """The SHA-256 digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
