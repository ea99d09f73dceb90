"""Files as registries, consortia and clinics write them, by the commands of the README: what is taken for what.

Each is invented: 40 patients of whom the odd ones died, after 1, 2, ... 40 months.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from analysis import StudyPlan, cli
from analysis.study.prepare import prepare_study

N = 40
ROWS = range(N)
DIED = [row % 2 for row in ROWS]
MONTHS = [1 + (7 * row) % N for row in ROWS]
MAGNESIUM = [round(0.62 + 0.01 * ((11 * row) % N), 2) for row in ROWS]
AGE = [40 + (13 * row) % 37 for row in ROWS]
SEX = ["f" if row % 3 else "m" for row in ROWS]
START = [date(2019, 1, 15) + timedelta(days=row) for row in ROWS]
END = [day + timedelta(days=30 * months) for day, months in zip(START, MONTHS, strict=True)]


def words(one: str, other: str) -> list[str]:
    return [one if died else other for died in DIED]


def text(sep: str = ",", above: str = "", **columns) -> str:
    lines = [sep.join(columns)] + [sep.join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    return above + "\n".join(lines) + "\n"


def comma(values) -> list[str]:
    return [str(value).replace(".", ",") for value in values]


FILES = {
    "cBioPortal": ("data_clinical_patient.txt", text(
        "\t", "#Patient\tStatus\tMonths\tStatus\tMonths\tTMB\n#a\tb\tc\td\te\tf\n#STRING\tSTRING\tNUMBER\tSTRING"
        "\tNUMBER\tNUMBER\n#1\t1\t1\t1\t1\t1\n",
        PATIENT_ID=[f"P-{row}" for row in ROWS], OS_STATUS=words("1:DECEASED", "0:LIVING"), OS_MONTHS=MONTHS,
        PFS_STATUS=words("1:PROGRESSION", "0:CENSORED"), PFS_MONTHS=[month / 2 for month in MONTHS], TMB=MAGNESIUM,
    ), [], "TMB", [("OS_MONTHS", "OS_STATUS"), ("PFS_MONTHS", "PFS_STATUS")]),
    "Xena": ("survival.tsv", text(
        "\t", sample=[f"T-{row}-01" for row in ROWS], OS=DIED, _PATIENT=[f"T-{row}" for row in ROWS],
        **{"OS.time": [30 * month for month in MONTHS]}, ldh=[100 + 7 * age for age in AGE], _OS_IND=DIED,
    ), [], "ldh", [("OS.time", "OS")]),
    "GDC": ("clinical.tsv", text(
        "\t", case_submitter_id=[f"C-{row}" for row in ROWS], vital_status=words("Dead", "Alive"),
        days_to_death=[30 * month if died else "'--" for month, died in zip(MONTHS, DIED, strict=True)],
        days_to_last_follow_up=[30 * month - 3 * died for month, died in zip(MONTHS, DIED, strict=True)],
        age_at_index=AGE, race=["white" if row % 5 else "not reported" for row in ROWS],
    ), [], "age_at_index", [("the later of days_to_death and days_to_last_follow_up", "vital_status")]),
    "SEER": ("seer.csv", text(
        **{"Patient ID": ROWS, "Age": AGE, "Survival months": [f"{month:04}" for month in MONTHS],
           "Vital status recode": words("Dead", "Alive"), "Grade": ["I" if row % 4 else "Blank(s)" for row in ROWS]},
    ), [], "Age", [("Survival months", "Vital status recode")]),
    "NHANES": ("linked.csv", text(
        SEQN=[700 + 9 * row for row in ROWS], magnesium_meq=[round(2 * value, 2) for value in MAGNESIUM],
        months_signed=[month if died else -month for month, died in zip(MONTHS, DIED, strict=True)],
    ), [], "magnesium_meq", [("months_signed without sign", "months_signed above 0")]),
    "German": ("klinik.csv", text(
        ";", **{"Patienten-Nr": range(1, N + 1), "Magnesium": comma(MAGNESIUM), "Alter": AGE,
                "Überlebenszeit_Monate": comma(MONTHS), "verstorben": words("ja", "nein")},
    ), ["--encoding", "cp1252", "--decimal", ","], "Magnesium", [("Überlebenszeit_Monate", "verstorben")]),
    "French": ("clinique.csv", text(
        patient=ROWS, magnésium=MAGNESIUM, âge=AGE, suivi_mois=MONTHS, décès=words("oui", "non"),
    ), ["--encoding", "cp1252"], "magnésium", [("suivi_mois", "décès")]),
    "Spanish": ("clinica.csv", text(
        paciente=ROWS, magnesio=MAGNESIUM, edad=AGE, seguimiento_meses=MONTHS, fallecido=words("sí", "no"),
    ), ["--encoding", "cp1252"], "magnesio", [("seguimiento_meses", "fallecido")]),
    "hospital": ("sheet.csv", text(
        id=range(1, N + 1), diagnosis_date=[f"{day:%m/%d/%Y}" for day in START],
        death_date=[f"{day:%m/%d/%Y}" if died else "" for day, died in zip(END, DIED, strict=True)],
        last_contact=[f"{day:%m/%d/%Y}" for day in END], died=DIED, magnesium=MAGNESIUM, age=AGE,
    ), [], "magnesium", [("diagnosis_date to the later of death_date and last_contact", "died")]),
    "lung": ("lung.csv", text(
        time=[30 * month for month in MONTHS], status=[died + 1 for died in DIED], age=AGE, sex=SEX,
    ), [], "age", [("time", "status")]),
}  # fmt: skip


@pytest.fixture
def planned(tmp_path, monkeypatch, capsys):
    """The plan of a file, by `plan new` and `validate`, and what they say."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, content: str, options: list[str]) -> tuple[StudyPlan, str]:
        encoding = options[1] if "--encoding" in options else "utf-8"
        Path(name).write_text(content, encoding=encoding)
        assert cli.main(["plan", "new", name, *options, "--output", "plan.toml"]) == 0, capsys.readouterr().err
        assert cli.main(["validate", "plan.toml"]) == 0, capsys.readouterr().err
        return StudyPlan.from_toml("plan.toml"), capsys.readouterr().out

    return run


@pytest.mark.parametrize(("name", "content", "options", "marker", "outcomes"), FILES.values(), ids=FILES)
def test_a_file_is_a_study_with_nothing_edited(planned, name, content, options, marker, outcomes):
    plan, said = planned(name, content, options)
    assert plan.marker.column == marker
    assert [(one.duration, one.event) for one in plan.endpoints] == outcomes
    assert not {name for one in plan.endpoints for name in one.columns} & set(plan.model.covariates)
    cohort = prepare_study(plan).cohort
    for endpoint in plan.endpoints:
        assert cohort[endpoint.event].tolist() == DIED
        assert f"{endpoint.name}: 40 patients, 20 events" in said
    times = cohort[plan.endpoints[0].duration].to_numpy()
    scale = {"days": 30.0, "months": 1.0}[plan.endpoints[0].time_unit]
    expected = [scale * month for month in MONTHS]
    assert times == pytest.approx(expected if name != "sheet.csv" else [30 * month / 30.4375 for month in MONTHS])


def test_words_that_read_as_missing_are_proposed_and_no_level(planned):
    plan, _ = planned(*FILES["GDC"][:3])
    assert plan.data.missing == ["'--", "not reported"]


def test_blanks_of_seer_are_no_grade(planned):
    plan, _ = planned(*FILES["SEER"][:3])
    assert prepare_study(plan).cohort["Grade"].isna().sum() == 10


def test_a_copy_of_the_event_is_left_out_and_named(planned):
    planned(*FILES["Xena"][:3])
    assert "_OS_IND" not in StudyPlan.from_toml("plan.toml").model.covariates


def test_a_copy_under_a_harmless_name_is_named_in_the_plan(planned):
    rows = text(time=MONTHS, status=DIED, age=AGE, ward=words("A", "B"))
    plan, _ = planned("x.csv", rows, [])
    assert "ward" not in plan.model.covariates
    assert "# left out: 'ward', equal to the event 'status' in every row" in plan.text


def test_parameters_of_adtte_are_endpoints_and_a_subject_stands_once(planned):
    both = [(row, code) for row in ROWS for code in ("OS", "PFS")]
    rows = text(
        USUBJID=[f"S-{row}" for row, _ in both],
        AGE=[AGE[row] for row, _ in both],
        SEX=[SEX[row] for row, _ in both],
        PARAMCD=[code for _, code in both],
        AVAL=[MONTHS[row] * (30 if code == "OS" else 10) for row, code in both],
        CNSR=[0 if DIED[row] else 1 + row % 3 for row, _ in both],
    )
    plan, said = planned("adtte.csv", rows, [])
    assert [one.name for one in plan.endpoints] == ["OS", "PFS"]
    assert plan.data.id == "USUBJID"
    assert plan.model.covariates == ("SEX",)
    cohort = prepare_study(plan).cohort
    assert cohort["CNSR (OS)"].tolist() == DIED
    assert cohort["AVAL (PFS)"].tolist() == [10 * month for month in MONTHS]
    assert "PFS: 40 patients, 20 events" in said


def test_a_time_that_cannot_be_told_is_a_question_with_its_candidates(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = text(
        age=AGE, ptime=MONTHS, pstat=[row % 4 // 3 for row in ROWS], futime=[month + 1 for month in MONTHS], death=DIED
    )
    Path("mgus.csv").write_text(rows, encoding="utf-8")
    assert cli.main(["plan", "new", "mgus.csv"]) == 0
    assert "to be settled: no column 'TIME_COLUMN'" in capsys.readouterr().out
    plan = Path("mgus_plan.toml")
    assert 'duration = "TIME_COLUMN"  # one of: ptime, futime' in plan.read_text("utf-8")
    plan.write_text(plan.read_text("utf-8").replace('"TIME_COLUMN"', '"futime"'), encoding="utf-8")
    assert StudyPlan.from_toml(plan).endpoints[1].duration == "futime"


def test_a_covariate_that_is_mostly_numbers_is_named_before_any_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ages = ["90+" if row < 3 else age for row, age in enumerate(AGE)]
    Path("x.csv").write_text(text(magnesium=MAGNESIUM, time=MONTHS, status=DIED, age=ages), encoding="utf-8")
    assert cli.main(["plan", "new", "x.csv"]) == 0
    plan = Path("x_plan.toml")
    plan.write_text(plan.read_text("utf-8").replace("covariates = []", 'covariates = ["age"]'), encoding="utf-8")
    assert cli.main(["validate", "x_plan.toml"]) == 1
    assert "covariate 'age': 3 of 40 values are not numbers ('90+')" in capsys.readouterr().err


def test_one_section_alone_is_a_report_in_a_folder_of_its_own(planned):
    planned(*FILES["lung"][:3])
    assert cli.main(["report", "--plan", "plan.toml", "--only", "strata"]) == 0
    folder = Path("build/plan/only")
    assert (folder / "report.html").is_file()
    assert not (folder / "explorer.html").exists()
    assert (folder / "tables" / "strata.csv").is_file()


def test_a_section_that_there_is_not_is_refused_before_anything_is_read(planned, capsys):
    planned(*FILES["lung"][:3])
    assert cli.main(["report", "--plan", "plan.toml", "--only", "survivl"]) == 1
    assert "no section 'survivl'; did you mean 'survival'" in capsys.readouterr().err
