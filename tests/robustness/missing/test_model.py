"""The imputation model: columns on the scale on which they are drawn and back, and the hazards that predict them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import Endpoint, InputError, cox_residuals, fit_cox, impute_cohort
from analysis.robustness.missing.model import expected_events, hazard_at, read_columns, read_rows
from analysis.survival.rows import survival_data
from tests.robustness.missing.test_imputation import OS, cohort_of


def test_columns_are_drawn_on_their_scale_and_come_back_in_their_own_type():
    rows = pd.DataFrame(
        {
            "mg": [0.7, np.nan, 0.9, 0.8],
            "crp": [1.0, 8.0, np.nan, 2.0],
            "sex": [0.0, 1.0, np.nan, 1.0],
            "site": pd.Categorical(["b", None, "a", "c"], categories=["b", "a", "c"]),
        }
    )
    number, logarithm, indicator, category = read_columns(rows, ["mg", "log2(crp)", "sex", "site"])
    assert [c.kind for c in (number, logarithm, indicator, category)] == ["number", "logarithm", "0/1", "category"]
    assert_allclose(logarithm.drawn[:, 0], np.log([1, 8, np.nan, 2]))
    assert_allclose(category.drawn, [[0, 0], [np.nan, np.nan], [1, 0], [0, 1]])
    draws, position = np.array([[5.0], [np.log(4)], [np.log(3)]]), np.array([0, 1, 2])
    assert number.completed(rows["mg"], draws, position, 0.5).tolist() == [0.7, np.log(4) + 0.5, 0.9, 0.8]
    assert_allclose(logarithm.completed(rows["crp"], draws, position, 0.5), [1, 8, 3.5, 2])  # delta in its own unit
    assert indicator.completed(rows["sex"], np.ones((3, 1)), position).tolist() == [0, 1, 1, 1]
    filled = category.completed(rows["site"], np.array([[0, 0], [0.0, 1.0], [1, 0]]), position)
    assert (filled.tolist(), filled.dtype) == (["b", "c", "a", "c"], rows["site"].dtype)


def test_rows_that_are_not_used_stay_missing():
    rows = pd.DataFrame({"mg": [0.7, np.nan, np.nan, 0.9]})
    (column,) = read_columns(rows, ["mg"])
    filled = column.completed(rows["mg"], np.array([[0.7], [0.6]]), np.array([0, 2]))
    assert_allclose(filled, [0.7, np.nan, 0.6, 0.9])


def test_nelson_aalen_by_hand():
    rows = pd.DataFrame({"time": [1.0, 2, 2, 3], "event": [1, 1, 0, 1], "entry": [0.0, 0.5, 0, 1.5]})
    assert_allclose(hazard_at(survival_data(rows, OS)), [1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3 + 1])
    late = hazard_at(survival_data(rows, Endpoint("time", "event", entry="entry")))
    assert_allclose(late, [1 / 3, 1 / 3 + 1 / 3, 1 / 3 + 1 / 3, 1 / 3 + 1])  # the last row came after the first event


def test_hazards_within_strata():
    cohort = cohort_of()
    data = survival_data(cohort, OS, strata="arm")
    hazard, expected = hazard_at(data), expected_events(data, cohort[["age", "sex"]].to_numpy())[:, 0]
    for arm, part in cohort.groupby("arm"):
        assert_allclose(hazard[cohort["arm"] == arm], hazard_at(survival_data(part, OS)))
    fit = fit_cox(cohort, OS, "age + sex", strata="arm")
    residual = cox_residuals(fit, "martingale")["residual"]
    assert_allclose(expected, cohort["event"] - residual, rtol=1e-7)
    constant = np.column_stack([cohort[["age", "sex"]], cohort["arm"] == "new"])  # within strata, as the strata are
    assert_allclose(expected_events(data, constant)[:, 0], expected)
    twice = cohort[["age", "age"]].to_numpy()
    assert expected_events(data, twice).shape == expected_events(data, twice[:, :0]).shape == (300, 0)


def test_a_further_outcome_predicts_by_its_event_and_its_hazards():
    cohort = cohort_of().assign(late=lambda rows: rows["time"] + 1, died=lambda rows: (rows["age"] > 60) * 1)
    other = Endpoint("late", "died")
    columns = read_columns(cohort, ["mg"])
    alone, both = (read_rows(cohort, OS, columns, ["age", "arm"], ["arm"], others) for others in ((), (other,)))
    assert both.x.shape[1] == alone.x.shape[1] + 3
    rows = cohort.iloc[both.position]
    data = survival_data(rows, other, strata="arm")
    assert_allclose(both.x[:, -3:-1], np.column_stack([rows["died"], hazard_at(data)]))
    residual = cox_residuals(fit_cox(rows, other, "age", strata="arm"), "martingale")["residual"].to_numpy()
    assert_allclose(both.x[:, -1], rows["died"] - residual, rtol=1e-6, atol=1e-9)
    found = impute_cohort(cohort, OS, "mg", predictors="age", other_endpoints=other, n_imputations=25, seed=1)
    assert found.other_endpoints == (other,)
    assert not found.cohorts[0]["mg"].equals(
        impute_cohort(cohort, OS, "mg", predictors="age", n_imputations=25, seed=1).cohorts[0]["mg"]
    )
    cohort.loc[[3, 4], "died"] = np.nan
    with pytest.raises(InputError, match=r"other_endpoints: 'died' is missing in 2 rows with a known 'event'"):
        impute_cohort(cohort, OS, "mg", predictors="age", other_endpoints=other, n_imputations=25, seed=1)
