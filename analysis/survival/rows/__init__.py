"""The gate from a frame to arrays: survival data, groups, counts, arguments."""

from __future__ import annotations

from analysis.survival.rows.arguments import (
    ApproximateTies,
    Engine,
    check_competing,
    check_endpoint,
    check_roles,
    choice_problems,
    count_problems,
    level_problems,
    listed,
    number_problems,
    times_given,
)
from analysis.survival.rows.counts import Compared, compared, counted_curves, counted_groups, group_counts
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
    NOBODY_FOLLOWED,
    SurvivalData,
    late_entry,
    survival_data,
    zero_time_warnings,
)
