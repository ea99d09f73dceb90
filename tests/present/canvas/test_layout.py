"""Words on a page: wrapped within their width, shortened in the middle, margins that leave room to draw."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.present.canvas.layout import new_figure, sheet
from analysis.present.canvas.measuring import shortened, text_size, wrapped
from analysis.present.canvas.style import POINTS_PER_INCH

FIGURE = new_figure(90.0)
WORDS = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Zs")), max_size=80)


@settings(max_examples=40, deadline=None)
@given(WORDS, st.floats(20.0, 300.0))
def test_wrapped_lines_are_no_wider_than_asked_and_no_character_is_lost(text, width):
    lines = wrapped(FIGURE, text, width).split("\n")
    assert all(text_size(FIGURE, line)[0] <= width or len(line) == 1 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@settings(max_examples=40, deadline=None)
@given(WORDS, st.floats(20.0, 300.0))
def test_a_shortened_line_keeps_both_ends_and_its_width(text, width):
    short = shortened(FIGURE, text, width)
    assert text_size(FIGURE, short)[0] <= width
    if short != text:
        head, tail = short.split("…")
        assert text.startswith(head)
        assert text.endswith(tail)
        longer = len(head) + len(tail) + 1
        again = f"{text[: longer - longer // 2]}…{text[len(text) - longer // 2 :]}"
        assert text_size(FIGURE, again)[0] > width or longer == len(text)


def test_a_word_is_broken_after_a_dash_where_there_is_one():
    assert wrapped(FIGURE, "Progression-free", text_size(FIGURE, "Progression-fr")[0]) == "Progression-\nfree"


@pytest.mark.parametrize("n", [10, 60, 120, 200, 1000])
def test_long_words_beside_the_axes_leave_room_to_draw_and_stay_on_the_page(n):
    with sheet(90.0, title="T" * n, subtitle="", synthetic=False) as page:
        figure, ax = page.figure, page.ax
        ax.set_yticks([0.2, 0.8], ["A" * n, "B" * n])
        ax.set_xlabel("x" * n)
        ax.set_ylabel("y" * n)
        ax.set_title("t" * n, loc="left")
        ax.annotate("C" * n, (1, 0.5), xycoords="axes fraction", annotation_clip=False)
        ax.annotate(f"D\n{'E' * n}", (0, 0.5), xycoords="axes fraction", ha="right", annotation_clip=False)
        page.finish(40.0)
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        bounds = figure.bbox
        assert ax.get_window_extent(renderer).width > 0.1 * bounds.width
        inside = ax.get_tightbbox(renderer)
        assert inside.x0 >= -1
        assert inside.x1 <= bounds.width + 1
        assert all(text.get_window_extent(renderer).x1 <= bounds.width + 1 for text in figure.texts)
        assert bounds.width == pytest.approx(90.0 / 25.4 * figure.dpi)
    assert POINTS_PER_INCH == 72.0
