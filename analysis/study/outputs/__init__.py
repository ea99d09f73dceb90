"""Results to files: figures, tables, pages, the cut-point explorer, notebooks, and drift against an earlier report."""

from __future__ import annotations

from analysis.study.outputs.drift import SOFTWARE, find_drift
from analysis.study.outputs.explorer import explorer_display, explorer_frames, write_explorer
from analysis.study.outputs.notebooks import notebook_paths, start_notebooks
from analysis.study.outputs.write import write_figures, write_outputs
