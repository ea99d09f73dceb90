"""What a report says: its sections, figures, tables, words, cautions and checklists."""

from __future__ import annotations

from analysis.study.report.bench_files import FOLDER, READING, BenchRecord, read_benches, write_bench
from analysis.study.report.causal_diagram import diagram_arrows, diagram_nodes
from analysis.study.report.cautions import Caution, caution_table, sparse_levels, study_cautions
from analysis.study.report.data_columns import column_table
from analysis.study.report.figures import survival_figure, time_axis
from analysis.study.report.paper_tables import hazard_ratio_table, stratum_counts, survival_table
from analysis.study.report.results import Block, StudyFigure, StudyResults, StudySection, slug
from analysis.study.report.results_text import frames_of, summary_lines, words_section
