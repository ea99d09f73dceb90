"""Schemas: tables of columns that cannot contradict themselves."""

import pytest

from analysis import Column, InputError, Schema

AGE = Column("age", "integer", "Age.")


def test_columns_are_found_by_name_and_in_order():
    schema = Schema("patients", (Column("id", "identifier", "Who."), AGE), key="id")
    assert schema.names == ("id", "age")
    assert schema["age"] is AGE
    assert list(schema)[1] is AGE


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Schema("patients", (AGE, AGE)), r"schema 'patients': a column name stands twice"),
        (lambda: Schema("patients", (AGE,), key="id"), r"key 'id' is not one of its columns"),
        (lambda: Schema("patients", (AGE,))["agee"], r"schema 'patients' has no column 'agee'; did you mean 'age'\?"),
        (lambda: Column("sex", "category", "Sex."), r"column 'sex': a category needs levels"),
        (lambda: Column("sex", "category", "Sex.", levels=("f", "f")), r"column 'sex': levels stand twice"),
        (lambda: Column("age", "integer", "Age.", levels=("1",)), r"column 'age': only a category has levels"),
        (lambda: Column("age", "whole", "Age."), r"column 'age': type 'whole'; choose one of 'identifier'"),
        (lambda: Column("age", "integer", "Age.", low=9, high=1), r"column 'age': low 9 is above high 1"),
    ],
)
def test_contradictions_are_refused(build, message):
    with pytest.raises(InputError, match=message):
        build()
