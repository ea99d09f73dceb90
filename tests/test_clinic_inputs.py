"""What a clinic's table may hold, from the rows to the words and figures: said, counted, or without effect."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import analysis
from analysis import (
    CompetingEndpoint,
    Endpoint,
    FewEvents,
    InputError,
    NotEstimable,
    RowsDropped,
    Separation,
    SmallStratum,
    csv_text,
    cumulative_incidence,
    display_frame,
    fit_cox,
    hazard_ratios,
    kaplan_meier,
    logrank_test,
    logrank_trend,
    median_follow_up,
    pairwise_logrank,
    plot_survival,
    restricted_mean,
    restricted_mean_difference,
    risk_table,
    search_cutpoint,
    simulate_cohort,
    survival_difference,
    survival_quantile,
)

OS, CAUSES = Endpoint("time", "event"), CompetingEndpoint("time", "status")
LEVELS = ["low", "mid", "high"]


def sample(n: int = 60) -> pd.DataFrame:
    """A sound cohort without ties, in three groups whose order is not that of the alphabet."""
    rng = np.random.default_rng(1)
    cohort = pd.DataFrame({"time": rng.permutation(n) + 1.0, "event": rng.integers(0, 2, n), "x": rng.normal(size=n)})
    place = rng.integers(0, 3, n)
    group = pd.Categorical.from_codes(place, LEVELS, ordered=True)
    return cohort.assign(z=rng.normal(size=n), place=place, group=group, status=cohort["event"] * (1 + place % 2))


# --- Columns in the wrong place ---------------------------------------------------------------------


@pytest.mark.parametrize(("names", "entry"), [(("os_months", "os_months"), None), (("os_months", "dead"), "os_months")])
def test_one_column_in_two_roles_of_an_endpoint_is_refused(names: tuple[str, str], entry: str | None) -> None:
    with pytest.raises(InputError, match=r"endpoint: duration='os_months', .* name one column twice; each role needs"):
        Endpoint(*names, entry=entry)


def test_a_time_column_given_as_the_event_is_refused() -> None:
    with pytest.raises(InputError, match=r"event column 'pfs_months': .*not binary; is this an event column\?"):
        kaplan_meier(sample().assign(pfs_months=lambda rows: rows["time"] / 2), Endpoint("time", "pfs_months"))


# --- Models that differ in their rows ---------------------------------------------------------------


def test_each_model_counts_the_rows_that_it_used() -> None:
    gaps = sample().assign(z=lambda rows: rows["z"].where(rows.index >= 7))
    crude = fit_cox(gaps, OS, ["x"])
    with pytest.warns(RowsDropped, match="7 of 60 rows dropped: 7 for missing z"):
        adjusted = fit_cox(gaps, OS, "x + z")
    assert (crude.n_read, crude.n_used, crude.dropped) == (60, 60, {})
    assert (adjusted.n_read, adjusted.n_used, adjusted.dropped) == (60, 53, {"missing z": 7})


# --- Groups that hold little ------------------------------------------------------------------------


def without_events() -> pd.DataFrame:
    """The cohort with no event in one of its groups."""
    return sample().assign(
        quiet=lambda rows: (rows["place"] == 0) * 1.0, event=lambda rows: rows["event"] * (rows["place"] > 0)
    )


def test_a_group_without_events_has_a_flat_curve_and_no_median() -> None:
    curves = kaplan_meier(without_events(), OS, by="quiet")
    flat = curves[curves["stratum"] == "1"]
    assert flat["survival"].eq(1).all()
    medians = survival_quantile(curves)
    assert display_frame(medians)["Time (95% CI)"].iloc[1] == "NR"
    assert csv_text(medians).splitlines()[2] == "1,0.5,,,"


def test_a_group_without_events_has_no_hazard_ratio_on_paper_or_in_files() -> None:
    with pytest.warns(Separation, match="not estimable: 'quiet'.*judge by the likelihood-ratio test"):
        fit = fit_cox(without_events(), OS, ["quiet"])
    ratios = hazard_ratios(fit)
    assert display_frame(ratios)["Hazard ratio (95% CI)"].iloc[0].startswith("– (– to ")
    assert csv_text(ratios).splitlines()[1].startswith("quiet,,,0.")
    assert np.isfinite(fit.likelihood_ratio_test.statistic)


def alone(event: int) -> pd.DataFrame:
    """The cohort with one patient, with or without the event, as a group."""
    rows = sample()
    row = rows.index[(rows["event"] == event) & rows["time"].between(20, 40)][0]
    return rows.assign(alone=(rows.index == row) * 1.0)


def test_a_group_of_one_patient_has_a_curve_and_a_test_with_a_word() -> None:
    held = alone(event=1)
    curves = kaplan_meier(held, OS, by="alone")
    assert curves.loc[curves["stratum"] == "1", "survival"].tolist() == [1.0, 0.0]
    with pytest.warns(SmallStratum, match="groups of fewer than 5 rows in 'alone': '1' has 1"):
        test = logrank_test(held, OS, by="alone")
    assert 0 < test.p_value < 1


def test_a_group_of_one_patient_has_a_hazard_ratio_only_with_an_event() -> None:
    ratio = hazard_ratios(fit_cox(alone(event=1), OS, ["alone"])).iloc[0]
    assert ratio["conf_high"] / ratio["conf_low"] > 20
    with pytest.warns(Separation, match="not estimable: 'alone'"):
        ratio = hazard_ratios(fit_cox(alone(event=0), OS, ["alone"])).iloc[0]
    assert np.isnan(ratio["hazard_ratio"])


# --- Covariates that determine one another, and too many of them ------------------------------------


@pytest.mark.parametrize("covariates", [["a", "b", "c"], "a + b + c", "x + a + b + c"])
def test_a_dummy_for_every_group_is_refused_by_name(covariates: str | list[str]) -> None:
    dummies = sample().assign(**{name: lambda rows, k=k: (rows["place"] == k) * 1.0 for k, name in enumerate("abc")})
    with pytest.raises(NotEstimable, match="covariates 'a', 'b', 'c' are collinear: each follows from the others"):
        fit_cox(dummies, OS, covariates)


def test_more_covariates_than_events_are_told_with_the_figure() -> None:
    few = sample().assign(event=lambda rows: rows["time"].isin([10, 30]) * 1)
    with pytest.warns(FewEvents, match=r"2 events for 3 parameters \(0.7 events per parameter\)"):
        fit = fit_cox(few, OS, ["x", "z", "place"])
    assert [type(warning) for warning in fit.warnings] == [FewEvents]


# --- Groups that have an order ----------------------------------------------------------------------


def test_ordered_groups_keep_their_order_in_tables_and_on_curves() -> None:
    curves = kaplan_meier(sample(), OS, by="group")
    assert list(dict.fromkeys(curves["stratum"])) == LEVELS
    assert display_frame(survival_quantile(curves))["Stratum"].tolist() == LEVELS
    assert list(dict.fromkeys(risk_table(sample(), OS, times=[0, 9], by="group")["stratum"])) == LEVELS
    drawn = [line.get_label() for line in plot_survival(curves).axes[0].lines]
    assert [label for label in drawn if label in LEVELS] == LEVELS


def test_ordered_groups_are_tested_for_trend_in_their_order() -> None:
    test, by_place = (logrank_trend(sample(), OS, by=by) for by in ("group", "place"))
    assert test.groups["stratum"].tolist() == LEVELS
    assert test.statistic == pytest.approx(by_place.statistic, rel=1e-12)
    reversed_test = logrank_trend(sample(), OS, by="group", scores=[3, 2, 1])
    assert test.statistic == pytest.approx(reversed_test.statistic, rel=1e-12)
    alphabetical = logrank_trend(sample().astype({"group": str}), OS, by="group")
    assert test.statistic != pytest.approx(alphabetical.statistic, rel=1e-3)


# --- Levels of confidence ---------------------------------------------------------------------------

LIMITED: dict[str, Callable[[pd.DataFrame, object], object]] = {
    "kaplan_meier": lambda rows, level: kaplan_meier(rows, OS, conf_level=level),
    "median_follow_up": lambda rows, level: median_follow_up(rows, OS, conf_level=level),
    "survival_difference": lambda rows, level: survival_difference(
        kaplan_meier(rows, OS, by="group"), 8, conf_level=level
    ),
    "restricted_mean": lambda rows, level: restricted_mean(kaplan_meier(rows, OS), 8, conf_level=level),
    "restricted_mean_difference": lambda rows, level: restricted_mean_difference(
        kaplan_meier(rows, OS, by="group"), 8, conf_level=level
    ),
    "hazard_ratios": lambda rows, level: hazard_ratios(fit_cox(rows, OS, ["x"]), conf_level=level),
    "cumulative_incidence": lambda rows, level: cumulative_incidence(rows, CAUSES, conf_level=level),
    "search_cutpoint": lambda rows, level: search_cutpoint(
        rows, OS, "x", n_permutations=9, n_bootstrap=0, seed=1, conf_level=level
    ),
}


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("level", [0, 1, -0.1, float("nan"), None, True, "0.95"])
def test_a_level_that_is_none_is_refused_everywhere(name: str, level: object) -> None:
    with pytest.raises(InputError, match=rf"conf_level={level!r} must lie between 0 and 1"):
        LIMITED[name](sample(), level)


@pytest.mark.parametrize("name", LIMITED)
def test_a_level_in_percent_is_refused_everywhere_with_the_share(name: str) -> None:
    with pytest.raises(InputError, match=r"conf_level=95 must lie between 0 and 1; did you mean 0\.95\?"):
        LIMITED[name](sample(), 95)


# --- Figures ----------------------------------------------------------------------------------------


def test_one_group_and_groups_without_events_are_drawn() -> None:
    odd = sample().assign(event=0, **{"Mg²⁺ < 0,75": "niedrig ≤ µ"})
    figure = plot_survival(kaplan_meier(odd, OS, by="Mg²⁺ < 0,75"))
    figure.draw_without_rendering()
    (curve,) = (line for line in figure.axes[0].lines if line.get_label() == "niedrig ≤ µ")
    assert set(curve.get_ydata()) == {1.0}


# --- The machine that it runs on --------------------------------------------------------------------


def test_no_number_is_written_as_the_locale_would() -> None:
    by_locale = re.compile(r"\bimport locale\b|\bfrom locale\b|use_locale|:[^\s{}\"']{0,6}n\}")
    sources = Path(analysis.__file__).parent.rglob("*.py")
    assert [path.name for path in sources if by_locale.search(path.read_text(encoding="utf-8"))] == []


def estimates(rows: pd.DataFrame) -> list[np.ndarray]:
    """Curves, tests and models of one cohort."""
    frames = (
        kaplan_meier(rows, OS, by="group", engine="kernel"),
        pairwise_logrank(rows, OS, by="group"),
        hazard_ratios(fit_cox(rows, OS, "x + z + group", engine="kernel")),
        cumulative_incidence(rows, CAUSES, by="group"),
        search_cutpoint(rows, OS, "x", n_permutations=99, n_bootstrap=10, seed=1).summary(),
    )
    return [frame.select_dtypes("number").to_numpy(dtype=np.float64) for frame in frames]


def test_threads_get_the_same_bits_and_leave_settings_alone() -> None:
    cohort = sample(200)
    alone, settings, errors = estimates(cohort), dict(mpl.rcParams), np.geterr()
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(estimates, [cohort] * 8):
            for ours, theirs in zip(found, alone, strict=True):
                np.testing.assert_array_equal(ours, theirs)
    assert dict(mpl.rcParams) == settings
    assert np.geterr() == errors


def test_what_is_drawn_at_random_leaves_the_global_generator_alone() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    simulate_cohort(seed=1)
    search_cutpoint(sample(), OS, "x", n_permutations=9, n_bootstrap=9, seed=1)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
