"""What a report says: its sections, figures, tables, words, cautions and checklists."""

from __future__ import annotations

from analysis.present.pages import Listing, Note, Prose
from analysis.study.blocks import attempted, computed, table
from analysis.study.report.bench_files import FOLDER, READING, BenchRecord, read_benches, write_bench
from analysis.study.report.cautions import Caution, caution_table, sparse_levels, study_cautions
from analysis.study.report.checklists import checklists_section
from analysis.study.report.curves import (
    WHEN,
    stratum_counts,
    study_curves,
    survival_figure,
    survival_table,
    true_curves,
    with_counts,
)
from analysis.study.report.opening import study_opening
from analysis.study.report.results import (
    RATIO,
    Block,
    Blocks,
    StudyFigure,
    StudyResults,
    StudySection,
    by_endpoint,
    estimate_row,
    figure,
    forest,
    forest_frame,
    forest_words,
    frame_of_tests,
    frames_of,
    section,
    slug,
    target_row,
    time_axis,
)
from analysis.study.report.threats import threats_section
from analysis.study.report.words import summary_lines, words_section
