"""The committed files are what the code writes, and each says what it is."""

import json
import re
from hashlib import sha256

import jsonschema
import numpy as np
import pandas as pd
import pytest

from analysis import COHORT_SCHEMA, LABS_SCHEMA, InputError, simulate_cohort
from analysis.cohort.reading.examples import synthetic_folder
from analysis.cohort.synthetic.causes import CAUSES
from analysis.cohort.synthetic.design import ADJUSTMENT, DEFAULT_DESIGN
from analysis.cohort.synthetic.simulation import simulate_patients
from analysis.study.synthetic_data.data_card import data_card, true_magnesium
from analysis.study.synthetic_data.data_package import data_package
from analysis.study.synthetic_data.write import SEED, read_truth, table_text, truth_text, write_synthetic
from analysis.truth.estimands import true_estimands

FOLDER = synthetic_folder()
PROFILE = {
    "type": "object",
    "required": ["profile", "name", "licenses", "resources"],
    "properties": {
        "name": {"pattern": r"^([-a-z0-9._/])+$"},
        "licenses": {"minItems": 1, "items": {"required": ["name", "path"]}},
        "resources": {
            "minItems": 3,
            "items": {
                "required": ["profile", "name", "path"],
                "properties": {
                    "name": {"pattern": r"^([-a-z0-9._/])+$"},
                    "path": {"pattern": r"^[^./~]"},
                    "hash": {"pattern": r"^sha256:[0-9a-f]{64}$"},
                    "bytes": {"type": "integer"},
                    "schema": {"$ref": "#/$defs/table"},
                },
                "if": {"properties": {"profile": {"const": "tabular-data-resource"}}},
                "then": {"required": ["schema"]},
            },
        },
    },
    "$defs": {
        "table": {
            "required": ["fields", "missingValues", "primaryKey"],
            "properties": {
                "fields": {
                    "items": {
                        "required": ["name", "type", "description", "constraints"],
                        "properties": {
                            "type": {"enum": ["string", "number", "integer"]},
                            "constraints": {
                                "properties": {
                                    "required": {"type": "boolean"},
                                    "unique": {"type": "boolean"},
                                    "minimum": {"type": "number"},
                                    "maximum": {"type": "number"},
                                    "enum": {"minItems": 1, "uniqueItems": True},
                                },
                                "additionalProperties": False,
                            },
                        },
                    }
                },
            },
        }
    },
}


def committed(name):
    """A committed file, byte for byte."""
    return (FOLDER / name).read_bytes()


@pytest.fixture(scope="module")
def simulated():
    return simulate_cohort(DEFAULT_DESIGN, seed=SEED)


@pytest.fixture(scope="module")
def package():
    return json.loads(committed("datapackage.json"))


@pytest.mark.parametrize(("name", "part"), [("cohort.csv", "cohort"), ("magnesium_labs.csv", "labs")])
def test_the_tables_are_written_again_byte_for_byte(simulated, name, part):
    assert table_text(getattr(simulated, part)).encode("utf-8") == committed(name)


def test_the_data_package_and_the_card_are_written_again_byte_for_byte(simulated):
    files = {name: committed(name) for name in ("cohort.csv", "magnesium_labs.csv", "truth.json")}
    text = json.dumps(data_package(files), indent=2, ensure_ascii=False) + "\n"
    assert text.encode("utf-8") == committed("datapackage.json")
    card = data_card(simulated, read_truth(FOLDER / "truth.json"))
    assert card.encode("utf-8") == committed("README.md")


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


def test_the_data_package_keeps_the_profile(package):
    jsonschema.validate(package, PROFILE, cls=jsonschema.Draft202012Validator)
    assert package["licenses"][0]["name"] == "CC0-1.0"


def test_the_data_package_names_its_files_as_they_are(package):
    for resource in package["resources"]:
        content = committed(resource["path"])
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{sha256(content).hexdigest()}"


@pytest.mark.parametrize(("place", "schema"), [(0, COHORT_SCHEMA), (1, LABS_SCHEMA)])
def test_the_tables_keep_the_constraints_of_the_data_package(package, place, schema):
    resource = package["resources"][place]
    frame = pd.read_csv(FOLDER / resource["path"])
    fields = resource["schema"]["fields"]
    assert [field["name"] for field in fields] == list(frame.columns) == list(schema.names)
    for field in fields:
        values, limits = frame[field["name"]], field["constraints"]
        assert values.notna().all() or not limits["required"]
        assert values.is_unique or not limits.get("unique")
        present = values.dropna()
        assert "enum" not in limits or present.isin(limits["enum"]).all()
        assert "minimum" not in limits or present.between(limits["minimum"], limits["maximum"]).all()
        assert field.get("unit", "") == schema[field["name"]].unit
    assert not frame.duplicated(resource["schema"]["primaryKey"]).any()


def test_the_card_gives_the_moments_of_true_magnesium_and_where_the_baseline_rates_hold():
    # another seed and another way to them: true values of whole simulated patients
    patients = simulate_patients(DEFAULT_DESIGN.of_size(60_000), seed=77)
    found = true_magnesium(DEFAULT_DESIGN)
    card = committed("README.md").decode()
    for treatment, values in pd.Series(patients.magnesium).groupby(patients.covariates["treatment"].astype(str)):
        error = values.std() / np.sqrt(len(values))
        assert abs(found.loc[treatment, "mean"] - values.mean()) < 5 * error
        assert abs(found.loc[treatment, "std"] - values.std()) < 5 * error
        assert f"| {found.loc[treatment, 'mean']:.3f}, {found.loc[treatment, 'std']:.3f} mmol/L |" in card
    assert "at a true magnesium of 0.80 mmol/L" in " ".join(card.split())
    for cause in CAUSES:
        assert f"| `{cause.term}` | {cause.centre:g} |" in card


def test_the_card_says_what_the_data_are():
    card = committed("README.md").decode()
    for words in (
        "No patient is in these files",
        "no published estimate is reproduced",
        "Recovering what was planted is a software test, not evidence",
        f"Seed {SEED}, fixed beforehand and not searched",
        "CC0 1.0",
    ):
        assert words in " ".join(card.split())
    for column in (*COHORT_SCHEMA, *LABS_SCHEMA):
        assert f"| `{column.name}` |" in card
        assert column.meaning in card


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
