"""The section on searched cuts: adjusted as the plan says, crude beside it, and what its p-values claim."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis import ADJUSTMENT, OVERALL_SURVIVAL, NotEstimable, cutpoint_multiverse, load_cohort, search_cutpoint
from analysis.study.prepare import prepare_study
from analysis.study.report.sections import cut_choices, searching
from analysis.study.run import synthetic_plan
from analysis.study.study import Study

COLUMNS = ["hazard_ratio", "conf_low", "conf_high", "p_naive", "p_corrected"]


@pytest.fixture(scope="module")
def study() -> Study:
    return prepare_study(synthetic_plan())


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(cut_choices, "N_PERMUTATIONS", 199)
    monkeypatch.setattr(cut_choices, "N_BOOTSTRAP", 20)
    monkeypatch.setattr(cut_choices, "N_MULTIVERSE", 19)


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
    assert f"in 95 % of 20 resamples of {size} patients (n to the power of 0.8)" in table.note
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


@pytest.mark.filterwarnings("ignore::analysis.errors.RowsDropped")
def test_the_null_world_stands_among_the_worlds_and_only_adjustment_helps_there():
    words, table = cut_choices.world_blocks()
    rows = table.frame
    assert list(rows["world"].unique()) == ["planted", "no effect", "independent", "threshold"]
    null = rows[rows["world"] == "no effect"].set_index(["adjustment", "analysis"])["p_corrected"]
    assert null["crude", "searched cut, corrected"] < 0.05 < null["adjusted", "searched cut, corrected"]
    estimates = rows[["hazard_ratio", "conf_low", "conf_high"]]
    assert estimates[rows["adjustment"] == "crude"].notna().all(axis=None)
    assert estimates[rows["adjustment"] == "adjusted"].isna().all(axis=None)  # none that is not corrected
    threshold = rows[(rows["world"] == "threshold") & (rows["adjustment"] == "adjusted")]["p_corrected"].item()
    assert ("does not see it with 480 patients" in words.text) == (threshold >= 0.05)


def test_each_adjustment_has_its_p_value_and_the_sentence_on_what_it_tests(study):
    figure, tests, analyses = cut_choices.multiverse_blocks(study)
    by_name = tests.frame.set_index("adjustment")
    assert by_name.index.tolist() == ["as planned", "none"]
    found = analyses.frame.groupby("adjustment")["hazard_ratio"]
    assert_allclose(
        by_name["median_hazard_ratio"],
        np.exp(found.apply(lambda held: np.log(held).median()))[by_name.index],
        rtol=1e-6,
    )
    assert by_name["p_value"]["none"] == pytest.approx(1 / 20)
    assert tests.display["p"].tolist()[-1] == "≤ 0.05"  # as in the caption
    for words in (figure.caption, analyses.note):
        assert "p ≤ 0.05, the least of 19 permutations" in words
        assert "tests that the marker is related to nothing, within the strata; confounding makes it small" in words
    assert "related to nothing" in tests.note


def test_a_p_value_of_one_adjustment_is_that_of_its_analyses_alone():
    rows = load_cohort().dropna(subset=["magnesium"]).iloc[:150].reset_index(drop=True)
    rows = rows.assign(magnesium=rows["magnesium"].rank(method="first"))  # distinct, so that both deal the same orders
    options = {"cutpoints": {"a": 40.0, "b": 60.0}, "n_permutations": 39, "seed": 3}
    sets = {"none": (), "age and ECOG": ["age", "ecog"]}
    both = cutpoint_multiverse(rows, OVERALL_SURVIVAL, "magnesium", adjustments=sets, **options)
    for name, terms in sets.items():
        alone = cutpoint_multiverse(rows, OVERALL_SURVIVAL, "magnesium", adjustments={name: terms}, **options)
        mine = both.tests.set_index("adjustment").loc[name]
        assert mine["p_value"] == alone.p_value
        assert mine["median_hazard_ratio"] == pytest.approx(alone.median_hazard_ratio, rel=1e-9)
        assert mine["n_analyses"] == len(alone.analyses)
