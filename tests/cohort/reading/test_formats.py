"""Packed files are what is in them; what cannot be unpacked is named."""

import gzip
import zipfile

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


@pytest.mark.parametrize("name", ["cohort.tsv.gz", "cohort.gz", "cohort.txt.gz"])
def test_a_gzipped_file_is_what_is_in_it(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(lines(sep="\t").encode()))
    pd.testing.assert_frame_equal(read_cohort(path), PLAIN)


def zipped(folder, **files):
    with zipfile.ZipFile(folder / "cohort.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return folder / "cohort.zip"


def test_the_one_table_of_a_zip_is_read(tmp_path):
    pd.testing.assert_frame_equal(read_cohort(zipped(tmp_path, a_csv=lines(), readme_md="# About")), PLAIN)
    with pytest.raises(CohortError, match=r"2 of its files can be read here \('a.csv', 'b.tsv'\); unpack it"):
        read_cohort(zipped(tmp_path, a_csv=lines(), b_tsv=lines()))
    with pytest.raises(CohortError, match=r"0 of its files can be read here \('readme.md'\)"):
        read_cohort(zipped(tmp_path, readme_md="# About"))


@pytest.mark.parametrize("name", ["cohort.csv.gz", "cohort.zip"])
def test_what_cannot_be_unpacked_is_named(tmp_path, name):
    with pytest.raises(CohortError, match=rf"{name} cannot be unpacked"):
        read_cohort(text_file(tmp_path, "neither", name))
