"""What figures share: style, scales, layout, words that keep clear of lines, cut-points, files."""

from __future__ import annotations

from analysis.present.canvas.axes import (
    breaks_for,
    ratio_limits,
    set_ratio_axis,
    set_ratio_ticks,
    set_share_of_time_axes,
    set_time_axis,
    set_time_ticks,
)
from analysis.present.canvas.cut_lines import (
    BAR,
    LANE,
    cuts_within,
    draw_cuts,
    draw_histogram,
    draw_searched,
    head_over_edges,
    marker_words,
    name_searched,
    write_count,
    write_edges,
    write_sources,
)
from analysis.present.canvas.files import figure_svg, page_svg, remove_file, replace_file, save_figure
from analysis.present.canvas.frames import by_label, need_columns, need_numbers, ordered_labels
from analysis.present.canvas.layout import PAD, Sheet, batch_of_figures, fit_rows, make_room, sheet
from analysis.present.canvas.measuring import LINE, axes_size, figure_of, hangs_below, page_width, text_size, wrapped
from analysis.present.canvas.placing import (
    Point,
    Space,
    Spot,
    TextLook,
    join,
    name_ends,
    name_line,
    spread,
    write,
    write_at,
)
from analysis.present.canvas.strata import Linestyles, Palette, StratumStyle, color_problems, stratum_styles
from analysis.present.canvas.style import (
    BLUE,
    BLUE_INK,
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
    VERMILLION_INK,
    figure_style,
    from_inches,
    inches,
    is_wide,
    millimetres,
    points,
    stroke,
)
from analysis.present.canvas.words import Language, Words, words_of
