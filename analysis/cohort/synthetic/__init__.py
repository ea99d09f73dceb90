"""The synthetic cohort: its design and columns, the causes of magnesium and of hazards, the illness-death process."""

from analysis.cohort.synthetic.causes import (
    CAUSES,
    DISEASES,
    TRANSITIONS,
    Cause,
    adjustment_terms,
    draw_covariates,
    treatment_codes,
)
from analysis.cohort.synthetic.design import ADJUSTMENT, COHORT_SCHEMA, DEFAULT_DESIGN, LABS_SCHEMA, CohortDesign, World
from analysis.cohort.synthetic.illness_death import Course, draw_course
from analysis.cohort.synthetic.magnesium import (
    EFFECT_MONTHS,
    INTERVAL,
    REFERENCE_MAGNESIUM,
    draw_magnesium,
    magnesium_law,
    magnesium_path,
)
from analysis.cohort.synthetic.simulation import (
    STREAMS,
    Patients,
    SyntheticCohort,
    cohort_frame,
    simulate_cohort,
    simulate_patients,
)
