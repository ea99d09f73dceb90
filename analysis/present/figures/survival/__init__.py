"""The survival figure: curves, labels and the risk table."""

from __future__ import annotations

from analysis.present.figures.survival.curves import plot_follow_up, plot_survival
from analysis.present.figures.survival.labels import label_ends
from analysis.present.figures.survival.lines import draw_curve, drawn_part
