"""Results to files: figures, tables, pages, notebooks, and drift against an earlier report."""

from __future__ import annotations

from analysis.study.outputs.drift import SOFTWARE, find_drift
from analysis.study.outputs.notebooks import notebook_paths, start_notebooks
from analysis.study.outputs.write import write_figures, write_outputs
