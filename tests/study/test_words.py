"""Methods and results in words: each number is the frame's, and only what was made is told."""

from __future__ import annotations

import re

import pytest

from analysis import format_p, format_ratio, format_time, load_cohort, run_study, write_cohort
from analysis.study.report.results import StudyResults
from analysis.study.report.words import methods_words, results_words
from analysis.study.run import synthetic_plan

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


@pytest.fixture(scope="module")
def results() -> StudyResults:
    return run_study(synthetic_plan())


def told(results: StudyResults) -> str:
    return " ".join(results_words(results.study, results.tables))


def test_the_headline_numbers_are_those_of_the_frames(results):
    words = told(results)
    for row in results.tables["hazard-ratios"].to_dict("records"):
        ratio = format_ratio(row["hazard_ratio"], row["conf_low"], row["conf_high"])
        assert f"{row['term']}, {row['adjustment']} {ratio}" in words
    for row in results.tables["overall-survival-medians"].to_dict("records"):
        median = format_time(row["median"], row["conf_low"], row["conf_high"])
        assert f"{row['stratum']} {row['n_event']} of {row['n']}, {median}" in words
    crude = results.tables["overall-survival-restricted-mean-differences"].iloc[0]
    adjusted = results.tables["overall-survival-adjusted-mean-differences"].iloc[0]
    own = (crude["difference"], crude["conf_low"], crude["conf_high"])
    alike = (adjusted["standardised"], adjusted["standardised_conf_low"], adjusted["standardised_conf_high"])
    for called, row, values in (("crude", crude, own), ("standardised", adjusted, alike)):
        pair = f"{row['stratum_b']} less {row['stratum_a']}"
        assert f"means in months, {called}: {pair} {format_time(*values)}" in words
    p_value = results.tables["overall-survival-proportional-hazards"]["p_value"].iloc[0]
    assert f"marker p {'= ' if p_value >= 0.001 else ''}{format_p(p_value)}" in words


def test_every_number_in_the_words_changes_with_the_cohort(results, tmp_path):
    """Halve the cohort: no estimate may stay as it was, in words, tables or the summary."""
    plan = tmp_path / "plan.toml"
    text = synthetic_plan().text
    plan.write_text(
        text[: text.index("[labs]")] + text[text.index("[labels]") :].replace("truth", "#"), encoding="utf-8"
    )
    plan.write_text(plan.read_text(encoding="utf-8").replace('truth = "truth.json"', ""), encoding="utf-8")
    write_cohort(load_cohort().iloc[::2], tmp_path / "cohort.csv")
    other = run_study(plan)
    before, now = (set(re.findall(r"\d+\.\d+ \([^)]+ to [^)]+\)", told(one))) for one in (results, other))
    assert len(before) > 15
    assert not before & now
    assert not set(other.summary) & set(results.summary)
    for name in ("hazard-ratios", "overall-survival-milestones", "table-1", "flow"):
        assert not results.tables[name].equals(other.tables[name])


def test_what_was_not_made_is_not_told(results):
    few = " ".join(methods_words(results.study, set()))
    assert "spline" not in few
    assert "imputed" not in few
    more = " ".join(methods_words(results.study, {"dose-response-curve", "imputed"}))
    assert "spline" in more
    assert "pooled by Rubin's rules" in more


def test_without_frames_there_are_few_words(results):
    tables = {name: results.tables[name] for name in ("flow", "strata")}
    (patients,) = results_words(results.study, tables)
    assert patients.startswith("**Patients.** Of 480 patients")


def test_the_plans_covariates_and_versions_are_named(results):
    words = " ".join(methods_words(results.study, set()))
    assert "C-reactive protein, per doubling" in words
    assert re.search(r"lifelines \d+\.\d+", words)
