"""What figures share: style, axes, layout, placing of labels, files."""

from __future__ import annotations

from analysis.present.canvas.axes import TICKS, WIDEST, breaks_for, ratio_limits, stand_ratio_axis
from analysis.present.canvas.cut_lines import (
    BAR,
    FOUND_INK,
    LANE,
    beside,
    cut_line,
    draw_cuts,
    draw_found,
    draw_histogram,
    found_words,
    head_over_edges,
    marker_words,
    name_found,
    with_use,
    write_count,
    write_edges,
    write_sources,
)
from analysis.present.canvas.files import figure_svg, remove_file, replace_file, save_figure
from analysis.present.canvas.frames import by_label, need_columns, need_numbers, ordered_labels
from analysis.present.canvas.layout import (
    LINE,
    PAD,
    POINTS,
    drawing_axes,
    figure_of,
    finish,
    fit,
    head_axes,
    new_figure,
    text_size,
    wrapped,
)
from analysis.present.canvas.line_labels import keep_apart, name_line
from analysis.present.canvas.placing import Space, Spot, draw_box, spread
from analysis.present.canvas.style import (
    BLUE,
    DIMMED,
    GREY,
    HAIRLINE,
    INK,
    MM_PER_INCH,
    ONE_COLUMN,
    SMALL,
    SOFT_INK,
    TEXT,
    TWO_COLUMNS,
    VERMILLION,
    StratumStyle,
    figure_style,
    stratum_styles,
)
