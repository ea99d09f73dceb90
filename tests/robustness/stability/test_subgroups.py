"""Hazard ratios in subgroups and their interaction tests against R, and by properties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CohortError,
    Endpoint,
    FewEvents,
    InputError,
    NotEstimable,
    RowsDropped,
    Separation,
    fit_cox,
    subgroup_effects,
)
from tests.reference import rows

VETERAN, LUNG = Endpoint("time", "status"), Endpoint("time", "event")


def test_veteran_by_cell_type_as_in_r():
    # R 4.2.2, survival 3.5-3: coxph(Surv(time, status) ~ karno:strata(celltype) + age), against karno + age +
    # strata(celltype)
    found = subgroup_effects(rows("veteran"), VETERAN, "karno", subgroups="celltype", adjust="age")
    levels = found[found["subgroup"] == "celltype"].set_index("level")
    expected = {
        "squamous": (-0.0381519400663, 0.0109911416169),
        "smallcell": (-0.0232576534182, 0.0094772406455),
        "adeno": (-0.0472108926345, 0.0112499273749),
        "large": (-0.0491507074549, 0.0157976987666),
    }
    for label, (coef, error) in expected.items():
        row = levels.loc[label]
        assert np.log(row["hazard_ratio"]) == pytest.approx(coef, rel=1e-7)
        width = np.log(row["conf_high"] / row["conf_low"]) / (2 * 1.959963984540054)
        assert width == pytest.approx(error, rel=1e-7)
    assert levels["interaction_statistic"].unique() == pytest.approx([3.6644784106], rel=1e-8)
    assert levels["interaction_df"].unique().tolist() == [3]


def test_lung_by_sex_as_in_r():
    # R: coxph(Surv(time, status) ~ age:strata(sex) + ph.ecog, lung); one row misses ph.ecog
    with pytest.warns(RowsDropped, match="1 of 228 rows dropped: 1 for missing ph_ecog"):
        found = subgroup_effects(rows("lung"), LUNG, "age", subgroups=["sex"], adjust=["ph_ecog"])
    by_sex = found[found["subgroup"] == "sex"]
    np.testing.assert_allclose(np.log(by_sex["hazard_ratio"]), [0.0182723366018, -0.0040655408478], rtol=1e-7)
    assert by_sex["interaction_statistic"].iloc[0] == pytest.approx(1.3465446146, rel=1e-8)
    assert by_sex["n"].sum() == 227


def test_everybody_comes_first_and_is_the_plain_model():
    found = subgroup_effects(rows("veteran"), VETERAN, "karno", subgroups=["trt", "prior"], adjust=["age"])
    assert found["subgroup"].tolist() == ["all", "trt", "trt", "prior", "prior"]
    fit = fit_cox(rows("veteran"), VETERAN, ["karno", "age"])
    assert np.log(found["hazard_ratio"].iloc[0]) == pytest.approx(fit.coef[0], rel=1e-7)
    assert found["interaction_p_value"].isna().tolist() == [True, False, False, False, False]


def test_without_adjustment_each_level_is_a_model_of_its_own_rows():
    veteran = rows("veteran")
    found = subgroup_effects(veteran, VETERAN, "karno", subgroups=["trt"])
    for label in (1, 2):
        alone = fit_cox(veteran[veteran["trt"] == label], VETERAN, ["karno"])
        row = found[found["level"] == str(label)].iloc[0]
        assert np.log(row["hazard_ratio"]) == pytest.approx(alone.coef[0], rel=1e-8)
        assert (row["n"], row["n_event"]) == (alone.n, alone.n_event)


def test_a_subgroup_that_is_adjusted_for_or_a_stratum_takes_its_own_place():
    veteran = rows("veteran")
    plain = subgroup_effects(veteran, VETERAN, "karno", subgroups=["trt"], adjust=["age"])
    adjusted = subgroup_effects(veteran, VETERAN, "karno", subgroups=["trt"], adjust=["age", "C(trt)"])
    stratified = subgroup_effects(veteran, VETERAN, "karno", subgroups=["trt"], adjust=["age"], strata=["trt"])
    for other in (adjusted, stratified):
        pd.testing.assert_frame_equal(other.iloc[1:], plain.iloc[1:])


def test_order_of_levels_and_rows_and_the_input():
    veteran = rows("veteran")
    kinds = ["squamous", "smallcell", "adeno", "large"]
    veteran["celltype"] = pd.Categorical(veteran["celltype"], categories=[*kinds, "unused"], ordered=True)
    before = veteran.copy()
    found = subgroup_effects(veteran, VETERAN, "karno", subgroups=["celltype"])
    assert found["level"].tolist() == ["all", *kinds]
    shuffled = subgroup_effects(veteran.sample(frac=1, random_state=2), VETERAN, "karno", subgroups=["celltype"])
    pd.testing.assert_frame_equal(shuffled, found, rtol=1e-10)
    pd.testing.assert_frame_equal(veteran, before)


def test_a_level_without_events_is_not_shown_as_a_number():
    veteran = rows("veteran")
    veteran.loc[veteran["celltype"] == "adeno", "status"] = 0
    with pytest.warns(FewEvents, match="where it is adeno"):
        found = subgroup_effects(veteran, VETERAN, "karno", subgroups=["celltype"]).set_index("level")
    assert found.loc["adeno", ["hazard_ratio", "conf_low", "conf_high"]].isna().all()
    without = subgroup_effects(veteran[veteran["celltype"] != "adeno"], VETERAN, "karno", subgroups=["celltype"])
    columns = ["hazard_ratio", "interaction_statistic", "interaction_df"]
    np.testing.assert_allclose(
        found.drop(index=["all", "adeno"])[columns], without.set_index("level").drop(index="all")[columns], rtol=1e-8
    )


def test_separation_within_a_level_is_a_warning():
    cohort = pd.DataFrame(
        {
            "time": [*np.arange(1.0, 13), *np.arange(1.5, 13)],
            "event": 1,
            "group": ["a"] * 12 + ["b"] * 12,
            "x": [1] * 6 + [0] * 6 + [0, 1] * 6,
        }
    )
    with pytest.warns(Separation, match="x where group is a"):
        found = subgroup_effects(cohort, Endpoint("time", "event"), "x", subgroups=["group"])
    row = found[found["level"] == "a"].iloc[0]
    assert np.isnan(row["hazard_ratio"])
    assert row["conf_low"] > 1


def test_rows_that_miss_their_group_are_counted():
    veteran = rows("veteran")
    veteran["celltype"] = veteran["celltype"].where(veteran.index > 2)
    with pytest.warns(RowsDropped, match="3 for missing celltype"):
        found = subgroup_effects(veteran, VETERAN, "karno", subgroups=["trt", "celltype"])
    assert found.groupby("subgroup")["n"].sum().to_dict() == {"all": 137, "trt": 137, "celltype": 134}


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"subgroups": []}, InputError, "none given"),
        ({"subgroups": ["trt", "trt"]}, InputError, "named twice"),
        ({"subgroups": ["karno"]}, InputError, "is the marker itself"),
        ({"subgroups": ["status"]}, InputError, "is the outcome itself"),
        ({"subgroups": ["cell"]}, InputError, "no column 'cell'"),
        ({"subgroups": ["age"]}, CohortError, "a measurement, not groups"),
        ({"subgroups": ["one"]}, NotEstimable, "holds one level only"),
        ({"subgroups": ["trt"], "conf_level": 0}, InputError, "conf_level"),
    ],
)
def test_invalid_arguments_raise(options, error, words):
    with pytest.raises(error, match=words):
        subgroup_effects(rows("veteran").assign(one=1), VETERAN, "karno", **options)
