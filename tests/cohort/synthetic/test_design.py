"""Designs that cannot be are refused, and every column of the synthetic cohort is described as it is written."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from analysis import COHORT_SCHEMA, LABS_SCHEMA, CohortDesign, InputError, load_cohort, load_labs
from analysis.cohort.synthetic.causes import CAUSES
from analysis.cohort.synthetic.design import ADJUSTMENT


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


def test_one_error_lists_all_problems():
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


@pytest.mark.parametrize(("schema", "load"), [(COHORT_SCHEMA, load_cohort), (LABS_SCHEMA, load_labs)])
def test_a_schema_names_the_columns_of_its_file_in_order(schema, load):
    assert tuple(load().columns) == schema.names


def test_every_column_says_what_it_means_and_every_measurement_has_a_unit_and_a_range():
    for column in (*COHORT_SCHEMA, *LABS_SCHEMA):
        assert column.meaning.endswith(".")
        if column.type == "number":
            assert column.unit
            assert column.low < column.high
        if column.type == "category":
            assert len(column.levels) > 1


def test_the_adjustment_terms_are_exactly_the_causes_in_the_hazards():
    assert tuple(cause.term for cause in CAUSES) == ADJUSTMENT
    assert len(set(ADJUSTMENT)) == len(ADJUSTMENT)
