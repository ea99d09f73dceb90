"""The section on searched cuts: adjusted as the plan says, crude beside it, and what its p-values claim."""

from __future__ import annotations

from dataclasses import replace

import pytest
from numpy.testing import assert_allclose

from analysis import ADJUSTMENT, OVERALL_SURVIVAL, NotEstimable, search_cutpoint
from analysis.study.report.sections import cut_choices, searching

COLUMNS = ["hazard_ratio", "conf_low", "conf_high", "p_naive", "p_corrected"]


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    for name, draws in {"N_PERMUTATIONS": 199, "N_BOOTSTRAP": 20, "N_MULTIVERSE": 19}.items():
        monkeypatch.setattr(cut_choices, name, draws)


@pytest.mark.filterwarnings("ignore::analysis.errors.RowsDropped")
def test_the_search_is_adjusted_as_the_plan_says_and_the_crude_one_is_named_crude(study):
    figure, table = searching._search_blocks(study, searching._searches(study))
    rows = table.frame.set_index(["adjustment", "analysis"])
    options = {"n_permutations": 199, "n_bootstrap": 20, "seed": searching.SEED}
    for name, given in (
        ("adjusted as the plan says", {"adjust": ADJUSTMENT, "strata": "treatment"}),
        ("crude", {}),
    ):
        expected = search_cutpoint(study.cohort, OVERALL_SURVIVAL, "magnesium", **options, **given).summary()
        assert rows.loc[name].index.tolist() == expected["analysis"].tolist()
        assert_allclose(rows.loc[name, COLUMNS], expected[COLUMNS], rtol=1e-9)
    assert list(rows.index.unique("adjustment")) == ["adjusted as the plan says", "crude"]
    assert "adjusted as the plan says" in figure.title
    assert "for the search, not for confounding" in table.note
    assert "Interval by 20 bootstrap resamples, p by permutation: near 0.05 the two can disagree." in table.note
    size = round(study.cohort["magnesium"].notna().sum() ** 0.8)
    assert f"in 95% of 20 resamples of {size} patients (n to the power of 0.8)" in table.note
    # the marker's confounding, not the search, is what the crude p-value is small by
    p_values = rows.xs("searched cut, corrected", level="analysis")["p_corrected"]
    assert p_values["adjusted as the plan says"] > 4 * p_values["crude"]


@pytest.mark.filterwarnings("ignore::analysis.errors.RowsDropped")
def test_a_plan_that_adjusts_for_nothing_has_the_crude_search_alone(study):
    bare = replace(study, plan=replace(study.plan, model=replace(study.plan.model, covariates=(), strata=())))
    figure, table = searching._search_blocks(bare, searching._searches(bare))
    assert set(table.frame["adjustment"]) == {"crude"}
    assert figure.title.endswith(", crude")
    assert "crude: not corrected for confounding" in searching._searches_words(bare, searching._searches(bare))


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_a_crude_search_does_not_pass_for_the_adjusted_one_that_failed(study, monkeypatch):
    def only_crude(*given, adjusted=False):
        if adjusted:
            raise NotEstimable("no adjusted search")
        return searched(*given)

    searched = searching.searched
    monkeypatch.setattr(searching, "searched", only_crude)
    monkeypatch.setattr(cut_choices, "multiverse_blocks", lambda study: [])
    monkeypatch.setattr(cut_choices, "measurement_blocks", lambda study, cuts, error: [])
    monkeypatch.setattr(cut_choices, "world_blocks", lambda: [])
    section = searching.searching_section(study)
    words = section.blocks[0].text
    assert "adjusted search could not be made" in words
    assert "crude: not corrected for confounding" in words
    assert "adjusted as the plan says" not in words
    curve = next(block for block in section.blocks if getattr(block, "name", "") == "dose-response")
    assert curve.draw.keywords["searched"] is None
