"""The cut-point explorer: one page with every cut's numbers computed beforehand."""

from __future__ import annotations

from analysis.study.explorer.explorer import write_explorer
