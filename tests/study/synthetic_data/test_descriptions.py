"""The descriptions of the synthetic files: each says what they are, as the code writes it."""

import json
from hashlib import sha256

import jsonschema
import numpy as np
import pandas as pd
import pytest

from analysis import COHORT_SCHEMA, LABS_SCHEMA, simulate_cohort
from analysis.cohort.reading.examples import synthetic_folder
from analysis.cohort.synthetic import CAUSES, DEFAULT_DESIGN
from analysis.cohort.synthetic.simulation import simulate_patients
from analysis.study.synthetic_data.descriptions import data_card, data_package, true_magnesium
from analysis.study.synthetic_data.write import SEED, read_truth

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


def test_the_data_package_and_the_card_are_written_again_byte_for_byte(simulated):
    files = {name: committed(name) for name in ("cohort.csv", "magnesium_labs.csv", "truth.json")}
    text = json.dumps(data_package(files), indent=2, ensure_ascii=False) + "\n"
    assert text.encode("utf-8") == committed("datapackage.json")
    card = data_card(simulated, read_truth(FOLDER / "truth.json"))
    assert card.encode("utf-8") == committed("README.md")


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
