"""The synthetic cohort: its design, the causes of magnesium, the illness-death process, its dictionary."""

from __future__ import annotations

from analysis.cohort.synthetic.causal_effects import CAUSES, DISEASES, TRANSITIONS, Cause, term_values
from analysis.cohort.synthetic.covariates import draw_covariates
from analysis.cohort.synthetic.design import DEFAULT_DESIGN, CohortDesign, World
from analysis.cohort.synthetic.dictionary import ADJUSTMENT, COHORT_SCHEMA, LABS_SCHEMA
from analysis.cohort.synthetic.illness_death import Course, draw_course
from analysis.cohort.synthetic.magnesium import draw_magnesium, magnesium_law
from analysis.cohort.synthetic.magnesium_over_time import EFFECT_MONTHS, INTERVAL, REFERENCE_MAGNESIUM, magnesium_path
from analysis.cohort.synthetic.simulation import (
    STREAMS,
    Patients,
    SyntheticCohort,
    cohort_frame,
    simulate_cohort,
    simulate_patients,
)
