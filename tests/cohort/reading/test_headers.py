"""Lines and names as people have them, each invented with its traps: the cohort is that of the same rows alone."""

import pandas as pd
import pytest

from analysis import CohortError, InputError, SuspiciousValues, read_cohort
from tests.cohort.reading.made_files import text_file

PLAIN = pd.DataFrame({"patient": ["P1", "P2", "P3"], "magnesium": [0.82, 0.71, 0.9], "os_months": [12.5, 30.0, 8.4]})
ROWS = [tuple(row) for row in PLAIN.itertuples(index=False)]


NUMBERED = [(place, *row) for place, row in zip((3, 7, 9), ROWS, strict=True)]


def same(path, **options):
    pd.testing.assert_frame_equal(read_cohort(path, **options), PLAIN)


def lines(*above, sep=",", below=(), rows=ROWS, names=PLAIN.columns):
    body = [sep.join(map(str, row)) for row in [tuple(names), *rows]]
    return "\n".join([*above, *body, *below]) + "\n"


@pytest.mark.parametrize(
    ("text", "options", "note"),
    [
        (lines("Magnesium study: export of 2024", ""), {}, r"row 3 is read as the header; above it 'Magnesium study"),
        (lines("Magnesium study,,", ",,"), {}, r"row 3 is read as the header"),
        (lines("Magnesium, by year", ""), {"header": 3}, ""),
        (
            lines(names=PLAIN.columns, rows=[("", "mmol/L", "months"), *ROWS]),
            {},
            r"row 2 holds units \(mmol/L, mon",
        ),
        (lines(names=PLAIN.columns, rows=[("x", "in blood", "long"), *ROWS]), {"skip": [2]}, ""),
        (lines(below=["mean,0.81,16.97", "SD,0.1,11.5"]), {"skip": [5, 6]}, ""),
        (lines("sep=;", sep=";"), {}, ""),
        (
            '"","patient","magnesium","os_months"\n"3","P1",0.82,12.5\n"7","P2",0.71,30\n"9","P3",0.9,8.4\n',
            {},
            "numbers of",
        ),
        ("patient magnesium os_months\n3 P1 0.82 12.5\n7 P2 0.71 30\n9 P3 0.9 8.4\n", {}, "numbers of rows in a first"),
        (
            lines(sep="\t", rows=NUMBERED),
            {},
            "numbers of rows",
        ),
        (lines(rows=NUMBERED), {}, "numbers of rows"),
    ],
)
def test_lines_that_are_no_patients_are_left_out(tmp_path, text, options, note):
    path = text_file(tmp_path, text, "cohort.txt")
    if not note:
        same(path, **options)
        return
    with pytest.warns(SuspiciousValues, match=note):
        same(path, **options)


def test_names_of_rows_that_are_more_than_numbers_are_kept(tmp_path):
    text = '"magnesium","os_months"\n"P1",0.82,12.5\n"P2",0.71,30\n"P3",0.9,8.4\n'
    with pytest.warns(SuspiciousValues, match="first column has no name and is read as 'rownames'"):
        cohort = read_cohort(text_file(tmp_path, text))
    pd.testing.assert_frame_equal(cohort.rename(columns={"rownames": "patient"}), PLAIN)


@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [
        (
            lines("Magnesium, by year", ""),
            {},
            CohortError,
            r"has 2 fields.*; row 3 looks like the header: .*header=3",
        ),
        (lines(), {"header": 9}, InputError, r"no row 9 that holds anything"),
        (lines(), {"skip": [2, 12]}, InputError, r"no row 12 that holds"),
        (lines(), {"header": 0}, InputError, r"header counts rows as a spreadsheet does, from 1; got 0"),
        (lines(), {"skip": [True]}, InputError, r"skip counts rows"),
        (",patient\nx,P1\nx,P2\n", {}, CohortError, r"column 1 has no name"),
        ("patient,mg\n1,0,82\n2,0,75\n", {}, CohortError, r"are there decimal commas\?"),
    ],
)
def test_a_header_that_is_not_found_is_asked_for(tmp_path, text, options, error, message):
    with pytest.raises(error, match=message):
        read_cohort(text_file(tmp_path, text), **options)


def test_copies_of_a_name_are_numbered_so_that_none_is_taken_for_another(tmp_path):
    text = "id,Complete?,meds___1,Complete?\n1,2,0,1\n2,2,1,0\n"
    with pytest.warns(SuspiciousValues, match=r"'Complete\?' names more than one column; they are read as 'Comp"):
        cohort = read_cohort(text_file(tmp_path, text))
    assert cohort.columns.tolist() == ["id", "Complete? (1)", "meds___1", "Complete? (2)"]
    assert cohort["Complete? (2)"].tolist() == [1, 0]


def test_rows_are_called_as_a_spreadsheet_calls_them(tmp_path):
    text = "Magnesium study\n\nid,os_months,dead\n1,5,1\n\n2,lost,0\n3,700,1\n"
    path = text_file(tmp_path, text)
    with pytest.raises(CohortError, match=r"'lost' is no number, in 1 row \(6 of the file\)"):
        read_cohort(path, numbers=["os_months"])
