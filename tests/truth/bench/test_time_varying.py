"""Magnesium that moves, on the bench: effects of the current value, of the first one, and of the wrong 'ever low'."""

from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose

from analysis.truth.bench import time_varying
from tests.truth.bench.planted import PLANTED, SEED, N, target


def test_effects_of_moving_magnesium_are_those_of_start_stop_rows():
    design = replace(PLANTED, world="moving", measurement_error=0.0).of_size(800)
    targets = time_varying.moving_world("moving", design, n_population=800, seed=SEED).targets
    data = time_varying.draw_moving(design, SEED)
    for method in (time_varying.low_now, time_varying.low_at_zero, time_varying.low_at_landmark):
        (answer,) = method(data, 0)
        assert_allclose(answer.estimate, targets[answer.estimand](np.nan), rtol=1e-6)


def test_only_the_value_at_the_time_knows_the_effect_of_the_time():
    world = replace(PLANTED, world="moving", measurement_error=0.0)
    targets = time_varying.moving_world("moving", world, n_population=N, seed=SEED).targets
    now, at_landmark = (targets[name](np.nan) for name in (time_varying.NOW, time_varying.AT_LANDMARK))
    assert 0 < at_landmark < now


def test_ever_low_protects_where_magnesium_does_nothing():
    still = replace(
        PLANTED, world="moving", measurement_error=0.0, hazard_ratio_death=1.0, hazard_ratio_progression=1.0
    )
    world = time_varying.moving_world("still", still.of_size(4000), n_population=10, seed=1)
    data = world.draw(1)
    (wrong,), (right,) = time_varying.ever_low(data, 0), time_varying.low_now(data, 0)
    assert target(world, wrong.estimand) == target(world, right.estimand) == 0
    assert wrong.conf_high < -0.3
    assert right.conf_low < 0 < right.conf_high
