"""Methods and results in words: each number is the frame's, and nothing that was not made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce

import pandas as pd
import pytest
from pandas.api.types import is_numeric_dtype

from analysis import (
    StudyPlan,
    format_p,
    format_ratio,
    format_time,
    load_cohort,
    run_study,
    synthetic_plan,
    write_cohort,
)
from analysis.study import run
from analysis.study.report.results import Note, Prose, StudyFigure, StudyResults, TableBlock
from analysis.study.report.sections.cohort import cohort_section, data_section
from analysis.study.report.sections.confounding import confounding_section
from analysis.study.report.sections.hazards import checks_section
from analysis.study.report.sections.models import models_section
from analysis.study.report.sections.strata import strata_section
from analysis.study.report.sections.survival import survival_section
from analysis.study.report.words import methods_words, restricted_mean_lines, results_words

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


def words_of(results: StudyResults) -> str:
    return " ".join(results_words(results.study, results.tables))


def test_the_headline_numbers_are_those_of_the_frames(results):
    words = words_of(results)
    for row in results.tables["hazard-ratios"].to_dict("records"):
        ratio = format_ratio(row["hazard_ratio"], row["conf_low"], row["conf_high"])
        assert f"{row['term']}, {row['adjustment']} {ratio}" in words
    for row in results.tables["overall-survival-medians"].to_dict("records"):
        median = format_time(row["median"], row["conf_low"], row["conf_high"])
        assert f"{row['stratum']} {row['n_event']} of {row['n']}, {median}" in words
    crude = results.tables["overall-survival-restricted-mean-differences"].iloc[0]
    adjusted = results.tables["overall-survival-adjusted-mean-differences"].iloc[0]
    own = (crude["difference"], crude["conf_low"], crude["conf_high"])
    standardised = (adjusted["standardised"], adjusted["standardised_conf_low"], adjusted["standardised_conf_high"])
    for called, row, values in (("crude", crude, own), ("standardised", adjusted, standardised)):
        pair = f"{row['stratum_b']} less {row['stratum_a']}"
        assert f"means in months, {called}: {pair} {format_time(*values)}" in words
    p_value = results.tables["overall-survival-proportional-hazards"]["p_value"].iloc[0]
    assert f"marker p {'= ' if p_value >= 0.001 else ''}{format_p(p_value)}" in words


def test_every_number_in_the_words_changes_with_the_cohort(results, tmp_path, monkeypatch):
    """Halve the cohort: no estimate may stay as it was, in words, tables or the summary."""
    parts = (
        cohort_section,
        data_section,
        strata_section,
        survival_section,
        models_section,
        checks_section,
        confounding_section,
    )
    monkeypatch.setattr(run, "SECTIONS", parts)
    text = synthetic_plan().text.replace('truth = "truth.json"', "")
    text = text[: text.index("[labs]")] + text[text.index("[labels]") :]
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    write_cohort(load_cohort().iloc[::2], tmp_path / "cohort.csv")
    plan = StudyPlan.from_toml(tmp_path / "plan.toml")
    other = run_study(replace(plan, robustness=replace(plan.robustness, n_bootstrap=20)))
    before, now = (set(re.findall(r"\d+\.\d+ \([^)]+ to [^)]+\)", words_of(one))) for one in (results, other))
    assert len(before) > 15
    assert len(now) > 15
    assert not before & now
    assert not set(other.summary) & set(results.summary)
    for name in ("hazard-ratios", "overall-survival-milestones", "table-1", "flow"):
        assert not results.tables[name].equals(other.tables[name])


PAIRS = pd.DataFrame(
    {
        "stratum_a": ["low", "low", "reference"],
        "stratum_b": ["reference", "high", "high"],
        "difference": [1.5, 1.7, 0.2],
        "conf_low": [0.5, -0.3, -0.8],
        "conf_high": [2.5, 3.7, 1.2],
    }
)
"""Of three strata, the reference in the middle."""


def test_restricted_means_of_three_strata_are_compared_with_the_reference_alone(results):
    tables = {name: results.tables[name] for name in ("flow", "strata")}
    _, words = results_words(results.study, tables | {"overall-survival-restricted-mean-differences": PAIRS})
    assert words == (
        "**Overall survival.** Difference of restricted means in months, crude: reference less low 1.5 (0.5 to 2.5);"
        " high less reference 0.2 (−0.8 to 1.2)."
    )


def test_the_summary_compares_restricted_means_with_the_reference_alone(results):
    tables = {"overall-survival-restricted-mean-differences": PAIRS}
    lines = restricted_mean_lines(results.study, results.study.primary, tables)
    assert lines == [
        "Mean months within the first 24, reference less low: crude 1.5 (0.5 to 2.5).",
        "Mean months within the first 24, high less reference: crude 0.2 (−0.8 to 1.2).",
    ]


def test_without_a_table_of_restricted_means_the_summary_has_no_line_of_them(results):
    assert restricted_mean_lines(results.study, results.study.primary, {}) == []


def test_what_was_not_made_is_left_out(results):
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


NO_DIALECT = re.compile(
    r"\btargets?\b|\btold\b|\balike\b|\bunlike\b|\bworth \d|\bdropped\b|\bno like\b|\bhangs on\b|\b\d+ %|(?i:type-I)"
)
NO_COLUMNS = re.compile(r"\b(?:os|pfs)_(?:months|event)\b|\b\w+\.(?:csv|toml|md)\b|\btumour_burden\b|\bldh_ratio\b")
OF_THE_SIMULATION = {"data", "choices", "bench", "checks"}
"""Sections that describe the simulation itself, its worlds and what was planted in them."""
QUOTING = {"data-columns", "inputs"}
"""Tables of columns and of files."""


def sentences(results: StudyResults) -> Iterator[tuple[str, str]]:
    """Every text of a report with the section that it stands in: prose, notes, titles, captions, headings, cells."""
    own = set(results.study.plan.reporting.values())  # the author's
    opening = results.opening
    for text in (*opening.paragraphs, *opening.cautions, *(tile.note for tile in opening.tiles)):
        yield "opening", text
    for section in results.sections:
        yield section.anchor, section.title
        for block in section.blocks:
            if isinstance(block, Prose | Note):
                yield section.anchor, reduce(lambda text, words: text.replace(words, ""), own, block.text)
            elif isinstance(block, StudyFigure):
                yield from ((section.anchor, text) for text in (block.title, block.alt, block.caption))
            elif isinstance(block, TableBlock) and not block.name.startswith("checklist-"):
                yield from ((section.anchor, text) for text in (block.title, block.note, *block.display.columns))
                if block.name not in QUOTING:
                    yield from ((section.anchor, str(cell)) for cell in block.display.to_numpy().ravel())


def test_readers_meet_the_words_of_the_field_and_no_name_of_a_column_or_a_file(results):
    texts = list(sentences(results))
    assert len(texts) > 2000
    assert [text for _, text in texts if NO_DIALECT.search(text)] == []
    assert [text for _, text in texts if NO_COLUMNS.search(text)] == []
    assert [text for where, text in texts if where not in OF_THE_SIMULATION and "planted" in text.lower()] == []


def test_labels_are_in_lower_case_within_a_sentence(results):
    labels = ["Serum magnesium", "Overall survival", "Progression-free survival", "Treatment", "Albumin"]
    within = re.compile(rf"[a-z,] (?:{'|'.join(labels)})")
    assert [text for _, text in sentences(results) if within.search(text)] == []


def test_a_test_heads_its_statistic_by_its_name(results):
    blocks = [block for section in results.sections for block in section.blocks if isinstance(block, TableBlock)]
    tests = [block for block in blocks if "statistic" in block.frame and is_numeric_dtype(block.frame["statistic"])]
    assert len(tests) > 20
    for block in tests:
        heading = next(name for name in ("Chi-square", "z", "|z|") if name in block.display.columns)
        assert (heading == "Chi-square") == ("df" in block.frame or "pairs" in block.name), block.name
