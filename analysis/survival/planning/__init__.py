"""How large the next study must be: events, patients, and the plan simulated."""

from __future__ import annotations

from analysis.survival.planning.study_design import SimulatedPower, StudyDesign, pilot_assumptions, plan_study
