"""Reporting guidelines as tables that the results fill in: REMARK, STROBE, SAMPL."""

from __future__ import annotations

from analysis.study.report.checklists.filling import checklists_section
