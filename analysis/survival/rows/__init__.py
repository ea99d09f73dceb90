"""The gate from a frame to arrays: survival data, groups, counts, patients."""

from analysis.errors import choice_problems, count_problems, level_problems, number_problems
from analysis.survival.rows.groups import (
    Groups,
    code_column,
    group_rows,
    grouping_problems,
    label_column,
    label_problems,
)
from analysis.survival.rows.patients import patient_rows, refuse_spells, spell_warnings
from analysis.survival.rows.survival_data import (
    MOST_ROWS_FOR_LIFELINES,
    NOBODY_FOLLOWED,
    ApproximateTies,
    CohortCounts,
    Engine,
    SurvivalData,
    check_endpoint,
    check_roles,
    complete_rows,
    counts_of_rows,
    late_entry,
    listed,
    no_rows_left,
    read_counts,
    survival_data,
    times_given,
    zero_time_warnings,
)
