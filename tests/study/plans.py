"""The plan that several tests begin with (the lung cohort by age), studies from such texts, and parts of a section."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis import StudyPlan, StudyResults, run_study, synthetic_plan, write_cohort
from analysis.study.prepare import prepare_study
from analysis.study.report.results import StudyFigure, StudySection
from analysis.study.report.sections import cut_choices
from analysis.study.study import Study

LUNG_BY_AGE = """[data]
path = "cohort.csv"
[marker]
column = "age"
unit = "years"
per = 10
direction = "higher"
[strata]
quantiles = 2
[[endpoints]]
name = "Overall survival"
duration = "os_days"
event = "os_event"
time_unit = "days"
"""

HOSTILE = '=<b>α & "Ω" 50%, $5 naïve\'</b>'

HOSTILE_PLAN = """[data]
path = "cohort.csv"
[marker]
column = "age"
label = {label}
unit = "years"
per = 10
direction = "higher"
[strata]
edges = [63]
labels = [{label}, "older"]
source = "here"
[[endpoints]]
name = {label}
duration = "os_days"
event = "os_event"
entry = "entry"
time_unit = "days"
[model]
covariates = ["weight_loss"]
strata = "sex"
"""


def study_of(cohort: pd.DataFrame, folder: Path, text: str = LUNG_BY_AGE) -> Study:
    """A study prepared from a cohort and the text of a plan, both written to a folder."""
    write_cohort(cohort, folder / "cohort.csv")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return prepare_study(StudyPlan.from_toml(folder / "plan.toml"))


def quick_results() -> StudyResults:
    """The synthetic cohort's study carried out with few draws of everything."""
    plan = synthetic_plan()
    few = replace(plan.robustness, n_bootstrap=20, n_imputations=3)
    with pytest.MonkeyPatch.context() as patch:
        for name, draws in {"N_PERMUTATIONS": 99, "N_BOOTSTRAP": 20, "N_MULTIVERSE": 19}.items():
            patch.setattr(cut_choices, name, draws)
        return run_study(replace(plan, robustness=few))


def tables(section: StudySection) -> dict[str, pd.DataFrame]:
    """The frames of a section's tables, by name."""
    return {block.name: block.frame for block in section.blocks if hasattr(block, "frame")}


def figures(section: StudySection) -> dict[str, StudyFigure]:
    """The figures of a section, by name."""
    return {block.name: block for block in section.blocks if isinstance(block, StudyFigure)}


def assert_figures_are_drawn_and_described(section: StudySection) -> None:
    """Every figure of a section, and there is one, has axes, a caption and words for those who cannot see it."""
    assert figures(section)
    for figure in figures(section).values():
        assert figure.draw().axes
        assert len(figure.alt) > 60
        assert figure.caption
