"""The lines of comments that begin a file of a cBioPortal study become labels."""

import pandas as pd
import pytest

from analysis import SuspiciousValues, read_cohort
from tests.cohort.reading.made_files import text_file

PLAIN = pd.DataFrame({"patient": ["P1", "P2", "P3"], "magnesium": [0.82, 0.71, 0.9], "os_months": [12.5, 30.0, 8.4]})
ROWS = [tuple(row) for row in PLAIN.itertuples(index=False)]


NUMBERED = [(place, *row) for place, row in zip((3, 7, 9), ROWS, strict=True)]


def same(path, **options):
    pd.testing.assert_frame_equal(read_cohort(path, **options), PLAIN)


def lines(*above, sep=",", below=(), rows=ROWS, names=PLAIN.columns):
    body = [sep.join(map(str, row)) for row in [tuple(names), *rows]]
    return "\n".join([*above, *body, *below]) + "\n"


STUDY = ["#Patient\tMagnesium\tOverall survival (months)", "#Who\tSerum, mmol/L\tFrom diagnosis"]
STUDY += ["#STRING\tNUMBER\tNUMBER", "#1\t1\t1"]


def test_the_four_lines_of_a_cbioportal_study_become_labels(tmp_path):
    path = text_file(tmp_path, lines(*STUDY, sep="\t"), "data_clinical_patient.txt")
    with pytest.warns(SuspiciousValues, match="4 comment lines before the header left out"):
        pd.testing.assert_frame_equal(read_cohort(path), PLAIN)
    with pytest.warns(SuspiciousValues):
        labels = read_cohort(path).attrs["labels"]
    assert labels == {"patient": "Who", "magnesium": "Serum, mmol/L", "os_months": "From diagnosis"}
