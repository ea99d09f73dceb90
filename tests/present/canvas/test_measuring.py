"""Words measured as they are drawn: wrapped within their width, shortened in the middle."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.present.canvas.layout import new_figure
from analysis.present.canvas.measuring import shortened, text_size, wrapped

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
