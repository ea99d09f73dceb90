"""Pages of figures: margins that leave room to draw."""

from __future__ import annotations

import pytest

from analysis.present.canvas.layout import sheet
from analysis.present.canvas.style import POINTS_PER_INCH


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
