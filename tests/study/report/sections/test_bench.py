"""The section on benches: every bench that was written, and the sentence on the level by the bench's own verdict."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analysis.study.report.bench_files import FOLDER, write_bench
from analysis.study.report.sections import bench
from analysis.study.report.sections.bench import level_sentence, level_words
from tests.study.report.test_bench_files import scores


def test_the_report_shows_every_bench_that_was_written(study, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "synthetic_folder", lambda: tmp_path)
    (words,) = bench.bench_section(study).blocks
    assert "python -m analysis bench" in words.text
    write_bench(scores(), tmp_path / FOLDER, name="markers", n_replicates=500, seed=7)
    opening, figure, table = bench.bench_section(study).blocks
    assert "A method that misses stays in the table" in opening.text
    assert figure.alt.endswith("A departure is shown, in one world or more, of: naive cut.")
    assert "python -m analysis bench markers --replicates 500 --seed 7" in table.note
    assert table.frame["verdict"].tolist() == ["biased; rejects too often"]
    assert figure.draw().axes


def test_a_cohort_of_ones_own_has_a_sentence_on_where_the_benches_are(study):
    (words,) = bench.bench_section(replace(study, plan=replace(study.plan, synthetic=False))).blocks
    assert "python -m analysis bench" in words.text


def test_the_level_of_weighted_intervals_is_that_of_the_committed_bench(study):
    words = level_words(study)
    assert (
        "exclude 0, at a nominal level of 5%, in 8.0% of 500 cohorts of 480 (weighted: rejects too often) and 6.8%"
        " (standardised: no departure shown)"
    ) in words
    assert "more often than the" not in words


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.05, "no departure shown"), (0.12, "rejects too often"), (0.01, "conservative")]
)
def test_the_sentence_on_the_level_follows_the_verdict_of_the_bench(share, verdict):
    row = {"score": "type-I error", "method": "weighting: months", "value": share, "n": 500}
    words = level_sentence(pd.DataFrame([row]), 100)
    assert words.endswith(f"in {100 * share:.1f}% of 500 cohorts of 100 (weighted: {verdict}).")


def test_a_simulated_cohort_of_ones_own_has_no_bench(study, tmp_path):
    other = replace(study.plan, data=replace(study.plan.data, path=tmp_path / "cohort.csv"))
    assert level_words(study)
    assert level_words(replace(study, plan=other)) == ""
