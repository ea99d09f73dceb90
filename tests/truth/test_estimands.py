"""True estimands: consistent tables, known consequences of the design, curves and restricted means by hand."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm

from analysis import CohortDesign, InputError, SmallStratum, kaplan_meier, restricted_mean, true_estimands
from analysis.cohort.columns import OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL
from analysis.cohort.synthetic.simulation import cohort_frame, simulate_patients
from analysis.strata.cutpoints import clinical_cutpoints, stratify
from analysis.survival.cox import fit_cox
from analysis.survival.curves.milestones import survival_at
from analysis.truth.estimands import (
    curve_table,
    magnesium_within,
    restricted_mean_table,
    stratum_courses,
    true_cutpoint_effects,
)

N = 30_000
ENDPOINTS = (OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL)
STRATA = ["all", "low", "reference", "high"]


@pytest.fixture(scope="module")
def truth():
    return true_estimands(CohortDesign(), n=N, seed=1)


@pytest.fixture(scope="module")
def cohort():
    """The cohort that the targets come from, as it would be observed."""
    patients = simulate_patients(CohortDesign().of_size(N), seed=1)
    frame = cohort_frame(patients, patients.measured)
    with pytest.warns(SmallStratum, match="high"):
        return stratify(frame.assign(lower=(0.80 - frame["magnesium"]) / 0.1), CUTS, marker="magnesium")


CUTS = clinical_cutpoints("nhanes-1")


def targets(truth, endpoint):
    table = truth.log_hazard_ratios
    return table[table["endpoint"] == endpoint.name].set_index("target")


def test_the_frames_have_the_agreed_columns(truth):
    ratios, curves, means = truth.log_hazard_ratios, truth.curves, truth.restricted_means
    assert ratios.columns.tolist() == ["endpoint", "target", "log_hazard_ratio", "std_error", "hazard_ratio"]
    assert curves.columns.tolist()[:5] == ["endpoint", "stratum", "time", "survival", "standardised_survival"]
    assert means.columns.tolist()[:3] == ["endpoint", "stratum", "horizon"]
    assert curves["stratum"].unique().tolist() == STRATA
    assert means["horizon"].unique().tolist() == [12, 24, 36]
    assert ratios["endpoint"].unique().tolist() == [endpoint.name for endpoint in ENDPOINTS]
    assert np.allclose(np.exp(ratios["log_hazard_ratio"]), ratios["hazard_ratio"], rtol=1e-12)
    assert not truth.log_hazard_ratios.duplicated(["endpoint", "target"]).any()
    for frame in (ratios, curves, means):
        assert frame.notna().all(axis=None)


@pytest.mark.filterwarnings("ignore::analysis.errors.ManyTies")  # a hundredth of a month holds several of 30,000
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_cox_targets_are_the_fits_to_the_cohort(truth, cohort, endpoint):
    table = targets(truth, endpoint)
    crude = fit_cox(cohort, endpoint, ["lower"], engine="kernel").coefficients.iloc[0]
    assert table.loc["crude, measured magnesium", "log_hazard_ratio"] == pytest.approx(crude["coef"], rel=1e-8)
    assert table.loc["crude, measured magnesium", "std_error"] == pytest.approx(crude["std_error"], rel=1e-6)
    low = (cohort["stratum"] == "low").astype(float)
    above = fit_cox(cohort.assign(above=1 - low), endpoint, ["above"], engine="kernel").coefficients.iloc[0]
    name = "at or above 0.75 against below, crude"
    assert table.loc[name, "log_hazard_ratio"] == pytest.approx(above["coef"], rel=1e-8)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_kaplan_meier_of_the_censored_cohort_agrees_with_the_uncensored_curves(truth, cohort, endpoint):
    curves = kaplan_meier(cohort, endpoint, by="stratum", engine="kernel")
    mine = truth.curves[truth.curves["endpoint"] == endpoint.name].set_index(["stratum", "time"])
    for row in survival_at(curves, [3, 12, 24, 36]).itertuples():
        found = mine.loc[(row.stratum, row.time), "survival"]
        assert abs(row.survival - found) < 4 * row.std_error
        assert abs(row.survival - found) < 0.02
    means = truth.restricted_means[truth.restricted_means["endpoint"] == endpoint.name]
    expected = means.set_index(["stratum", "horizon"])["restricted_mean"]
    for row in restricted_mean(curves, 12).itertuples():
        assert expected[(row.stratum, 12)] == pytest.approx(row.restricted_mean, abs=3 * row.std_error)


def test_the_crude_target_is_larger_than_the_adjusted_one_and_error_attenuates_it(truth):
    for endpoint in ENDPOINTS:
        ratio = targets(truth, endpoint)["hazard_ratio"]
        measured = ratio["conditional, measured magnesium"]
        assert ratio["crude, measured magnesium"] > measured + 0.1
        assert measured < ratio["conditional, true magnesium"]
        assert ratio["low against reference, crude"] > ratio["low against reference, adjusted"] + 0.2


def test_standardising_moves_the_strata_together_and_leaves_everybody_alone(truth):
    table = truth.curves[truth.curves["time"] == 24].set_index(["endpoint", "stratum"])
    for endpoint in ENDPOINTS:
        mine = table.loc[endpoint.name]
        assert mine.loc["all", "survival"] == mine.loc["all", "standardised_survival"]
        assert mine.loc["low", "survival"] < mine.loc["low", "standardised_survival"]
        assert mine.loc["high", "survival"] > mine.loc["high", "standardised_survival"]


def test_without_an_effect_only_the_standardised_curves_coincide():
    truth = true_estimands(CohortDesign(world="null"), n=N, seed=2)
    for endpoint in ENDPOINTS:
        table = targets(truth, endpoint)
        adjusted = table.loc[["conditional, true magnesium", "conditional, measured magnesium"]]
        assert (adjusted["log_hazard_ratio"].abs() < 4 * adjusted["std_error"]).all()
        assert table.loc["crude, measured magnesium", "hazard_ratio"] > 1.1
        assert table.loc["planted on death", "log_hazard_ratio"] == 0
    curves = truth.curves.set_index(["endpoint", "stratum", "time"])
    spread = curves["standardised_survival"].unstack("stratum").agg(np.ptp, axis=1)
    assert spread.max() < 4 * np.sqrt(2 * 0.25 / N)
    assert curves["survival"].unstack("stratum").agg(np.ptp, axis=1).max() > 0.1


def test_the_independent_world_has_no_target_but_zero():
    truth = true_estimands(CohortDesign(world="independent"), n=N, seed=3)
    table = truth.log_hazard_ratios[truth.log_hazard_ratios["std_error"] > 0]
    assert (table["log_hazard_ratio"].abs() < 4 * table["std_error"]).all()


def test_the_threshold_world_names_its_step_and_its_cut():
    truth = true_estimands(CohortDesign(world="threshold"), n=N, seed=4)
    for endpoint in ENDPOINTS:
        table = targets(truth, endpoint)
        assert table.loc["planted on death, below 0.70 against at or above", "hazard_ratio"] == pytest.approx(2.2)
        at_the_step = table.loc["at or above 0.70 against below, adjusted", "hazard_ratio"]
        assert at_the_step < table.loc["at or above 0.75 against below, adjusted", "hazard_ratio"] < 0.95


def test_any_cut_has_a_target_and_the_given_one_is_among_them(truth):
    effects = true_cutpoint_effects(CohortDesign(), [0.70, 0.75, 0.80], n=N, seed=1)
    assert effects.columns.tolist() == ["endpoint", "cut", "log_hazard_ratio", "std_error", "hazard_ratio"]
    for endpoint in ENDPOINTS:
        mine = effects[effects["endpoint"] == endpoint.name].set_index("cut")
        assert (mine["log_hazard_ratio"] < 0).all()
        given = targets(truth, endpoint).loc["at or above 0.75 against below, crude", "log_hazard_ratio"]
        assert mine.loc[0.75, "log_hazard_ratio"] == given


def test_the_same_seed_gives_the_same_targets_whatever_is_missing(truth):
    again = true_estimands(CohortDesign(missing_share=0.4), n=N, seed=1)
    for name in ("log_hazard_ratios", "curves", "restricted_means"):
        assert getattr(again, name).equals(getattr(truth, name))


def test_a_design_of_nobody_is_refused():
    with pytest.raises(InputError, match=r"a design needs patients"):
        true_estimands(CohortDesign(), n=0, seed=1)


DESIGN = CohortDesign()
CUTS = clinical_cutpoints("nhanes-1")
N = 100_000


@pytest.fixture(scope="module")
def patients():
    return simulate_patients(DESIGN.of_size(N), seed=1)


@pytest.fixture(scope="module")
def strata(patients):
    return stratum_courses(patients, DESIGN, CUTS, seed=1)


def test_everybody_is_in_one_stratum_and_all_are_put_in_each(strata):
    sizes = [len(stratum.observed.death) for stratum in strata]
    assert sizes[0] == sum(sizes[1:]) == N
    assert all(len(stratum.standardised.death) == N for stratum in strata)


@pytest.mark.parametrize(("label", "low", "high"), [("low", -np.inf, 0.745), ("reference", 0.745, 0.945)])
def test_standardising_equals_weighting_by_the_probability_of_the_stratum(patients, strata, label, low, high):
    sd = np.hypot(patients.law.sd, DESIGN.measurement_error)
    probability = ndtr((high - patients.law.mean) / sd) - ndtr((low - patients.law.mean) / sd)
    inside = (patients.measured > low) & (patients.measured < high)
    weights = inside / probability
    spent = np.minimum(patients.course.death, 24)
    weighted = weights @ spent / weights.sum()
    error = np.sqrt(np.square(weights * (spent - weighted)).sum()) / weights.sum()
    standardised = next(stratum.standardised for stratum in strata if stratum.label == label)
    mean = np.minimum(standardised.death, 24).mean()
    assert abs(mean - weighted) < 4 * np.hypot(error, spent.std() / np.sqrt(N))


@pytest.mark.parametrize("error", [0.0, 0.028, 0.1])
def test_true_magnesium_is_drawn_given_its_measurement(patients, error):
    design = CohortDesign(measurement_error=error)
    drawn = magnesium_within(patients, design, -np.inf, np.inf, np.random.default_rng(1))
    residual = (drawn - patients.law.mean) / patients.law.sd
    assert residual.mean() == pytest.approx(0, abs=4 / np.sqrt(N))
    assert residual.std() == pytest.approx(1, abs=4 / np.sqrt(2 * N))

    total = np.hypot(patients.law.sd, error)
    bound = (0.745 - patients.law.mean) / total
    within = magnesium_within(patients, design, -np.inf, 0.745, np.random.default_rng(2))
    expected = patients.law.mean - patients.law.sd**2 / total * norm.pdf(bound) / norm.cdf(bound)
    assert within.mean() == pytest.approx(expected.mean(), abs=4 * 0.09 / np.sqrt(N))
    assert error > 0 or (within < 0.745).all()


def test_the_area_under_a_curve_is_its_restricted_mean(strata):
    curves, means = curve_table(strata), restricted_mean_table(strata)
    for row in means.itertuples():
        mine = curves[(curves["endpoint"] == row.endpoint) & (curves["stratum"] == row.stratum)]
        mine = mine[mine["time"] <= row.horizon]
        for curve, mean in (
            ("survival", row.restricted_mean),
            ("standardised_survival", row.standardised_restricted_mean),
        ):
            area = np.trapezoid(mine[curve], mine["time"])
            assert area == pytest.approx(mean, abs=0.06)


def test_curves_fall_and_start_at_one(strata):
    for _, curve in curve_table(strata).groupby(["endpoint", "stratum"]):
        for name in ("survival", "standardised_survival"):
            assert curve[name].iloc[0] == 1
            assert curve[name].is_monotonic_decreasing


def test_monte_carlo_errors_are_the_standard_deviation_of_patients_over_the_root_of_their_number(strata):
    curves, means = curve_table(strata), restricted_mean_table(strata)
    for stratum in strata:
        for before, course in (("", stratum.observed), ("standardised_", stratum.standardised)):
            for endpoint, months in ((OVERALL_SURVIVAL, course.death), (PROGRESSION_FREE_SURVIVAL, course.pfs)):
                rows, areas = (
                    table[(table["endpoint"] == endpoint.name) & (table["stratum"] == stratum.label)]
                    for table in (curves, means)
                )
                alive = months[:, None] > rows["time"].to_numpy()
                lived = np.minimum(months[:, None], areas["horizon"].to_numpy())
                root = np.sqrt(len(months))
                np.testing.assert_allclose(rows[f"{before}survival"], alive.mean(axis=0), rtol=1e-12)
                np.testing.assert_allclose(rows[f"{before}std_error"], alive.std(axis=0) / root, atol=1e-12)
                np.testing.assert_allclose(areas[f"{before}restricted_mean"], lived.mean(axis=0), rtol=1e-12)
                np.testing.assert_allclose(areas[f"{before}std_error"], lived.std(axis=0) / root, rtol=1e-9)
