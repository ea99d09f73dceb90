"""Codes of events mapped by column, and codes of missing values set missing."""

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CohortError,
    InputError,
    SuspiciousValues,
    read_cohort,
)
from tests import reference
from tests.cohort.reading.made_files import text_file


@pytest.mark.parametrize(
    ("cells", "codes", "expected"),
    [
        (["1", "2", "2"], {1: 0, 2: 1}, [0, 1, 1]),
        (["1", "2", "2"], {"1": 0, "2": 1}, [0, 1, 1]),
        (["0", "1", "1"], {0: 1, 1: 0}, [1, 0, 0]),
        (["0", "1", "1"], {"0": 0, "1": 1}, [0, 1, 1]),
        (["1.0", "2.0", "2.0"], {1: False, 2: True}, [0, 1, 1]),
        (["dead", "alive", "dead"], {"dead": 1, "alive": 0}, [1, 0, 1]),
        (["dead ", "alive", "dead"], {"dead": 1, "alive": 0}, [1, 0, 1]),
        (["dead", "alive", "NA"], {"dead": 1, "alive": 0}, [1, 0, None]),
        (["TRUE", "FALSE", "TRUE"], {True: 1, False: 0}, [1, 0, 1]),
        (["2", "2", "2"], {1: 0, 2: 1}, [1, 1, 1]),
        (["lost", "dead", "relapse"], {"status": {"lost": 0, "relapse": 1, "dead": 2}}, [0, 2, 1]),
        (["1", "2", "2"], {"status": {1: 0, 2: 1}}, [0, 1, 1]),
    ],
)
def test_event_codes_map_what_they_name(tmp_path, cells, codes, expected):
    rows = "\n".join(f"P{place},{place + 5},{cell}" for place, cell in enumerate(cells))
    column = read_cohort(text_file(tmp_path, f"id,months,status\n{rows}\n"), event_codes=codes)["status"]
    assert column.dtype == ("float64" if None in expected else "int64")
    assert column.replace({np.nan: None}).tolist() == expected


def test_a_flat_mapping_finds_the_event_among_columns_with_the_same_codes(tmp_path):
    lung = read_cohort(reference.FOLDER / "lung.csv", event_codes={1: 0, 2: 1})
    assert lung["status"].tolist() == reference.rows("lung")["event"].tolist()
    assert set(lung["sex"]) == {1, 2}


def test_a_flat_mapping_takes_every_event_column_that_holds_its_codes(tmp_path):
    text = "id,os_status,pfs_status,grade\n1,1,2,1\n2,2,1,2\n"
    cohort = read_cohort(text_file(tmp_path, text), event_codes={1: 0, 2: 1})
    assert cohort[["os_status", "pfs_status", "grade"]].to_numpy().tolist() == [[0, 1, 1], [1, 0, 2]]


@pytest.mark.parametrize(
    ("text", "codes", "message"),
    [
        (
            "id,a,b\n1,1,2\n2,2,1\n",
            {1: 0, 2: 1},
            r"columns 'id', 'a', 'b' all hold the codes 1, 2; say which .*event_codes=\{'id': \{1: 0, 2: 1\}\}",
        ),
        (
            "id,status\n7,0\n8,3\n",
            {1: 0, 2: 1},
            r"no event column holds just the codes 1, 2: 'status' holds 0, 3; say which",
        ),
        (
            "id,status\n7,1\n8,3\n",
            {"status": {1: 0, 2: 1}},
            r"column 'status' holds '3' in 1 rows; give every value a code",
        ),
        ("id,status\n7,1\n8,3\n", {"statsu": {1: 0}}, r"event_codes: no column 'statsu'; did you mean 'status'\?"),
        ("id,status\n7,1\n8,2\n", {"status": {1: 0, 2: "dead"}}, r"'dead': map to 0 \(censored\) and 1 \(event\)"),
        ("id,status\n7,1\n8,2\n", {1: 0, 2: -1}, r"-1: map to 0"),
        ("id,status\n7,1\n8,2\n", {}, None),
        (
            "sex,dead\n1,0\n2,1\n",
            {1: 0, 2: 1},
            r"no event column holds just the codes 1, 2: 'dead' holds 0, 1; say which",
        ),
        ("id,x\n7,1\n8,2\n", {"a": 0, "b": 1}, r"no column holds just the codes 'a', 'b'; columns: id, x"),
        ("id,status\n7,1\n8,2\n", {"status": {1: 0}, 2: 1}, r"give \{code: 0 or 1\}, or \{column: \{code: 0 or 1\}\}"),
        ("id,status\n7,Dead\n8,alive\n", {"status": {"dead": 1, "alive": 0}}, r"holds 'Dead' in 1 rows"),
    ],
)
def test_event_codes_that_do_not_fit_say_why(tmp_path, text, codes, message):
    path = text_file(tmp_path, text)
    if message is None:
        assert read_cohort(path, event_codes=codes)["status"].tolist() == [1, 2]
        return
    with pytest.raises(CohortError, match=message):
        read_cohort(path, event_codes=codes)


def ecog_file(folder):
    path = folder / "ecog.csv"
    columns = {"ecog": [0, 1, 9, 2, 1, 9], "os_months": [9, 30.5, 4, 9.0, 12, 7], "death": [1, 0, 1, 1, 0, 1]}
    pd.DataFrame({"who": list("abcdef")} | columns).to_csv(path, index=False)
    return path


def test_a_code_is_missing_in_its_own_column_only(tmp_path):
    with pytest.warns(SuspiciousValues, match=r"column 'ecog': 9 lies far .*missing=\{'ecog': \[9\]\}"):
        read_cohort(ecog_file(tmp_path))
    with pytest.warns(SuspiciousValues) as caught:
        cohort = read_cohort(ecog_file(tmp_path), missing={"ecog": [9]})
    assert cohort.isna().sum().to_dict() == {"who": 0, "ecog": 2, "os_months": 0, "death": 0}
    assert [str(one.message) for one in caught] == ["codes of a missing value set missing in column 'ecog' (2 rows)"]


def test_a_code_in_every_column_is_counted_and_times_and_events_are_named(tmp_path):
    with pytest.warns(SuspiciousValues) as caught:
        read_cohort(ecog_file(tmp_path), missing=[9])
    assert [str(one.message) for one in caught] == [
        "codes of a missing value set missing in column 'ecog' (2 rows), 'os_months' (2 rows); 'os_months' holds a time"
        " or an event: where the code is a value there, name the columns that hold codes, as in missing={'ecog': [9]}"
    ]
    with pytest.warns(SuspiciousValues) as caught:
        read_cohort(ecog_file(tmp_path), missing=[0, 9])
    assert "'os_months', 'death' holds a time or an event" in str(caught[0].message)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (-9, r"missing=-9: give a list, missing=\[-9\], or .* missing=\{'column': \[-9\]\}"),
        ("-9", r"missing=\"-9\": give a list, missing=\['-9'\]"),
        ({"ecog": 9}, r"missing=\{'ecog': 9\}: give a list, .* missing=\{'column': \[9\]\}"),
        ([True], "missing holds True; each code is text or a number"),
        ({"ecog": [None]}, "missing holds None; each code is text or a number"),
        ({"ecgo": [9]}, r"missing: no column 'ecgo'.*'ecog'"),
    ],
)
def test_codes_that_are_no_list_and_columns_that_are_not_there_are_refused(tmp_path, missing, message):
    with pytest.raises(InputError, match=message):
        read_cohort(ecog_file(tmp_path), missing=missing)


@pytest.mark.parametrize("word", ["[Not Available]", "[Unknown]", "Not reported", "--", "Blank(s)", "UNKNOWN", "n.d."])
def test_words_for_missing_are_no_category(tmp_path, word):
    races = ["WHITE", word, "ASIAN", word, "WHITE"]
    pd.DataFrame({"x": [1.5, 2, 3, 4, 5], "race": races}).to_csv(tmp_path / "x.csv", index=False)
    with pytest.warns(SuspiciousValues, match="column 'race': .* reads as missing, in 2 rows; .*missing="):
        read_cohort(tmp_path / "x.csv")
    with pytest.warns(SuspiciousValues, match=r"set missing in column 'race' \(2 rows\)$"):
        read = read_cohort(tmp_path / "x.csv", missing=[word])
    assert read["race"].isna().tolist() == [False, True, False, True, False]


def test_a_label_of_missing_among_event_codes_is_answered_by_missing(tmp_path):
    pd.DataFrame({"x": range(4), "status": ["Dead", "Alive", "[Unknown]", "Dead"]}).to_csv(
        tmp_path / "x.csv", index=False
    )
    codes = {"status": {"Dead": 1, "Alive": 0}}
    with pytest.raises(CohortError, match=r"'\[Unknown\]' in 1 rows; .* missing=\{'status': \['\[Unknown\]'\]\}"):
        read_cohort(tmp_path / "x.csv", event_codes=codes)
    with pytest.warns(SuspiciousValues, match=r"set missing in column 'status' \(1 row\)$"):
        read = read_cohort(tmp_path / "x.csv", event_codes=codes, missing=["[Unknown]"])
    assert read["status"].isna().tolist() == [False, False, True, False]
