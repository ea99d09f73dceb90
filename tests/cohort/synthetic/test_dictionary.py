"""The described columns are the columns of the files, and the causes are the adjustment terms."""

import pytest

from analysis import COHORT_SCHEMA, LABS_SCHEMA, load_cohort, load_labs
from analysis.cohort.synthetic.causal_effects import CAUSES
from analysis.cohort.synthetic.dictionary import ADJUSTMENT


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
