"""The house style: type that can be read, without a trace left in matplotlib."""

import matplotlib as mpl
import pytest

from analysis.present.canvas.style import DIMMED, SMALL, TEXT, figure_style


def test_words_are_at_least_seven_points():
    assert min(SMALL, TEXT) >= 7
    assert 0 < DIMMED < 1


def test_settings_are_as_before_even_after_an_error():
    def fail():
        with figure_style():
            assert mpl.rcParams["text.parse_math"] is False
            raise RuntimeError("inside")

    before = dict(mpl.rcParams)
    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert dict(mpl.rcParams) == before
