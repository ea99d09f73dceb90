"""Restricted cubic splines: their shape by hand and by definition, and their default knots against R's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analysis import NotEstimable, TiedKnots
from analysis.strata.splines import default_knots, knot_warnings, place_knots, spline_basis
from tests.reference import cases, rows

KNOTS = np.array([1.0, 2.0, 4.0, 7.0])


def third_powers(x, knots, j):
    """Column j + 1 of the basis, straight from Durrleman and Simon's formula."""
    last, before, first = knots[-1], knots[-2], knots[0]

    def cube(u):
        return max(u, 0.0) ** 3

    bent = cube(x - knots[j])
    bent -= cube(x - before) * (last - knots[j]) / (last - before)
    bent += cube(x - last) * (before - knots[j]) / (last - before)
    return bent / (last - first) ** 2


def test_the_basis_follows_its_formula():
    values = np.linspace(-1, 10, 45)
    basis = spline_basis(values, KNOTS)
    assert_allclose(basis[:, 0], values, rtol=0)
    for j in range(2):
        assert_allclose(basis[:, j + 1], [third_powers(x, KNOTS, j) for x in values], rtol=1e-9, atol=1e-12)


def test_by_hand_with_knots_at_0_1_2():
    # knots 0, 1, 2: at 1 the first cube is 1; at 2 it is 8 - 2 = 6; at 3, 27 - 2 * 8 + 1 = 12; each over 2^2
    assert_allclose(spline_basis([-1.0, 0.0, 1.0, 2.0, 3.0], [0, 1, 2])[:, 1], [0, 0, 0.25, 1.5, 3.0], atol=1e-15)


def test_no_bend_below_the_first_knot_and_straight_lines_beyond_the_outer_ones():
    below, above = np.linspace(-5, 1, 13), np.linspace(7, 30, 24)
    assert (spline_basis(below, KNOTS)[:, 1:] == 0).all()
    assert_allclose(np.diff(spline_basis(above, KNOTS), 2, axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("knot", KNOTS)
def test_value_slope_and_curvature_are_continuous_at_every_knot(knot):
    # on each side of a knot a cubic is its own Taylor expansion: take its derivatives at the knot from four points
    h, jumps = 0.05, []
    for bend in (1, 2):
        sides = [
            np.polyfit(side * np.arange(4) * h, spline_basis(knot + side * np.arange(4) * h, KNOTS)[:, bend], 3)
            for side in (-1, 1)
        ]
        assert_allclose(sides[0][1:], sides[1][1:], atol=1e-9)
        jumps.append(abs(sides[0][0] - sides[1][0]))
    assert max(jumps) > 1e-3  # the third derivative is what jumps there


@given(
    st.lists(st.floats(-50, 50), min_size=1, max_size=20),
    st.floats(0.01, 100),
    st.lists(st.integers(-30, 30), min_size=3, max_size=6, unique=True),
)
def test_the_basis_takes_the_unit_of_the_marker(values, factor, places):
    knots, x = np.sort(np.asarray(places, dtype=float)), np.asarray(values)
    ours = spline_basis(x * factor, knots * factor)
    assert_allclose(ours, factor * spline_basis(x, knots), rtol=1e-7, atol=1e-7 * factor)


@pytest.mark.parametrize("case", cases("rcs_cox"), ids=str)
def test_default_knots_are_those_of_r(case):
    args = case.args
    held = rows(case.dataset).dropna(subset=[args["time"], args["event"], args["x"], *args["adjust"]])
    knots = default_knots(held[args["x"]].to_numpy(dtype=float), args["n_knots"])
    assert_allclose(knots, case.expected["knots"], rtol=1e-9)


@pytest.mark.parametrize(
    ("n_knots", "places"),
    [
        (3, [0.1, 0.5, 0.9]),
        (4, [0.05, 0.35, 0.65, 0.95]),
        (5, [0.05, 0.275, 0.5, 0.725, 0.95]),
        (6, [0.05, 0.23, 0.41, 0.59, 0.77, 0.95]),
        (7, [0.025, 0.1833, 0.3417, 0.5, 0.6583, 0.8167, 0.975]),
    ],
)
def test_places_are_the_quantiles_of_harrells_table(n_knots, places):
    assert_allclose(default_knots(np.linspace(0, 1, 10_001), n_knots), places, atol=5e-5)


def test_in_small_samples_the_outer_knots_are_the_fifth_values():
    knots = default_knots(np.arange(1.0, 61.0), 5)
    assert (knots[0], knots[-1]) == (5, 56)


def test_values_heaped_at_an_end_get_no_part_in_the_quantiles():
    # a tenth of the rows at a detection limit of 0: the first knot is the next value, the others quantiles beyond it
    values = np.concatenate([np.zeros(100), np.linspace(1, 901, 901)])
    assert_allclose(default_knots(values, 4)[0], 1)
    assert_allclose(default_knots(values, 4)[1:], np.quantile(values[values > 1], [0.05, 0.5, 0.95]))
    mirrored = default_knots(-values, 4)
    assert_allclose(mirrored[-1], -1)
    both = np.concatenate([values, np.full(100, 1000.0)])
    assert_allclose(
        default_knots(both, 4), [1, np.median(np.arange(2, 901)), np.quantile(np.arange(2, 901), 0.95), 901]
    )


def test_just_enough_distinct_values_are_the_knots_themselves():
    assert default_knots(np.repeat([0.0, 1, 2, 3, 4], 20), 3).tolist() == [1, 2, 3]


COUNT = np.repeat(np.arange(10.0), [60, 40, 25, 15, 12, 8, 6, 5, 4, 3])
FEWER = np.repeat(np.arange(10.0), [30, 20, 12, 8, 6, 4, 3, 2, 2, 1])
LOW_END, HIGH_END = np.repeat(np.arange(21.0), [150, *[2] * 20]), np.repeat([*range(1, 21), 30.0], [*[2] * 20, 150])


@pytest.mark.parametrize(
    ("values", "knots"),  # Hmisc::rcspline.eval(x, nk = , knots.only = TRUE)
    [
        (COUNT, {3: [0, 1, 5.3], 4: [0, 1, 2, 7], 5: [0, 1, 3, 7], 6: [0, 1, 2, 3, 7], 7: [0, 1, 2, 4, 8]}),
        (FEWER, {3: [0, 1, 7], 4: [0, 1, 2, 7], 5: [0, 1, 3, 7], 6: [0, 1, 2, 3, 7], 7: [0, 0.725, 1, 2, 4, 7]}),
        (np.repeat(np.arange(5.0), [30, 20, 12, 8, 6]), {key: [1, 2, 3] for key in range(3, 8)}),
        (LOW_END, {3: [1, 11, 18], 5: [1, 2.85, 8, 14, 18], 7: [1, 2, 5.955, 9, 13, 16.045, 18]}),
        (HIGH_END, {3: [3, 17.3, 20], 5: [3, 7, 13, 18.15, 20], 7: [3, 4.955, 8, 12, 15.045, 19, 20]}),
        (np.repeat(np.arange(1.0, 20), [*[1] * 9, 180, *[1] * 9]), {7: [5.925, 10, 14.075]}),
        (np.repeat(np.arange(1.0, 21), [*[1] * 12, 60, *[1] * 7]), {key: [5, 13, 16] for key in range(4, 8)}),
    ],
)
def test_knots_of_tied_values_are_those_of_r(values, knots):
    for n_knots, places in knots.items():
        assert_allclose(default_knots(values, n_knots), places, rtol=1e-12)
        assert_allclose(default_knots(values[::-1], n_knots), places, rtol=1e-12)


def test_knots_that_coincide_are_named_with_what_remains():
    (warning,) = knot_warnings(COUNT, 7, default_knots(COUNT, 7), "nodes")
    assert isinstance(warning, TiedKnots)
    assert str(warning) == "7 knots of 'nodes': 2 fall together at 0, 2 fall together at 1; 5 remain (0, 1, 2, 4, 8)"
    few = np.repeat(np.arange(5.0), 20)
    (warning,) = knot_warnings(few, 4, default_knots(few, 4), "grade")
    assert str(warning) == "4 knots of 'grade': it has 5 distinct values only; 3 remain (1, 2, 3)"
    assert knot_warnings(COUNT, 4, default_knots(COUNT, 4), "nodes") == ()
    assert knot_warnings(few, 3, default_knots(few, 3), "grade") == ()
    assert knot_warnings(few, [1, 2, 3], np.array([1.0, 2, 3]), "grade") == ()


@pytest.mark.parametrize(
    ("values", "n_knots", "message"),
    [
        ([1, 2, 3] * 20, 3, r"3 knots: 'mg' has 3 distinct values in 60 rows, whose ties leave 1 distinct knots"),
        (np.repeat([0, 1, 2, 3], [30, 20, 12, 8]), 4, r"has 4 distinct values in 70 rows, whose ties leave 2 distinct"),
        (np.repeat(np.arange(1, 20), [*[1] * 9, 180, *[1] * 9]), 4, r"a spline needs 3 and 6 rows; give the places"),
        ([1, 2, 3, 4, 5], 3, r"5 distinct values in 5 rows.* a spline needs 3 and 6 rows"),
    ],
)
def test_fewer_than_three_knots_are_refused_as_in_r(values, n_knots, message):
    with pytest.raises(NotEstimable, match=message):
        place_knots(np.asarray(values, dtype=float), n_knots, "mg")


# R 4.2.2, Hmisc 4.8.0: rcspline.eval(x, nk = 4, knots.only = TRUE) of a marker tied at one end in some of 200 rows.
TIED_ENDS = [
    ("7 % at the smallest value", [*[0] * 14, *range(1, 187)], [1, 11.2, 94, 176.8]),
    ("5 % at the smallest value", [*[0] * 10, *range(1, 191)], [1, 11.4, 96, 180.6]),
    ("4.5 % at the smallest value", [*[0] * 9, *range(1, 192)], [1.95, 61.65, 121.35, 181.05]),
    ("7 % at the largest value", [*range(1, 187), *[200] * 14], [10.2, 93, 175.8, 186]),
]


@pytest.mark.parametrize(("values", "knots"), [tie[1:] for tie in TIED_ENDS], ids=[tie[0] for tie in TIED_ENDS])
def test_a_value_shared_by_a_twentieth_of_the_rows_moves_the_outer_knot_as_in_hmisc(values, knots):
    assert_allclose(default_knots(np.array(values, dtype=float), 4), knots, rtol=1e-12)


# R 4.2.2, Hmisc 4.8.0: rcspline.eval(x, nk = , knots.only = TRUE).
SMALL = [
    ("99 values", range(1, 100), 4, [5, 35.3, 64.7, 95]),
    ("100 values are no small sample", range(1, 101), 4, [5.95, 35.65, 65.35, 95.05]),
    ("6 values", range(1, 7), 3, [2, 3.5, 5]),
    ("7 values, the fifth from either end inside", range(1, 8), 4, [3, 3.1, 4.9, 5]),
    ("one knot between tied ends", [*[0] * 50, *range(1, 41), *[41] * 50], 3, [1, 20.5, 40]),
    ("two knots between tied ends", [*[0] * 50, *range(1, 41), *[41] * 50], 4, [1, 20.5, 37.15, 40]),
    ("three knots between tied ends", [*[0] * 50, *range(1, 41), *[41] * 50], 5, [1, 3.85, 20.5, 37.15, 40]),
    ("a tied low end keeps its knot", [*[0] * 6, *range(1, 95)], 4, [1, 6.6, 48, 90]),
    ("a tied high end keeps its knot", [*range(1, 95), *[95] * 6], 4, [5, 47, 88.4, 94]),
    ("101 values beyond a tied end", [*[0] * 6, *range(1, 103)], 4, [1, 7, 52, 97]),
]


@pytest.mark.parametrize(("values", "n_knots", "knots"), [case[1:] for case in SMALL], ids=[case[0] for case in SMALL])
def test_outer_knots_of_small_samples_are_those_of_hmisc(values, n_knots, knots):
    assert_allclose(default_knots(np.array(values, dtype=float), n_knots), knots, rtol=1e-12)
