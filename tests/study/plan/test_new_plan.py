"""A new plan: what was given to read the file stands in it, and what is proposed can be carried out."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import StudyPlan
from analysis.study.plan import new_plan
from analysis.study.prepare import prepare_study


def plan_of(folder, rows: str, **reading) -> StudyPlan:
    (folder / "x.csv").write_text(rows, encoding="utf-8")
    (folder / "plan.toml").write_text(new_plan(folder / "x.csv", folder=folder, **reading), encoding="utf-8")
    return StudyPlan.from_toml(folder / "plan.toml")


ROWS = "age,os_months,status,ecog\n" + "".join(
    f"{50 + 7 * row % 24},{1 + row},{'gone' if row % 2 else 'here'},{row % 3 if row else 9}\n" for row in range(24)
)


def test_codes_that_were_given_stand_in_the_plan_and_are_used(tmp_path):
    codes = {"status": {"gone": 1, "here": 0}}
    plan = plan_of(tmp_path, ROWS, missing={"ecog": [9]}, event_codes=codes)
    assert plan.data.missing == {"ecog": [9]}
    assert plan.data.event_codes == codes
    cohort = prepare_study(plan).cohort
    assert cohort["ecog"].isna().tolist() == [True] + [False] * 23
    assert cohort["status"].sum() == 12


def test_an_option_that_there_is_not_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text(ROWS, encoding="utf-8")
    with pytest.raises(TypeError, match="unexpected keyword argument 'mising'"):
        new_plan(tmp_path / "x.csv", mising=[9])


def test_words_that_are_not_known_are_read_as_missing_among_event_codes(tmp_path):
    rows = ROWS.replace("57,2,gone", "57,2,moved away")
    plan = plan_of(tmp_path, rows, event_codes={"status": {"gone": 1, "here": 0, "moved away": None}})
    assert '"moved away" = "missing"' in plan.text
    cohort = prepare_study(plan).cohort
    assert cohort["status"].isna().tolist() == [row == 1 for row in range(24)]


@pytest.mark.parametrize(
    ("spread", "per"), [(1.1, "0.5"), (2.3, "1"), (3.8, "1"), (4.1, "2"), (70, "20"), (0.011, "0.005")]
)
def test_the_step_is_1_2_or_5_within_half_a_standard_deviation(tmp_path, spread, per):
    values = pd.Series([-1.0, 1.0] * 12) + pd.Series(range(24)) * 1e-6
    values = 100 + values / values.std() * spread
    rows = pd.DataFrame({"ldh": values, "os_months": range(1, 25), "status": [0, 1] * 12})
    plan = plan_of(tmp_path, rows.to_csv(index=False))
    assert plan.marker.per == float(per)


def test_a_small_file_has_a_marker(tmp_path):
    rows = "ldh,os_months,status\n" + "".join(f"{100 + 9 * (row % 7)},{row + 1},{row % 2}\n" for row in range(14))
    assert plan_of(tmp_path, rows).marker.column == "ldh"


def test_magnesium_beyond_any_unit_does_not_stop_a_plan_from_being_written(tmp_path):
    rows = "magnesium_mmol,os_months,status\n" + "".join(f"{1.7 + row / 50},{row + 1},{row % 2}\n" for row in range(14))
    assert plan_of(tmp_path, rows).marker.column == "magnesium_mmol"
