"""Text in other encodings is shown under each of them, and never guessed."""

import pandas as pd
import pytest

from analysis import CohortError, read_cohort
from tests.cohort.reading.made_files import text_file

PLAIN = pd.DataFrame({"patient": ["P1", "P2", "P3"], "magnesium": [0.82, 0.71, 0.9], "os_months": [12.5, 30.0, 8.4]})
ROWS = [tuple(row) for row in PLAIN.itertuples(index=False)]


NUMBERED = [(place, *row) for place, row in zip((3, 7, 9), ROWS, strict=True)]


def same(path, **options):
    pd.testing.assert_frame_equal(read_cohort(path, **options), PLAIN)


def lines(*above, sep=",", below=(), rows=ROWS, names=PLAIN.columns):
    body = [sep.join(map(str, row)) for row in [tuple(names), *rows]]
    return "\n".join([*above, *body, *below]) + "\n"


WORDS = {
    "cp1252": "männlich",
    "cp1250": "muž, žena, český",
    "mac_roman": "männlich",
    "cp932": "東京都の患者",
    "gb18030": "北京的病人",
    "utf-16": "männlich",
}


@pytest.mark.parametrize("encoding", [encoding for encoding in WORDS if encoding != "utf-16"])
def test_other_code_pages_are_shown_and_never_guessed(tmp_path, encoding):
    path = text_file(tmp_path, f"id\tword\n1\t{WORDS[encoding]}\n", "x.tsv", encoding)
    with pytest.raises(CohortError, match=r"is not UTF-8 \(byte 0x.. in line 2\); read it with the encoding") as caught:
        read_cohort(path)
    shown = [part for part in str(caught.value).split("; ") if f'encoding="{encoding}"' in part]
    assert len(shown) == 1
    assert WORDS[encoding] in shown[0]
    assert str(caught.value).count("encoding=") >= 4
    assert read_cohort(path, encoding=encoding)["word"].tolist() == [WORDS[encoding]]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_mark_says_the_encoding(tmp_path, encoding):
    pd.testing.assert_frame_equal(read_cohort(text_file(tmp_path, lines(sep="\t"), "x.txt", encoding)), PLAIN)


def test_utf_16_without_a_mark_is_no_text_in_utf_8(tmp_path):
    path = text_file(tmp_path, lines(), encoding="utf-16-le")
    with pytest.raises(CohortError, match=r"bytes of 0.*encoding=\"utf-16\" \(Unicode text of Excel\): 'patient,"):
        read_cohort(path)


def test_an_encoding_that_does_not_fit_shows_the_others(tmp_path):
    path = text_file(tmp_path, "id,sex\n1,Männlich\n", encoding="cp1252")
    with pytest.raises(CohortError, match=r"is not ascii \(byte 0xe4 in line 2\); .*encoding=\"cp1252\".*'1,Männlich'"):
        read_cohort(path, encoding="ascii")
