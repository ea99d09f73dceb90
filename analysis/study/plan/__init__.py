"""Study plans: the tables and their keys, the TOML file, and a first plan guessed from a cohort's columns."""

from __future__ import annotations

from analysis.study.plan.column_roles import check_columns, coded_events
from analysis.study.plan.new_plan import new_plan
from analysis.study.plan.plan import StudyPlan, plan_schema, slug
from analysis.study.plan.rows import planned_rows
from analysis.study.plan.tables import FIELDS, LabsPlan
from analysis.study.plan.times import with_made_columns
