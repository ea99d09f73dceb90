"""The choices of a multiverse: conditions in every form, and faults reported together."""

import pandas as pd
import pytest

from analysis import (
    CohortError,
    Endpoint,
    InputError,
    clinical_cutpoints,
)
from tests.robustness.multiverse.test_multiverse import OS, cohort_of, run


def test_exclusions_as_query_values_and_function_agree():
    cohort = cohort_of()
    forms = {
        "query": "ecog == 2 or sex == 'm'",
        "values": {"ecog": [2], "sex": "m"},
        "function": lambda rows: (rows["ecog"] == 2) | (rows["sex"] == "m"),
        "array": lambda rows: ((rows["ecog"] == 2) | (rows["sex"] == "m")).to_numpy(),
        "nullable": lambda rows: (rows["ecog"] == 2).astype("boolean") | (rows["sex"] == "m"),
    }
    table = run(cohort, {"0.75": 0.75}, exclusions=forms).analyses
    assert (table["n_excluded"] == ((cohort["ecog"] == 2) | (cohort["sex"] == "m")).sum()).all()
    assert (table["hazard_ratio"] == table["hazard_ratio"][0]).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cutpoints": {}}, InputError, r"cutpoints: none given"),
        ({"cutpoints": {"x": [0.9, 0.8]}}, InputError, r"'x': cut-points: edges 0.9, 0.8 must increase"),
        ({"cutpoints": {"x": "low"}}, InputError, r"'x': cut-points: edges must be finite numbers"),
        ({"cutpoints": {"mayo": clinical_cutpoints("mayo")}}, CohortError, r"'mayo': cut 1.7 mg/dL: outside the range"),
        ({"endpoints": []}, InputError, r"endpoints: none given"),
        (
            {"endpoints": ["time", "event"]},
            InputError,
            r"endpoints: expected Endpoint\(duration, event\), got str, str",
        ),
        ({"endpoints": [OS, OS]}, InputError, r"endpoints: 'survival' given twice; each needs a name of its own"),
        ({"endpoints": Endpoint("tim", "event")}, CohortError, r"no column 'tim'; did you mean 'time'"),
        ({"adjustments": {"a": ["aeg"]}}, CohortError, r"no column 'aeg'; did you mean 'age'"),
        ({"adjustments": {"a": ["log(mg)"]}}, InputError, r"'a': adjust: 'log\(mg\)' holds the marker itself"),
        ({"exclusions": {"x": "mg > 1"}}, InputError, r"exclusion 'x': cannot be evaluated .* but the marker 'mg'"),
        ({"exclusions": {"x": "ecog =="}}, InputError, r"exclusion 'x': cannot be evaluated"),
        (
            {"exclusions": {"x": "age"}},
            InputError,
            r"exclusion 'x': cannot be evaluated .* True or False for every row",
        ),
        ({"exclusions": {"x": {"ecgo": 2}}}, InputError, r"exclusion 'x': no column 'ecgo'"),
        ({"exclusions": {"x": lambda rows: [True]}}, InputError, r"exclusion 'x': 1 answers for 150 rows"),
        ({"missing": "complete"}, InputError, r"missing='complete'; choose .*did you mean 'complete case'\?"),
        ({"missing": []}, InputError, r"missing: none given"),
        ({"contrast": "others"}, InputError, r"contrast='others'; choose 'rest' or 'next'"),
        ({"n_permutations": -1}, InputError, r"n_permutations=-1 must be a whole number of at least 0"),
        ({"seed": None}, InputError, r"seed=None must be a whole number"),
        ({"conf_level": 95}, InputError, r"did you mean 0.95"),
        ({"strata": "sight"}, CohortError, r"no column 'sight'; did you mean 'site'"),
    ],
)
def test_invalid_choices_raise(options, error, message):
    with pytest.raises(error, match=message):
        run(cohort_of(), options.pop("cutpoints", {"0.75": 0.75}), **options)


def test_all_faults_of_the_choices_at_once():
    with pytest.raises(InputError, match="missing") as caught:
        run(cohort_of(), {"a": [0.9, 0.8]}, adjustments={"m": ["mg"]}, missing="none", exclusions={"x": "mg < 1"})
    assert len(caught.value.problems) == 4


def test_a_fault_in_a_function_is_reported_and_what_no_condition_raises_is_not_caught():
    def failing(error: Exception) -> object:
        def condition(rows: pd.DataFrame) -> object:
            raise error

        return condition

    for error in (KeyError("ecgo"), TypeError("no number"), NameError("name 'ecgo'"), ZeroDivisionError("by zero")):
        with pytest.raises(InputError, match="exclusion 'x': cannot be evaluated"):
            run(cohort_of(), exclusions={"x": failing(error)})
    with pytest.raises(MemoryError, match="all of it"):
        run(cohort_of(), exclusions={"x": failing(MemoryError("all of it"))})
