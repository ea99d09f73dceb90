"""Numbers, tables and column formats as text."""

from __future__ import annotations

from analysis.present.text.formatting import (
    MISSING,
    format_count,
    format_interval,
    format_number,
    format_p,
    format_ratio,
    format_share,
    format_time,
    in_sentence,
    inline,
    is_missing,
    least_p,
    permutation_p,
)
from analysis.present.text.journal import hazard_ratio_display, survival_display
from analysis.present.text.tables import baseline_display, csv_text, display_frame, html_table, reads_as_number
