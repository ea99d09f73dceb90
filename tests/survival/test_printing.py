"""Results as they print: the numbers that R prints for the same data, in the same order."""

from __future__ import annotations

import dataclasses
from io import StringIO
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CompetingEndpoint,
    Endpoint,
    concordance,
    fit_cox,
    fit_fine_gray,
    gray_test,
    load_example,
    logrank_test,
    logrank_trend,
)
from analysis.kernels.counts import Weighting
from analysis.survival.group_tests.logrank import HEADINGS
from analysis.survival.printing import chi_square_text, event_count, p_text, rows_text, significant

SURVIVAL = Endpoint("os_days", "os_event", label="Overall survival")
LUNG = load_example("lung").rename(columns={"ecog": "<b>ecog</b>"})


@pytest.fixture(scope="module")
def fit():
    with pytest.warns(match="1 of 228 rows dropped"):
        return fit_cox(LUNG, SURVIVAL, ["age", "sex", "<b>ecog</b>"])


def test_a_cox_model_prints_what_r_prints(fit):
    # summary(coxph(Surv(time, status) ~ age + sex + ph.ecog, lung)), to the digits that R's manual shows
    first, rows, _, age, sex, ecog, test = repr(fit).splitlines()
    assert first == "Cox model of Overall survival ~ age + sex + <b>ecog</b> (ties efron)"
    assert rows == "n = 227, number of events = 164 (1 row dropped: 1 for missing <b>ecog</b>)"
    assert age.split() == ["age", "1.011", "0.9929", "1.03", "1.194", "0.23"]
    assert sex.split() == ["sex", "0.5754", "0.4142", "0.7994", "-3.294", "0.00099"]
    assert ecog.split()[1:] == ["1.59", "1.273", "1.986", "4.083", "4.4e-05"]
    assert test == "Likelihood ratio test = 30.5 on 3 df, p = 1.1e-06"


def test_intervals_stand_before_p_values(fit):
    heading = repr(fit).splitlines()[2]
    assert heading.index("hazard ratio") < heading.index("lower .95") < heading.index("upper .95") < heading.index(" p")


def test_a_notebook_shows_the_same_with_names_escaped(fit):
    html = fit._repr_html_()
    assert "<b>ecog" not in html
    assert html.count("&lt;b&gt;ecog&lt;/b&gt;") == 3
    table = pd.read_html(StringIO(html))[0]
    assert table["hazard ratio"].tolist() == [1.011, 0.5754, 1.59]


def test_what_was_asked_of_a_model_is_printed():
    cohort = LUNG.dropna().assign(site=lambda rows: rows.index % 9)
    text = repr(fit_cox(cohort, SURVIVAL, "age", ties="breslow", strata="sex", cluster="site"))
    assert "~ age (ties breslow, strata sex, cluster site, robust standard errors)" in text
    assert "Wald test = " in text
    assert "Likelihood ratio" not in text


def test_the_weights_of_a_model_are_printed():
    cohort = LUNG.dropna().assign(copies=lambda rows: 1.0 + rows.index % 2, share=lambda rows: 0.5 + rows.index % 2)
    whole = fit_cox(cohort, SURVIVAL, "age + sex", weights="copies")
    assert repr(whole).startswith("Cox model of Overall survival ~ age + sex (ties efron, weights copies)\n")
    with pytest.warns(match="fractional"):
        fractional = fit_cox(cohort, SURVIVAL, ["age"], weights="share")
    assert "~ age (ties efron, weights share, robust standard errors)" in repr(fractional)
    assert "Wald test = " in repr(fractional)


def test_a_model_of_fine_and_gray_prints_subdistribution_hazard_ratios():
    rng = np.random.default_rng(3)
    cohort = pd.DataFrame({"time": rng.exponential(size=120), "status": [0, 1, 2] * 40, "age": rng.normal(size=120)})
    endpoint = CompetingEndpoint("time", "status", causes={1: "relapse", 2: "death"})
    fit = fit_fine_gray(cohort, endpoint, ["age"], cause="relapse")
    first, rows, heading, age, test = repr(fit).splitlines()
    assert first.startswith("Fine-Gray model of the subdistribution hazard of relapse ~ age (ties breslow")
    assert first.endswith("weighted by the inverse probability of censoring, robust standard errors)")
    assert rows == "n = 120, number of events = 40"
    assert " ".join(heading.split()) == "term subdistribution hazard ratio lower .95 upper .95 z p"
    assert age.split()[1] == f"{np.exp(fit.coef[0]):.4g}"
    assert test.startswith("Wald test = ")
    assert "cluster" not in repr(fit)
    assert "subdistribution hazard ratio" in fit._repr_html_()


def test_a_term_that_is_not_estimable_prints_its_limit_and_no_warning():
    cohort = LUNG.assign(survived=1.0 - LUNG["os_event"])
    with pytest.warns(match="not estimable|separat|likelihood"):
        fit = fit_cox(cohort, SURVIVAL, ["survived"])
    assert repr(fit).splitlines()[3].split()[:3] == ["survived", "NaN", "NaN"]


def test_a_logrank_test_prints_what_r_prints():
    # survdiff(Surv(time, status) ~ sex, lung)
    lines = repr(logrank_test(LUNG, SURVIVAL, by="sex")).splitlines()
    assert lines[:2] == ["Log-rank test of equal hazards", "n = 228"]
    assert lines[3].split() == ["1", "138", "112", "91.58", "4.552"]
    assert lines[4].split() == ["2", "90", "53", "73.42", "5.678"]
    assert lines[5] == "Chi-square = 10.33 on 1 df, p = 0.0013"
    with pytest.warns(match="dropped"):
        stratified = logrank_test(LUNG, SURVIVAL, by="sex", strata="<b>ecog</b>")
    assert repr(stratified).startswith("Log-rank test of equal hazards, within strata of <b>ecog</b>\nn = 227 (1 row")
    assert "<b>" not in stratified._repr_html_()


def test_a_concordance_prints_its_standard_error_and_no_table():
    found = concordance(LUNG, SURVIVAL, "age")
    assert repr(found) == "Concordance = 0.5502, se = 0.02514 (Harrell)\nn = 228"
    assert found._repr_html_() == f"<p>{repr(found).replace(chr(10), '<br>')}</p>"
    assert "(Uno)" in repr(dataclasses.replace(found, weighting="uno"))


def test_numbers_of_the_edges():
    assert p_text(2.3e-16) == "2.3e-16"
    assert p_text(2.1e-16) == "<2e-16"
    assert p_text(float("nan")) == "NaN"
    assert significant(123456.0) == "1.235e+05"
    assert chi_square_text("Chi-square", float("nan"), 0, float("nan")) == "Chi-square = NaN on 0 df, p = NaN"
    assert rows_text(3, None, {}) == "n = 3"
    assert rows_text(3, 2, {"missing a": 1, "missing b": 1}).endswith(
        "(2 rows dropped: 1 for missing a, 1 for missing b)"
    )


def test_many_events_are_printed_in_full():
    cohort = pd.DataFrame({"arm": [1, 2] * 20_000, "time": range(1, 40_001), "event": 1})
    test = logrank_test(cohort, Endpoint("time", "event"), by="arm")
    assert [line.split()[2] for line in repr(test).splitlines()[3:5]] == ["20000", "20000"]
    assert "e+" not in repr(test).replace("p = ", "")


def test_small_and_missing_numbers_of_events_are_printed_without_powers_of_ten():
    assert [event_count(value) for value in (0.0, -0.0, 1e-4, 9.9e-5, 0.01234567)] == [
        "0",
        "0",
        "0.0001",
        "<0.0001",
        "0.01235",
    ]
    assert [event_count(value) for value in (999.96, 1000.5, 1e22)] == ["1000", "1000", f"{10**22}"]
    assert event_count(float("nan")) == "NaN"


@pytest.mark.parametrize(
    ("options", "heading"),
    [
        ({}, "Log-rank test of equal hazards"),
        ({"weighting": "gehan-breslow"}, "Gehan-Breslow (generalised Wilcoxon) test of equal hazards"),
        ({"weighting": "tarone-ware"}, "Tarone-Ware test of equal hazards"),
        ({"weighting": "peto"}, "Peto-Peto test of equal hazards"),
        ({"weighting": "modified-peto"}, "Modified Peto-Peto test of equal hazards"),
        (
            {"weighting": "fleming-harrington", "rho": 0.5, "gamma": 1},
            "Fleming-Harrington test (rho = 0.5, gamma = 1) of equal hazards",
        ),
    ],
)
def test_the_heading_names_the_test_and_what_it_tests(options, heading):
    text = repr(logrank_test(LUNG, SURVIVAL, by="sex", **options))
    assert text.startswith(f"{heading}\nn = 228\n")
    assert ("(O-E)^2/E" in text) == (options == {})


def test_every_weighting_has_a_heading():
    assert set(HEADINGS) == set(get_args(Weighting))


def test_tests_for_trend_and_of_incidence_are_headed_as_such():
    trend = logrank_trend(LUNG, SURVIVAL, by="sex")
    assert repr(trend).startswith("Log-rank test for a trend of the hazard\nn = 228\n")
    cohort = pd.DataFrame({"arm": [1, 2] * 18, "time": range(1, 37), "status": [0, 1, 2] * 12})
    endpoint = CompetingEndpoint("time", "status", causes={1: "relapse", 2: "death"})
    gray = gray_test(cohort, endpoint, cause="relapse", by="arm")
    assert repr(gray).startswith("Gray's test of equal cumulative incidence (relapse)\nn = 36")
    assert "(O-E)^2/E" not in repr(gray)
