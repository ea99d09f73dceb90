"""A design refuses what cannot be simulated, all faults at once."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from analysis import CohortDesign, InputError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"world": "flat"}, r"world='flat': use one of planted, null, independent, threshold"),
        ({"n_car_t": -1}, r"n_car_t=-1: a whole number of patients, 0 or more"),
        ({"n_car_t": 1.5}, r"n_car_t=1.5: a whole number"),
        ({"n_car_t": 0, "n_checkpoint_inhibitor": 0}, r"a design needs patients"),
        ({"hazard_ratio_death": 0}, r"hazard_ratio_death=0: a hazard ratio from 0.05 to 20"),
        ({"missing_share": 1.2}, r"missing_share=1.2: a share from 0 to 0.5"),
        ({"scan_interval": math.nan}, r"scan_interval=nan: months"),
        ({"measurement_error": "small"}, r"measurement_error='small': a standard deviation in mmol/L"),
    ],
)
def test_impossible_designs_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        CohortDesign(**options)


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError, match="flat") as caught:
        CohortDesign(world="flat", n_car_t=-1, drop_out_share=2)
    assert len(caught.value.problems) == 3


def test_a_design_is_frozen_and_grows_in_proportion():
    design = CohortDesign()
    with pytest.raises(FrozenInstanceError, match="world"):
        design.world = "null"
    grown = design.of_size(np.int64(1_000_000))
    assert (grown.n, grown.n_car_t) == (1_000_000, 333_333)
    assert grown.world == design.world
