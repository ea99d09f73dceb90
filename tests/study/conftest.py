"""The synthetic study, prepared once, its main sections, its whole report, its figures; a study named with malice."""

from __future__ import annotations

import pytest

from analysis import StudyResults, load_example, synthetic_plan
from analysis.errors import collected
from analysis.present.canvas import batch_of_figures, figure_svg
from analysis.study.outputs.write import narrow_name
from analysis.study.prepare import prepare_study
from analysis.study.report.sections.cohort import cohort_section, data_section
from analysis.study.report.sections.models import models_section
from analysis.study.report.sections.survival import survival_section
from analysis.study.study import Study
from tests.study.plans import HOSTILE, HOSTILE_PLAN, quick_results, study_of


@pytest.fixture(scope="session")
def study() -> Study:
    return prepare_study(synthetic_plan())


@pytest.fixture(scope="session")
def results() -> StudyResults:
    return quick_results()


@pytest.fixture(scope="session")
def drawings(results) -> dict[str, str]:
    """Every figure of the report as SVG, by name: for a page, and for a phone."""
    with batch_of_figures():
        wide = {name: figure_svg(one.draw(), alt=one.alt, prefix=name) for name, one in results.figures.items()}
        narrow = {
            narrow_name(name): figure_svg(one.draw_narrow(), alt=one.alt, prefix=narrow_name(name))
            for name, one in results.figures.items()
        }
    return wide | narrow


@pytest.fixture(scope="session")
def main_results(study):
    with collected():
        return StudyResults(
            study, (), (cohort_section(study), data_section(study), survival_section(study), models_section(study))
        )


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    """The lung cohort with late entry and covariates missing, its marker, stratum and endpoint named with malice."""
    lung = load_example("lung")
    quoted = '"' + HOSTILE.replace('"', '\\"') + '"'
    text = HOSTILE_PLAN.replace("{label}", quoted)
    with collected():
        study = study_of(lung.assign(entry=(lung.index % 3) * 2.0), tmp_path_factory.mktemp("hostile"), text)
        return StudyResults(study, (), (survival_section(study), models_section(study)))
