"""The committed files are what the code writes, and each says what it is."""

import json
import re

import pytest

from analysis import InputError, simulate_cohort
from analysis.cohort.reading.examples import synthetic_folder
from analysis.cohort.synthetic.design import ADJUSTMENT, DEFAULT_DESIGN
from analysis.study.synthetic_data.write import SEED, read_truth, table_text, truth_text, write_synthetic
from analysis.truth.estimands import true_estimands

FOLDER = synthetic_folder()


def committed(name):
    """A committed file, byte for byte."""
    return (FOLDER / name).read_bytes()


@pytest.fixture(scope="module")
def simulated():
    return simulate_cohort(DEFAULT_DESIGN, seed=SEED)


@pytest.mark.parametrize(("name", "part"), [("cohort.csv", "cohort"), ("magnesium_labs.csv", "labs")])
def test_the_tables_are_written_again_byte_for_byte(simulated, name, part):
    assert table_text(getattr(simulated, part)).encode("utf-8") == committed(name)


def test_the_truth_is_written_again_byte_for_byte_once_read():
    assert truth_text(read_truth(FOLDER / "truth.json")).encode("utf-8") == committed("truth.json")


def test_the_committed_truth_is_that_of_a_smaller_run_within_its_error():
    """A fiftieth of the patients, another seed: the whole run is the command `python -m analysis simulate`."""
    full = read_truth(FOLDER / "truth.json").log_hazard_ratios.set_index(["endpoint", "target"])
    part = true_estimands(DEFAULT_DESIGN, n=20_000, seed=2).log_hazard_ratios.set_index(["endpoint", "target"])
    assert part.index.equals(full.index)
    distance = (part["log_hazard_ratio"] - full["log_hazard_ratio"]).abs()
    assert (distance <= 4 * (part["std_error"] + full["std_error"]) + 1e-5).all()


def test_everything_is_written_twice_alike(tmp_path):
    first, again = (write_synthetic(tmp_path / name, n=2000) for name in ("a", "b"))
    names = ["cohort.csv", "magnesium_labs.csv", "truth.json", "datapackage.json", "README.md"]
    assert [path.name for path in first] == names
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert b"\r" not in one.read_bytes()
    assert (tmp_path / "a" / "cohort.csv").read_bytes() == committed("cohort.csv")


def test_the_truth_says_what_it_is():
    held = json.loads(committed("truth.json"))
    assert "not evidence" in held["note"]
    assert (held["n"], held["seed"]) == (1_000_000, SEED)
    assert held["adjustment"] == list(ADJUSTMENT)
    assert held["adjustment_strata"] == ["treatment"]
    named = held["targets"]
    patterns = [re.compile(re.escape(name).replace(r"\.\.\.", ".+")) for name in named]
    for _, target, *_ in held["log_hazard_ratios"][1:]:
        assert any(pattern.fullmatch(target) for pattern in patterns), target
    for frame in ("log_hazard_ratios", "curves", "restricted_means"):
        for column in held[frame][0]:
            assert column in named or column.removeprefix("standardised_") in {
                *named, "endpoint", "target", "log_hazard_ratio", "hazard_ratio", "stratum", "time", "horizon",
            }  # fmt: skip


def test_numbers_of_the_truth_have_five_digits():
    numbers = re.findall(r"-?\d+\.\d+(?:e-?\d+)?", committed("truth.json").decode())
    assert len(numbers) > 1000
    assert all(len(f"{float(number):.10g}".lstrip("-0.").replace(".", "").split("e")[0]) <= 5 for number in numbers)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"no file .*truth\.json; write it with: python -m analysis simulate"),
        ("{", r"is not a truth\.json of this project \(JSONDecodeError"),
        ("{}", r"is not a truth\.json of this project \(KeyError: 'log_hazard_ratios'\)"),
        ("[]", r"is not a truth\.json of this project \(TypeError"),
    ],
)
def test_what_is_no_truth_is_refused(tmp_path, content, message):
    path = tmp_path / "truth.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_truth(path)
