"""Cox fits: by hand, by what must not change them, and what they carry."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import Endpoint, InputError, NotSupported, RowsDropped, SuspiciousValues, fit_cox, hazard_ratios
from analysis.survival.cox import CoxFit
from tests.reference import rows

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
PLAIN = Endpoint("time", "event")
SPELLS = Endpoint("time", "event", entry="entry")


def sample(seed: int = 0, n: int = 60) -> pd.DataFrame:
    """A cohort with ties, late entry and strata."""
    rng = np.random.default_rng(seed)
    entry = rng.integers(0, 3, n).astype(float)
    return pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "z": rng.integers(0, 2, n),
            "entry": entry,
            "time": entry + rng.integers(1, 12, n),
            "event": rng.random(n) < 0.7,
            "stratum": rng.integers(0, 2, n),
            "weight": rng.uniform(0.5, 2, n),
        }
    )


def assert_same(ours: CoxFit, theirs: CoxFit, *, rtol: float = 1e-9) -> None:
    """The same coefficients, errors, likelihoods and concordance."""
    np.testing.assert_allclose(ours.coef, theirs.coef, rtol=rtol, atol=1e-12)
    np.testing.assert_allclose(ours.covariance, theirs.covariance, rtol=rtol, atol=1e-14)
    np.testing.assert_allclose(ours.log_likelihood, theirs.log_likelihood, rtol=1e-12)
    np.testing.assert_allclose(ours.concordance, theirs.concordance, rtol=1e-12)
    np.testing.assert_allclose(ours.concordance_std_error, theirs.concordance_std_error, rtol=1e-9)


class TestByHand:
    """Therneau and Grambsch's data: unsorted, one value missing."""

    @pytest.mark.parametrize("engine", ["kernel", "lifelines"])
    def test_efron(self, engine: str) -> None:
        fit = fit_cox(rows("test1"), Endpoint("time", "status"), ["x"], engine=engine)
        coef = np.log(2 * np.sqrt(23 / 3) * np.cos(np.arccos(45 / 23 * np.sqrt(3 / 23)) / 3))
        assert fit.coef[0] == pytest.approx(coef, rel=1e-10)
        assert fit.log_likelihood_null == pytest.approx(-np.log(6 * 3 * 4))

    def test_breslow(self) -> None:
        fit = fit_cox(rows("test1"), Endpoint("time", "status"), ["x"], ties="breslow")
        r = (3 + np.sqrt(33)) / 2
        assert fit.coef[0] == pytest.approx(np.log(r), rel=1e-12)
        # both events at 6, and the one at 1: logL = 2 log r - log(3r + 3) - 2 log(r + 3); information in closed form
        assert fit.log_likelihood == pytest.approx(2 * np.log(r) - np.log(3 * r + 3) - 2 * np.log(r + 3))
        information = r / (r + 1) ** 2 + 6 * r / (r + 3) ** 2
        assert fit.coefficients["std_error"].iloc[0] == pytest.approx(information**-0.5)
        score = (2 - 1 / 2 - 2 / 4) ** 2 / (1 / 4 + 6 / 16)
        assert fit.score_test.statistic == pytest.approx(score)

    def test_what_is_carried(self) -> None:
        fit = fit_cox(rows("test1"), Endpoint("time", "status"), ["x"])
        assert (fit.n_read, fit.n_used, fit.n, fit.n_event) == (7, 6, 6, 4)
        assert fit.dropped == {"missing status": 1}
        assert fit.events_per_parameter == 4
        assert list(fit.coefficients.columns) == [
            "term", "coef", "std_error", "robust_std_error", "statistic", "p_value",
        ]  # fmt: skip
        assert fit.coefficients["robust_std_error"].isna().all()
        assert fit.model.covariates == ("x",)
        assert [str(found) for found in fit.warnings if isinstance(found, RowsDropped)] == [
            "1 of 7 rows dropped: 1 for missing status"
        ]

    def test_hazard_ratios_are_exponentials(self) -> None:
        fit = fit_cox(sample(), PLAIN, ["x", "z"])
        table = hazard_ratios(fit, conf_level=0.9)
        reach = 1.6448536269514722 * fit.coefficients["std_error"]
        np.testing.assert_allclose(table["hazard_ratio"], np.exp(fit.coef))
        np.testing.assert_allclose(table["conf_low"], np.exp(fit.coef - reach))
        np.testing.assert_allclose(table["conf_high"], np.exp(fit.coef + reach))
        assert list(table.columns) == ["term", "hazard_ratio", "conf_low", "conf_high", "statistic", "p_value"]


class TestWhatMustNotMatter:
    """Order, units, signs, copies."""

    @settings(max_examples=15, deadline=None)
    @given(st.integers(0, 10**6), st.sampled_from(["efron", "breslow"]), st.booleans())
    def test_row_order_and_index(self, seed: int, ties: str, robust: bool) -> None:
        cohort = sample(seed)
        shuffled = cohort.sample(frac=1, random_state=seed).set_index(np.zeros(len(cohort), dtype=int))
        options = {"ties": ties, "robust": robust, "strata": "stratum", "weights": "weight", "engine": "kernel"}
        assert_same(fit_cox(cohort, SPELLS, ["x", "z"], **options), fit_cox(shuffled, SPELLS, ["x", "z"], **options))

    @settings(max_examples=15, deadline=None)
    @given(st.integers(0, 10**6), st.sampled_from([1e-3, 1e6]))
    def test_time_unit(self, seed: int, unit: float) -> None:
        cohort = sample(seed)
        other = cohort.assign(time=cohort["time"] * unit, entry=cohort["entry"] * unit)
        assert_same(*(fit_cox(held, SPELLS, ["x", "z"], engine="kernel") for held in (cohort, other)))

    @settings(max_examples=15, deadline=None)
    @given(st.integers(0, 10**6), st.sampled_from([-1.0, 1e-6, -1e5]), st.floats(-10, 10))
    def test_sign_scale_and_origin_of_a_covariate(self, seed: int, scale: float, shift: float) -> None:
        cohort = sample(seed)
        other = cohort.assign(x=cohort["x"] * scale + shift * abs(scale))
        ours, theirs = (fit_cox(held, SPELLS, ["x", "z"], engine="kernel") for held in (cohort, other))
        np.testing.assert_allclose(theirs.coef * [scale, 1], ours.coef, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(theirs.coefficients["p_value"], ours.coefficients["p_value"], rtol=1e-6, atol=1e-9)

    @pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
    def test_three_shifted_copies_as_strata(self, ties: str) -> None:
        cohort = rows("test2")
        copies = pd.concat([cohort.assign(start=cohort.start + k, stop=cohort.stop + k, copy=k) for k in (0, 100, 200)])
        endpoint = Endpoint("stop", "event", entry="start")
        one = fit_cox(cohort, endpoint, ["x"], ties=ties)
        three = fit_cox(copies, endpoint, ["x"], ties=ties, strata="copy")
        np.testing.assert_allclose(three.coef, one.coef, rtol=1e-9)
        np.testing.assert_allclose(three.covariance * 3, one.covariance, rtol=1e-9)
        assert three.log_likelihood == pytest.approx(3 * one.log_likelihood)

    def test_weights_are_replicates_under_breslow(self) -> None:
        cohort = rows("testw1")
        copied = cohort.loc[cohort.index.repeat(cohort["wt"])]
        endpoint = Endpoint("time", "status")
        weighted = fit_cox(cohort, endpoint, ["x"], ties="breslow", weights="wt")
        plain = fit_cox(copied, endpoint, ["x"], ties="breslow")
        assert weighted.coef[0] == pytest.approx(0.85955744, abs=5e-9)  # book5 of R's survival tests
        np.testing.assert_allclose(weighted.coef, plain.coef, rtol=1e-10)
        np.testing.assert_allclose(weighted.covariance, plain.covariance, rtol=1e-10)
        efron = fit_cox(cohort, endpoint, ["x"], weights="wt"), fit_cox(copied, endpoint, ["x"])
        assert abs(efron[0].coef[0] - efron[1].coef[0]) > 1e-3  # Efron's are not

    def test_a_constant_weight_leaves_the_coefficients(self) -> None:
        cohort = sample().assign(heavy=7.5)
        plain, heavy = (fit_cox(cohort, PLAIN, ["x"], weights=w, engine="kernel") for w in (None, "heavy"))
        np.testing.assert_allclose(heavy.coef, plain.coef, rtol=1e-10)

    def test_clusters_of_one_are_no_clusters(self) -> None:
        cohort = sample().assign(patient=range(60))
        robust = fit_cox(cohort, PLAIN, ["x", "z"], robust=True)
        assert_same(robust, fit_cox(cohort, PLAIN, ["x", "z"], cluster="patient"))
        assert robust.model.robust

    def test_times_that_differ_by_rounding_are_one_time(self) -> None:
        cohort = pd.DataFrame({"time": [0.3, 0.1 + 0.2, 0.5, 0.7, 0.9], "event": 1, "x": [1.0, 2, 0, 3, 1]})
        exact = cohort.assign(time=cohort["time"].round(3))
        assert_same(*(fit_cox(held, PLAIN, ["x"], engine="kernel") for held in (cohort, exact)))

    def test_dtypes(self) -> None:
        cohort = sample()
        other = cohort.astype({"x": "Float64", "z": "Int64", "event": "boolean", "time": "float32", "entry": "Int32"})
        assert_same(*(fit_cox(held, SPELLS, ["x", "z"], engine="kernel") for held in (cohort, other)))

    def test_input_and_numpy_settings_stay(self) -> None:
        cohort = sample()
        before, settings_before = cohort.copy(deep=True), np.geterr()
        for engine in ("kernel", "lifelines"):
            fit = fit_cox(cohort, SPELLS, "x * z", strata="stratum", weights="weight", robust=True, engine=engine)
            assert 0 < fit.concordance < 1
        pd.testing.assert_frame_equal(cohort, before)
        assert np.geterr() == settings_before

    def test_equal_rows_get_equal_predictors(self) -> None:
        rng = np.random.default_rng(1)
        half = pd.DataFrame(rng.normal(size=(500, 5)), columns=list("abcde"))
        cohort = pd.concat([half, half], ignore_index=True)
        cohort["time"], cohort["event"] = rng.permutation(1000) + 1.0, 1
        score = fit_cox(cohort, PLAIN, list("abcde"), engine="kernel").linear_predictor
        np.testing.assert_array_equal(score[:500], score[500:])


class TestTests:
    """The three tests against zero, and the robust variance."""

    def test_one_covariate(self) -> None:
        fit = fit_cox(sample(), PLAIN, ["x"])
        assert fit.wald_test.statistic == pytest.approx(fit.coefficients["statistic"].iloc[0] ** 2)
        assert fit.wald_test.p_value == pytest.approx(fit.coefficients["p_value"].iloc[0])
        assert fit.likelihood_ratio_test.statistic == pytest.approx(2 * (fit.log_likelihood - fit.log_likelihood_null))
        assert fit.likelihood_ratio_test.df == fit.wald_test.df == fit.score_test.df == 1

    def test_robust_variance_is_used_when_asked_for(self) -> None:
        plain, robust = (fit_cox(sample(), PLAIN, ["x", "z"], robust=asked) for asked in (False, True))
        np.testing.assert_allclose(robust.coefficients["std_error"], plain.coefficients["std_error"])
        np.testing.assert_allclose(np.sqrt(np.diag(robust.covariance)), robust.coefficients["robust_std_error"])
        np.testing.assert_allclose(
            robust.coefficients["statistic"], robust.coef / robust.coefficients["robust_std_error"]
        )
        assert robust.likelihood_ratio_test == plain.likelihood_ratio_test
        assert robust.wald_test != plain.wald_test

    def test_p_values_reach_far_down(self) -> None:
        x = np.repeat([0.0, 1.0], 400)
        rng = np.random.default_rng(2)
        cohort = pd.DataFrame({"time": rng.exponential(np.exp(-4 * x)), "event": 1, "x": x})
        assert 0 < fit_cox(cohort, PLAIN, ["x"]).coefficients["p_value"].iloc[0] < 1e-80


class TestOptions:
    """Words for options that do not exist, or not together."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"ties": "effron"}, "ties='effron'; choose .*did you mean 'efron'"),
            ({"engine": "R"}, "engine='R'; choose"),
            ({"robust": "yes"}, "robust='yes' must be True or False"),
        ],
    )
    def test_unknown(self, options: dict[str, object], message: str) -> None:
        with pytest.raises(InputError, match=message):
            fit_cox(sample(), PLAIN, ["x"], **options)

    @pytest.mark.parametrize("options", [{"weights": "weight"}, {"robust": True}, {"cluster": "stratum"}])
    def test_exact_ties_know_no_weights(self, options: dict[str, object]) -> None:
        with pytest.raises(NotSupported, match="ties='exact' knows neither case weights nor a robust variance"):
            fit_cox(sample(), PLAIN, ["x"], ties="exact", **options)

    @pytest.mark.parametrize("level", [0, 1, 95, -0.1, float("nan")])
    def test_confidence_level(self, level: float) -> None:
        with pytest.raises(InputError, match="must lie between 0 and 1"):
            hazard_ratios(fit_cox(sample(), PLAIN, ["x"]), conf_level=level)

    def test_a_quiet_fit_warns_of_nothing(self) -> None:
        rng = np.random.default_rng(5)
        cohort = pd.DataFrame({"time": rng.random(50), "event": 1, "x": rng.normal(size=50)})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert fit_cox(cohort, PLAIN, ["x"]).warnings == ()


def test_a_ratio_for_too_large_a_unit_is_undefined_and_named() -> None:
    held = sample()
    plain = hazard_ratios(fit_cox(held, PLAIN, ["x", "z"]))
    fit = fit_cox(held.assign(x=held["x"] * 1e-8), PLAIN, ["x", "z"])
    with pytest.warns(SuspiciousValues, match="hazard ratios of 'x': one unit of the covariate is too large a step"):
        table = hazard_ratios(fit)
    assert not np.isinf(table[["hazard_ratio", "conf_low", "conf_high"]]).any(axis=None)
    np.testing.assert_allclose(table["statistic"], plain["statistic"], rtol=1e-6)
    np.testing.assert_allclose(table.iloc[1, 1:].astype(float), plain.iloc[1, 1:].astype(float), rtol=1e-6)


def test_score_residuals_that_cancel_leave_no_robust_test() -> None:
    # A tied pair that expects one event each, and a stratum of equals: the coefficient and each score residual are 0.
    few = pd.DataFrame({"time": [1.0, 1, 1, 2], "event": 1, "x": [-1.0, 1, 0, 0], "stratum": [0, 0, 1, 1]})
    fit = fit_cox(few, PLAIN, ["x"], strata="stratum", robust=True, engine="kernel")
    assert fit.coefficients["coef"].tolist() == [0]
    assert fit.coefficients["robust_std_error"].tolist() == [0]
    assert fit.coefficients[["statistic", "p_value"]].isna().all(axis=None)
    assert np.isnan(fit.wald_test.statistic)
