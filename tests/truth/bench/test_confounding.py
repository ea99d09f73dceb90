"""Crude and adjusted comparisons on the bench: targets are the standardised curves."""

from numpy.testing import assert_allclose

from analysis import OVERALL_SURVIVAL
from analysis.truth.bench import confounding
from tests.truth.bench.planted import PLANTED, SEED, N, target


def test_targets_of_strata_are_the_standardised_curves(truth):
    world = confounding.confounded_world("planted", PLANTED, n_population=N, seed=SEED)
    curves = truth.curves[truth.curves["endpoint"] == OVERALL_SURVIVAL.name].set_index(["stratum", "time"])
    for label in ("low", "reference", "high"):
        expected = curves.loc[(label, 24), "standardised_survival"]
        assert_allclose(target(world, confounding.survival_of(label)), expected, rtol=1e-9)
    means = truth.restricted_means[truth.restricted_means["endpoint"] == OVERALL_SURVIVAL.name]
    months = means.set_index(["stratum", "horizon"])["standardised_restricted_mean"]
    assert_allclose(target(world, confounding.GAINED), months["reference", 24] - months["low", 24], rtol=1e-9)
