"""How much hangs on the choices: other cuts, other worlds, and measuring again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis import OVERALL_SURVIVAL, LowReliability, cutpoint_multiverse, load_cohort, load_example
from analysis.study.models import stated_error
from analysis.study.report.sections import cut_choices
from analysis.study.report.sections.cut_choices import measurement_blocks
from analysis.study.report.sections.stability import influence_section
from tests.study.plans import study_of, tables


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    for name, draws in {"N_PERMUTATIONS": 199, "N_BOOTSTRAP": 20, "N_MULTIVERSE": 19}.items():
        monkeypatch.setattr(cut_choices, name, draws)


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
    assert ("does not detect it with 480 patients" in words.text) == (threshold >= 0.05)


def test_each_adjustment_has_its_p_value_and_the_sentence_on_what_it_tests(study):
    figure, tests, analyses = cut_choices.multiverse_blocks(study)
    by_name = tests.frame.set_index("adjustment")
    assert by_name.index.tolist() == ["as planned", "none"]
    expected = analyses.frame.groupby("adjustment")["hazard_ratio"]
    assert_allclose(
        by_name["median_hazard_ratio"],
        np.exp(expected.apply(lambda ratios: np.log(ratios).median()))[by_name.index],
        rtol=1e-6,
    )
    assert by_name["p_value"]["none"] == pytest.approx(1 / 20)
    assert tests.display["p"].tolist()[-1] == "≤ 0.05"  # as in the caption
    assert "p ≤ 0.05, the least of 19 permutations" in figure.caption
    assert "within the strata, tests that the marker is unrelated to everything" in tests.note
    assert "confounding alone makes it small" in tests.note


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


@pytest.mark.filterwarnings("ignore::analysis.errors.RowsDropped")
def test_the_plans_error_of_measurement_is_the_one_error_of_the_report(study):
    plan = study.plan
    wider = replace(study, plan=replace(plan, robustness=replace(plan.robustness, measurement_error=0.06)))
    again, lost = measurement_blocks(wider, [], stated_error(wider))
    with pytest.warns(LowReliability, match=r"reliability 0.44, below 0.8"):
        corrected = tables(influence_section(wider))["simulation-extrapolation"].set_index("measurement")
    expected = lost.frame.set_index("measurement")
    columns = ["hazard_ratio", "conf_low", "conf_high"]
    for before, after in (("without error, expected", "as measured, over the reliability"), ("as measured",) * 2):
        assert_allclose(corrected.loc[after, columns].tolist(), expected.loc[before, columns].tolist(), rtol=1e-6)
    assert "standard deviation 0.06 mmol/L, as the plan says" in again.note
    assert "standard deviation 0.06 mmol/L, as the plan says" in lost.note
    stays = again.frame[again.frame["from_stratum"].astype(str) == again.frame["to_stratum"].astype(str)]
    assert stays["share"].max() < 0.8  # 0.89 under half the error


def test_an_error_of_measurement_is_the_plans_then_the_published_one_then_none(study, tmp_path):
    bare = replace(study.plan.robustness, measurement_error=None)
    without = replace(study, plan=replace(study.plan, robustness=bare))
    assert (stated_error(study).size, stated_error(study).scale) == (0.028, "absolute")
    assert (stated_error(without).size, stated_error(without).scale) == (0.035, "relative")
    assert stated_error(study_of(load_example("lung"), tmp_path)) is None
