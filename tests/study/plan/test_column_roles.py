"""Files whose rows would be read wrongly without a fault: each is refused, or warned of with the remedy that works."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest

from analysis import CohortError, PlanError, StudyPlan, SuspiciousValues, read_cohort
from analysis.study.plan.guess import guess_columns
from analysis.study.plan.new_plan import new_plan
from analysis.study.prepare import prepare_study

PLAN = """
[data]
path = "{path}"
{data}
[marker]
column = "{marker}"
unit = "{unit}"
[strata]
quantiles = 2
[[endpoints]]
duration = "{duration}"
event = "{event}"
[model]
covariates = [{covariates}]
"""


@pytest.fixture
def prepare(tmp_path):
    """The study of a file's rows by a plan; warnings are in its notes."""

    def study(rows, *, data="", marker="magnesium", unit="mmol/L", duration="months", event="death", covariates=""):
        path = tmp_path / "cohort.csv"
        path.write_text(rows, encoding="utf-8")
        parts = {"path": path.name, "data": data, "marker": marker, "unit": unit}
        text = PLAN.format(**parts, duration=duration, event=event, covariates=covariates)
        (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
        return prepare_study(StudyPlan.from_toml(tmp_path / "plan.toml"))

    return study


def rows_of(**columns):
    """Twelve patients as CSV; a list in place of a column is taken as it is."""
    base = {
        "magnesium": [0.82, 0.71, 0.9, 0.66, 0.75, 0.86, 0.79, 0.93, 0.7, 0.81, 0.77, 0.88],
        "months": [12.1, 30, 8.4, 22.7, 3.2, 17.5, 5, 41, 9, 14, 27, 2],
        "death": [1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1],
    }
    return pd.DataFrame(base | columns).to_csv(index=False)


def notes(study):
    return "\n".join(map(str, study.notes))


# --- A patient in several rows ------------------------------------------------------------------------


TWICE = [f"P{index}" for index in (1, 1, *range(2, 12))]


@pytest.mark.parametrize("name", ["_PATIENT", "study_id", "Patienten-Nr", "USUBJID", "cases.submitter_id", "pat_no"])
def test_a_patient_in_two_rows_is_refused_whatever_the_columns_are_called(prepare, name):
    with pytest.raises(PlanError, match=rf"'{name}': 1 ids stand more than once \(P1\) in 2 rows \(2, 3 of the file\)"):
        prepare(rows_of(**{name: TWICE}))
    renamed = rows_of(**{name: TWICE}).replace("months,death", "AVAL,outcome")
    with pytest.raises(PlanError, match=rf"'{name}': 1 ids stand more than once"):
        prepare(renamed, duration="AVAL", event="outcome")


def test_a_nearly_unique_column_of_another_name_is_named_and_settled_by_id(prepare):
    study = prepare(rows_of(tumour=TWICE))
    assert "column 'tumour': 1 of 12 values stand a second time" in notes(study)
    assert 'id = "tumour" in [data]' in notes(study)
    with pytest.raises(PlanError, match="'tumour': 1 ids stand more than once"):
        prepare(rows_of(tumour=TWICE), data='id = "tumour"')
    settled = prepare(rows_of(tumour=TWICE, number=range(12)), data='id = "number"')
    assert "tumour" not in notes(settled)
    with pytest.raises(PlanError, match=r"\[data\] id = 'who' is no column of cohort.csv"):
        prepare(rows_of(), data='id = "who"')


def test_identifiers_of_a_trial_or_a_site_are_no_patients(prepare):
    trial = rows_of(study_id=["A"] * 11 + ["A"], site_id=list("AABB") * 3)
    assert "ids stand" not in notes(prepare(trial))
    many = pd.concat([pd.read_csv(pd.io.common.StringIO(trial))] * 9, ignore_index=True)
    many["months"] += np.arange(len(many)) / 100
    assert "ids stand" not in notes(prepare(many.to_csv(index=False)))


@pytest.mark.parametrize("name", ["study_id", "record_id", "id", "case_number"])
def test_a_pooled_cohort_keeps_the_identifier_of_its_trials(tmp_path, name):
    rows = range(120)
    trials = {name: [f"T{row % 8}" for row in rows], "months": [row + 1.5 for row in rows], "death": [0, 1] * 60}
    pd.DataFrame(trials).to_csv(tmp_path / "pooled.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_cohort(tmp_path / "pooled.csv")) == 120
    pd.DataFrame(trials).rename(columns={name: "patient_id"}).to_csv(tmp_path / "spells.csv", index=False)
    with pytest.raises(CohortError, match="column 'patient_id': 8 ids stand more than once"):
        read_cohort(tmp_path / "spells.csv")


# --- A censoring flag is the opposite of an event -----------------------------------------------------------


CNSR = [0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize("name", ["CNSR", "cens", "censored"])
@pytest.mark.parametrize("third", [1, 3])
def test_a_censoring_flag_needs_codes_and_the_message_gives_them(prepare, name, third):
    flags = [third if index == 1 else flag for index, flag in enumerate(CNSR)]
    rows = rows_of(**{name: flags}).replace("death", "unused")
    codes = ", ".join(f"{code} = {int(code == 0)}" for code in sorted(set(flags)))
    remedy = f'event_codes = {{ "{name}" = {{ {codes} }} }}'
    with pytest.raises(PlanError, match=f"'{name}' marks rows without the event by its name") as caught:
        prepare(rows, event=name)
    assert remedy in str(caught.value)
    study = prepare(rows, event=name, data=remedy)
    assert study.cohort[name].tolist() == [1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1]
    assert "censor" not in notes(study)
    if third == 1:
        assert f'event_codes = {{ "{name}" = {{ 0 = 0, 1 = 1 }} }} where 1 is the event' in str(caught.value)
        kept = prepare(rows, event=name, data=f'event_codes = {{ "{name}" = {{ 0 = 0, 1 = 1 }} }}')
        assert kept.cohort[name].tolist() == flags


def test_a_censoring_flag_read_without_a_plan_is_warned_of(tmp_path):
    (tmp_path / "adtte.csv").write_text("USUBJID,AVAL,CNSR\nX1,300,0\nX2,700,1\n", encoding="utf-8")
    remedy = r"by its name 0 is the event; .* event_codes=\{'CNSR': \{0: 1, 1: 0\}\}"
    with pytest.warns(SuspiciousValues, match=rf"'CNSR' looks like a censoring flag: {remedy}"):
        read_cohort(tmp_path / "adtte.csv")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cohort = read_cohort(tmp_path / "adtte.csv", event_codes={"CNSR": {0: 1, 1: 0}})
    assert cohort["CNSR"].tolist() == [1, 0]


@pytest.mark.parametrize("name", ["cens", "alive", "still_living", "survived", "relapse_free", "osCens", "rfscens"])
@pytest.mark.parametrize("values", [[0, 1, 1], [True, False, True], [1, 2, 1], ["yes", "no", "no"], ["Y", "N", "Y"]])
def test_a_new_plan_gives_no_codes_to_a_flag_that_data_sets_read_in_two_ways(name, values):
    cohort = pd.DataFrame({"survival_days": [300.0, 700, 110], name: values, "age": [63.0, 71, 58]})
    guess = guess_columns(cohort)
    assert guess.codes == {}
    assert name not in guess.covariates


@pytest.mark.parametrize("name", ["alive", "living", "survived", "event_free", "os_cens"])
@pytest.mark.parametrize(
    ("values", "first", "second"),
    [
        ([1, 0] * 6, "0 = 1, 1 = 0", "0 = 0, 1 = 1"),
        (["yes", "no"] * 6, '"no" = 1, "yes" = 0', '"no" = 0, "yes" = 1'),
        (["Alive", "Dead"] * 6, '"Dead" = 1, "Alive" = 0', '"Dead" = 0, "Alive" = 1'),
        ([2, 1] * 6, "1 = 1, 2 = 0", "1 = 0, 2 = 1"),
    ],
)
def test_a_flag_of_no_event_is_refused_with_both_readings_and_each_is_read(prepare, name, values, first, second):
    rows = rows_of(**{name: values}).replace("death", "unused")
    with pytest.raises(PlanError, match=f"'{name}' marks rows without the event by its name") as caught:
        prepare(rows, event=name)
    for codes, events in ((first, [0, 1] * 6), (second, [1, 0] * 6)):
        remedy = f'event_codes = {{ "{name}" = {{ {codes} }} }}'
        assert remedy in str(caught.value)
        assert prepare(rows, event=name, data=remedy).cohort[name].tolist() == events


def test_the_event_of_gbsg2_is_not_inverted(tmp_path):
    """R: data("GBSG2", package = "TH.data"); there time, cens, and 1 is the event."""
    rows = pd.DataFrame({"horTh": ["no", "yes"] * 6, "time": range(200, 1400, 100), "cens": [1, 1, 1, 0] * 3})
    rows.to_csv(tmp_path / "gbsg2.csv", index=False)
    with pytest.warns(SuspiciousValues, match=r"'cens' looks like a censoring flag: .*\{0: 0, 1: 1\}\} where 1 is"):
        read_cohort(tmp_path / "gbsg2.csv")
    plan = new_plan(tmp_path / "gbsg2.csv")
    assert 'duration = "time"\nevent = "cens"  # by its name no event: say in event_codes' in plan
    assert "\nevent_codes" not in plan


@pytest.mark.parametrize("name", ["uncensored", "not_censored", "noncensored"])
def test_uncensored_is_an_event_as_it_stands(prepare, name):
    flags = [1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1]
    rows = rows_of(**{name: flags}).replace("death", "unused")
    study = prepare(rows, event=name)
    assert study.cohort[name].tolist() == flags
    assert "censoring flag" not in notes(study)
    guess = guess_columns(pd.DataFrame({"time": range(100, 112), name: flags}))
    assert (guess.endpoints, guess.codes) == ((("time", name),), {})


@pytest.mark.parametrize("name", ["census", "licenses", "incense"])
def test_cens_inside_another_word_is_no_censoring(name):
    guess = guess_columns(pd.DataFrame({"time": MANY, "death": [0, 1, 1] * 19, name: [0, 1, 0] * 19}))
    assert guess.endpoints == (("time", "death"),)


def test_a_new_plan_turns_cnsr_of_cdisc_into_events():
    cohort = pd.DataFrame({"AVAL": [300.0, 700, 110], "CNSR": [0, 1, 2], "AGE": [63.0, 71, 58]})
    guess = guess_columns(cohort)
    assert guess.endpoints == (("AVAL", "CNSR"),)
    assert guess.codes == {"CNSR": {0: 1, 1: 0, 2: 0}}


# --- Separators of thousands ----------------------------------------------------------------------------


# --- Excel: stated sizes, hidden rows, sums --------------------------------------------------------------------


# --- Codes and words for missing ------------------------------------------------------------------------------


def test_magnesium_of_zero_or_less_is_refused_and_missing_reads_it(prepare):
    coded = [0.82, -9, 0.9, 0.66, 0.75, -9, 0.79, 0.93, 0.7, 0.81, 0.77, 0.88]
    remedy = (
        r"'magnesium': -9 is no concentration, in 2 rows \(2, 6\); .* read with missing = \{ .magnesium. = \[-9\] \}"
    )
    with pytest.raises(CohortError, match=remedy):
        prepare(rows_of(magnesium=coded), data="")
    for codes in ('{ "magnesium" = [-9] }', "[-9]"):
        study = prepare(rows_of(magnesium=coded), data=f"missing = {codes}")
        assert study.cohort["magnesium"].isna().sum() == 2
        assert "set missing in column 'magnesium' (2 rows)" in notes(study)
    with pytest.raises(CohortError, match="0 is no concentration") as caught:
        prepare(rows_of(magnesium=[0, *coded[2:5], *coded[6:], 0.8, 0.7]))
    assert "missing =" not in str(caught.value)


def test_a_flag_is_no_marker():
    cohort = pd.DataFrame({"magnesium_low": [0, 1, 1] * 19, "ldh": MANY, "months": MANY, "death": [0, 1, 1] * 19})
    assert guess_columns(cohort.rename(columns={"magnesium_low": "magnesium"})).marker == "ldh"
    assert guess_columns(cohort.rename(columns={"magnesium_low": "hypomagnesemia"})).marker == "ldh"


@pytest.mark.parametrize("codes", ["[-9]", '{ "magnesium" = [-9], "age" = [999] }'])
def test_codes_of_a_plan_are_missing_among_its_later_values_too(prepare, tmp_path, codes):
    labs = {"patient_id": ["P1", "P1", "P2"], "month": ["1", "1,002", "3"], "magnesium": [0.8, -9, 0.7]}
    pd.DataFrame(labs).to_csv(tmp_path / "labs.csv", index=False)
    table = '[labs]\npath = "labs.csv"\nkey = "patient_id"\ntime = "month"\nvalue = "magnesium"'
    patients = [f"P{index}" for index in range(12)]
    rows = rows_of(patient_id=patients, age=[999, *range(50, 61)])
    study = prepare(rows, data=f'thousands = ","\nmissing = {codes}\n{table}')
    assert study.labs["magnesium"].isna().tolist() == [False, True, False]
    assert study.labs["month"].tolist() == [1, 1002, 3]


def test_codes_of_a_column_that_the_later_values_alone_have_are_theirs(prepare, tmp_path):
    labs = {"patient_id": ["P1", "P1", "P2"], "month": [1, 2, 3], "mg": [0.8, -9, 0.7]}
    pd.DataFrame(labs).to_csv(tmp_path / "labs.csv", index=False)
    table = '[labs]\npath = "labs.csv"\nkey = "patient_id"\ntime = "month"\nvalue = "mg"'
    rows = rows_of(patient_id=[f"P{index}" for index in range(12)])
    study = prepare(rows, data=f"missing = {{ mg = [-9] }}\n{table}")
    assert study.labs["mg"].isna().tolist() == [False, True, False]
    with pytest.raises(CohortError, match="missing: no column 'nowhere'"):
        prepare(rows, data=f"missing = {{ nowhere = [-9] }}\n{table}")


@pytest.mark.parametrize("line", ['missing = "-9"', "missing = -9", "missing = { ecog = 9 }", "missing = [[9]]"])
def test_a_plan_refuses_codes_that_are_no_list(prepare, line):
    with pytest.raises(PlanError, match=r"\[data\].*missing"):
        prepare(rows_of(), data=line)


# --- Guesses ----------------------------------------------------------------------------------------------


def guessed(**columns):
    filled = {name: values if isinstance(values, list) else [values] * 3 for name, values in columns.items()}
    return guess_columns(pd.DataFrame(filled))


MANY = [float(value) for value in range(3, 60)]


def test_a_tie_between_times_is_a_question():
    ties = pd.DataFrame({"ptime": MANY, "futime": MANY, "pstat": [0, 1, 0] * 19, "death": [1, 0, 0] * 19})
    assert set(guess_columns(ties).endpoints) == {("ptime", "pstat"), ("TIME_COLUMN", "death")}
    one = pd.DataFrame({"d.time": MANY, "death": [0, 1, 0] * 19, "hospdead": [1, 0, 0] * 19})
    assert set(guess_columns(one).endpoints) == {("d.time", "death"), ("TIME_COLUMN", "hospdead")}


def test_years_of_the_calendar_are_no_times_and_entries_no_markers():
    years = [1970.0 + value % 40 for value in MANY]
    cohort = pd.DataFrame({"year": years, "entry": MANY, "futime": MANY[::-1], "death": [0, 1, 1] * 19})
    guess = guess_columns(cohort)
    assert guess.endpoints == (("futime", "death"),)
    assert guess.marker == "MARKER_COLUMN"
    assert guess.covariates == ()


@pytest.mark.parametrize("name", ["SUBJID", "patid", "Patienten-Nr", "_PATIENT"])
def test_identifiers_are_neither_marker_nor_covariate(name):
    cohort = pd.DataFrame({name: MANY, "ldh": MANY[::-1], "months": MANY, "death": [0, 1, 1] * 19})
    guess = guess_columns(cohort)
    assert (guess.marker, guess.covariates, guess.patient) == ("ldh", (), name)


@pytest.mark.parametrize(
    "name", ["OS_STATUS", "DSS_STATUS", "recur", "fstat", "PFI", "PFI.time", "tstop", "DFS_MONTHS"]
)
def test_outcomes_are_never_covariates(name):
    values = MANY if "time" in name.lower() or "MONTHS" in name or name == "tstop" else [0, 1, 1] * 19
    cohort = pd.DataFrame({"ldh": MANY, "crp": MANY[::-1], "months": MANY, "death": [0, 1, 1] * 19, name: values})
    assert guess_columns(cohort).covariates == ("crp",)


@pytest.mark.parametrize(
    ("copy", "message"),
    [
        (
            ["Dead", "Alive", "Dead", "Alive", "Dead", "Alive", "Dead", "Alive", "Dead", "Dead", "Alive", "Dead"],
            "event",
        ),
        ([1, 2, 1, 2, 1, 2, 1, 2, 1, 1, 2, 1], "event"),
        ([368, 913, 255, 690, 97, 532, 152, 1247, 274, 426, 821, 61], "time"),
    ],
)
def test_a_covariate_that_is_the_outcome_in_another_coding_is_refused(prepare, copy, message):
    with pytest.raises(PlanError, match=rf"covariate 'vital' is the {message} .* an outcome is no covariate"):
        prepare(rows_of(vital=copy), covariates='"vital"')


def test_a_covariate_named_like_an_outcome_is_warned_of(prepare):
    study = prepare(rows_of(DSS_STATUS=[1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1]), covariates='"DSS_STATUS"')
    assert "covariate 'DSS_STATUS' looks like an outcome by its name" in notes(study)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("n.d.", r"1 of 12 values are not numbers \('n.d.'\); .* missing *= *\{ ?.magnesium. ?[=:] \[.n.d..\] ?\}"),
        ("0.66 L", r"1 values carry a unit or a flag \('0.66 L'\)"),
        ("0.82 mmol/L", r"1 values carry a unit or a flag"),
    ],
)
def test_a_stray_word_in_magnesium_leaves_it_the_marker_and_is_named(prepare, tmp_path, cell, message):
    rows = rows_of(magnesium=[cell, 0.71, 0.9, 0.66, 0.75, 0.86, 0.79, 0.93, 0.7, 0.81, 0.77, 0.88], age=range(50, 62))
    (tmp_path / "stray.csv").write_text(rows, encoding="utf-8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cohort = read_cohort(tmp_path / "stray.csv")
    assert any(re.search(message, str(one.message)) for one in caught)
    assert guess_columns(cohort).marker == "magnesium"
    with pytest.raises(CohortError, match=message):
        prepare(rows)


# --- Comment lines above the header ----------------------------------------------------------------------------


CBIOPORTAL = (
    "#Patient Identifier\tOverall Survival (Months)\tStatus\n#Identifier\tTime\tStatus\n#STRING\tNUMBER\tSTRING\n"
    "#1\t1\t1\nPATIENT_ID\tOS_MONTHS\tOS_STATUS\nP1\t12.5\tDECEASED\nP2\t3\tLIVING\n"
)


@pytest.mark.parametrize(
    ("text", "names", "n_comments"),
    [
        (CBIOPORTAL, ["PATIENT_ID", "OS_MONTHS", "OS_STATUS"], 4),
        ("# made by hand\nid,x\na,1\nb,2\n", ["id", "x"], 1),
        ("#id,x\na,1\nb,2\n", ["id", "x"], 0),
        ("# a comment\n#id,x\na,1\nb,2\n", ["id", "x"], 1),
    ],
)
def test_comments_are_neither_names_nor_patients(tmp_path, text, names, n_comments):
    (tmp_path / "x.txt").write_text(text, encoding="utf-8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cohort = read_cohort(tmp_path / "x.txt")
    assert list(cohort.columns) == names
    assert len(cohort) == 2
    said = [str(one.message) for one in caught if "comment" in str(one.message)]
    assert said == (
        [f"x.txt: {n_comments} comment lines before the header left out (they begin with #)"] * (n_comments > 0)
    )


def test_a_plan_says_which_row_is_the_header_and_which_rows_are_no_patients(prepare):
    first, *below = rows_of().splitlines()
    titled = "\n".join(["A, study", first, *below, "0.5,1,lost"])
    study = prepare(titled, data='header = 2\nskip = [15]\nnumbers = ["months"]')
    assert study.cohort["magnesium"].tolist() == [float(row.split(",")[0]) for row in below]
