"""A plan is a file that colleagues send each other: its terms are data, and nothing in it runs."""

from __future__ import annotations

import pytest

from analysis import load_example
from analysis.cli import main
from tests.study.plans import LUNG_BY_AGE

RUNS_CODE = [
    "scale(age + 0*__import__('os').system('touch ran'))",
    "bs(age, df=(__import__('os').system('touch ran') or 4))",
    "age + np.savetxt('ran', age)",
    "log(age + 0*np.memmap('ran', mode='w+', shape=200))",
    "getattr(__import__('os'), 'system')('touch ran')()",
    "{__import__('os').system('touch ran')}",
]


@pytest.mark.parametrize(
    "verb", [["validate", "plan.toml"], ["report", "--plan", "plan.toml"]], ids=lambda verb: verb[0]
)
@pytest.mark.parametrize("term", RUNS_CODE)
def test_a_term_of_a_plan_runs_nothing(term, verb, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    load_example("lung").to_csv("cohort.csv", index=False)
    plan = LUNG_BY_AGE + f'[model]\ncovariates = ["sex", """{term}"""]\n'
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    assert main(verb) == 1
    shown = term.removeprefix("age + ")[:30]
    said = capsys.readouterr().err
    assert "[model] covariates: cannot read the" in said
    assert shown in said
    assert not (tmp_path / "ran").exists()
    assert {path.name for path in tmp_path.iterdir()} <= {"cohort.csv", "plan.toml", "build"}


@pytest.mark.parametrize("role", ['strata = ["{}"]', 'covariates = ["age"]\nstrata = ["{}"]'])
def test_strata_of_a_plan_are_names_of_columns(role, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    load_example("lung").to_csv("cohort.csv", index=False)
    code = "__import__('os').system('touch ran')"
    (tmp_path / "plan.toml").write_text(LUNG_BY_AGE + "[model]\n" + role.format(code) + "\n", encoding="utf-8")
    assert main(["validate", "plan.toml"]) == 1
    assert "__import__" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["C", "log", "1", "Intercept", "ph.ecog", "Karnofsky (%)", "a~b"])
def test_a_covariate_of_a_plan_may_have_any_name(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    load_example("lung").rename(columns={"weight_loss": name}).to_csv("cohort.csv", index=False)
    plan = LUNG_BY_AGE + f'[model]\ncovariates = ["{name}"]\n'
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    assert main(["validate", "plan.toml"]) == 0
    assert "nothing wrong" in capsys.readouterr().out
