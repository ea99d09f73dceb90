"""Conditions on rows: what is met, by hand, and that nothing but a comparison is read."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest

from analysis import PlanError
from analysis.study.plan.conditions import rows_meeting

CELLS = pd.DataFrame(
    {
        "PARAMCD": ["OS", " PFS ", "OS", None, "TTP"],
        "visit no": ["1", "02", "3.0", "4", "NA"],
        "AGE": [61, 70, None, 48, 55],
        "day": [datetime.date(2020, 1, day) for day in (1, 2, 3, 4, 5)],
    }
)


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("PARAMCD == 'OS'", [0, 2]),
        ('PARAMCD == "PFS"', [1]),
        ("PARAMCD != 'OS'", [1, 4]),
        ("PARAMCD in ['OS', 'TTP']", [0, 2, 4]),
        ("PARAMCD not in ['OS', 'TTP']", [1]),
        ("`visit no` >= 2", [1, 2, 3]),
        ("`visit no` == 3", [2]),
        ("AGE > 50 and PARAMCD == 'OS'", [0]),
        ("AGE > 60 or PARAMCD == 'TTP'", [0, 1, 4]),
        ("not (AGE > 60)", [2, 3, 4]),
        ("AGE == -61", []),
        ("day >= '2020-01-04'", [3, 4]),
        ("PARAMCD == 'and ` or'", []),
    ],
)
def test_rows_that_meet_a_condition(condition, rows):
    met = rows_meeting(CELLS, condition, key="[data] where")
    assert [row for row, keep in enumerate(met) if keep] == rows


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("PARAMCD = 'OS'", "cannot be read; compare columns"),
        ("PARAMCD == OS", "'OS' is no value: text stands between quotes"),
        ("PARMCD == 'OS'", "no column 'PARMCD'; did you mean 'PARAMCD'"),
        ("'OS' == PARAMCD", "is no column: write the column first"),
        ("__import__('os').system('true') == 0", "is no column"),
        ("AGE.max() > 3", "is no column"),
        ("open('x')", "is no comparison"),
        ("AGE > (lambda: 3)()", "is no value"),
        ("40 < AGE < 50", "is no comparison"),
        ("AGE + 1 > 50", "is no column"),
        ("", "cannot be read"),
    ],
)
def test_anything_else_is_refused_with_the_grammar(condition, reason):
    with pytest.raises(PlanError, match=r"^\[data\] where = ") as refused:
        rows_meeting(CELLS, condition, key="[data] where")
    assert reason in str(refused.value)
    assert "compare columns with values by ==" in str(refused.value)
