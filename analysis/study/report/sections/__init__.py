"""The report's sections, one file each; `SECTIONS` is their order."""

from __future__ import annotations

from analysis.study.report.sections.about import about_section
from analysis.study.report.sections.bench import bench_section
from analysis.study.report.sections.cohort import cohort_section, data_section
from analysis.study.report.sections.competing import competing_section
from analysis.study.report.sections.confounding import confounding_section
from analysis.study.report.sections.glossary import glossary_section
from analysis.study.report.sections.hazards import checks_section, hazards_section
from analysis.study.report.sections.missing import missing_section
from analysis.study.report.sections.models import models_section
from analysis.study.report.sections.moving import moving_section
from analysis.study.report.sections.searching import choices_section, searching_section
from analysis.study.report.sections.stability import influence_section, subgroups_section
from analysis.study.report.sections.strata import strata_section
from analysis.study.report.sections.survival import survival_section
from analysis.study.report.sections.verification import methods_section, verification_section

SECTIONS = (
    about_section,
    cohort_section,
    strata_section,
    survival_section,
    models_section,
    searching_section,
    data_section,
    hazards_section,
    confounding_section,
    competing_section,
    missing_section,
    moving_section,
    subgroups_section,
    influence_section,
    choices_section,
    bench_section,
    checks_section,
    verification_section,
    methods_section,
)
