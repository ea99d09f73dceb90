"""What the report says of its plan: nothing that only the author can know, and what is estimated."""

from __future__ import annotations

from dataclasses import replace

from analysis.study.report.sections.about import about_section, estimand_words
from analysis.study.report.words import methods_words
from analysis.study.study import Study


def changed(study: Study, **parts: object) -> Study:
    return replace(study, plan=replace(study.plan, **parts))


def words_of(study: Study) -> str:
    return " ".join(block.text for block in about_section(study).blocks)


def test_when_a_plan_was_written_is_for_its_author_to_say(study):
    silent = changed(study, reporting={})
    assert "software cannot know" in words_of(silent)
    words = words_of(changed(study, reporting={"prespecification": "Registered on 1 May 2020 as X."}))
    assert "The author on what was decided before the outcome was seen: Registered on 1 May 2020 as X." in words
    for text in (words_of(silent), " ".join(methods_words(silent, set()))):
        assert "ecided before looking" not in text
        assert "beforehand" not in text
        assert "selected by its p-value" not in text


def test_the_estimand_has_its_contrast_population_later_treatment_summary_and_primary_endpoint(study):
    words = estimand_words(study)
    assert "0.1 mmol/L lower, given the covariates of the plan" in words
    assert "with the marker and, where adjusted, the covariates known" in words
    assert "as in the file (the author on the assay: Simulated true magnesium" in words
    assert "time zero" not in words
    assert "No later treatment is simulated." in words
    assert "death without an earlier event counts as an event of progression-free survival" in words
    assert "Summary: a hazard ratio, as the plan names it" in words
    assert "Primary endpoint: overall survival" in words


def test_the_estimand_follows_the_plan(study):
    bare = changed(
        study, reporting={}, endpoints=study.plan.endpoints[:1], summary="restricted mean",
        model=replace(study.plan.model, covariates=(), strata=()),
    )  # fmt: skip
    words = estimand_words(bare)
    assert f"strata: {', '.join(study.compared)} against {study.reference}, crude" in words
    assert "for the author to say ([reporting] later_treatment)" in words
    assert "a difference in restricted means up to 24 months" in words
    assert "rogression-free" not in words
    assert "Population: patients like those of the file with the marker known." in words
    assert "All other p-values are secondary, and not adjusted for multiplicity" in words
    assert " as in the file, strata:" in words


def test_restricted_means_contrast_strata_standardised_where_the_plan_adjusts(study):
    words = estimand_words(changed(study, summary="restricted mean"))
    assert f"strata: {', '.join(study.compared)} against {study.reference}, standardised over the covariates" in words
    assert study.step not in words
