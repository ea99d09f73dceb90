"""What goes with the marker: rank correlations, and a causal diagram with the signs of the simulation."""

from __future__ import annotations

import pytest
from scipy.stats import spearmanr

from analysis.cohort.synthetic import CAUSES
from analysis.study.report.sections import relations
from analysis.study.report.sections.relations import correlation_table, diagram_arrows, diagram_nodes


def test_correlations_are_spearmans_of_numeric_covariates(study):
    frame = correlation_table(study).set_index("column")
    for column in frame.index:
        rows = study.cohort[["magnesium", column]].dropna()
        assert frame.loc[column, "n"] == len(rows)
        assert frame.loc[column, "correlation"] == pytest.approx(spearmanr(rows["magnesium"], rows[column]).statistic)
    assert "sex" not in frame.index


def test_no_numeric_covariate_gives_no_block(study, monkeypatch):
    monkeypatch.setattr(relations, "covariate_columns", lambda study: [])
    assert list(relations.relations_blocks(study)) == []


def test_every_cause_lies_in_a_group_and_every_arrow_joins_two_nodes():
    terms = [term for group in relations.GROUPS.values() for term in group]
    assert {cause.term for cause in CAUSES} == set(terms)
    nodes, arrows = set(diagram_nodes()["name"]), diagram_arrows()
    assert set(arrows["cause"]) | set(arrows["effect"]) == nodes


def test_signs_are_those_of_the_slopes_as_a_group_rises():
    """More inflammation (CRP up, albumin down) lowers magnesium; so do drugs; magnesium lowers both hazards."""
    signs = diagram_arrows().set_index(["cause", "effect"])["sign"]
    inflammation, drugs = (name for name in relations.GROUPS if name.startswith(("inflammation", "drugs")))
    assert signs[inflammation, relations.MAGNESIUM] == -1
    assert signs[drugs, relations.MAGNESIUM] == -1
    assert signs[relations.MAGNESIUM, relations.DEATH] == -1
    assert signs[relations.PROGRESSION, relations.DEATH] == 1
