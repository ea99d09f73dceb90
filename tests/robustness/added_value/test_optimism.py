"""Optimism: of one resample by hand, whatever the order of the rows and the number of workers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose

from analysis import (
    Endpoint,
    FailedDraws,
    added_value,
    concordance,
    fit_cox,
    load_example,
)

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
SURVIVAL = Endpoint("os_days", "os_event")
LUNG = load_example("lung").dropna(subset=["ecog"])


def of_lung(**options: object):
    """The value of ECOG beside age and sex at one year."""
    given = {"times": 365, "n_bootstrap": 0, "seed": 1} | options
    return added_value(LUNG, SURVIVAL, "age + sex", "ecog", **given)


def test_the_optimism_of_one_resample_by_hand():
    """The resample is drawn again from the seed; both models are fitted to it, and measured there and in all rows."""
    added = of_lung(n_bootstrap=1, seed=7).performance.set_index("measure")
    stream = np.random.SeedSequence(7).spawn(1)[0]
    drawn = np.random.default_rng(stream).integers(0, len(LUNG), size=(1, len(LUNG)))[0]
    ordered = LUNG.sort_values(["os_days", "os_event", "ecog", "sex", "age"], kind="stable", ignore_index=True)
    sample = ordered.iloc[np.sort(drawn)]
    gains = []
    for formula in ("age + sex", "age + sex + ecog"):
        fit = fit_cox(sample, SURVIVAL, formula, engine="kernel")
        score = sum(fit.coef[index] * ordered[name] for index, name in enumerate(fit.terms))
        inside = sample.assign(score=score.iloc[np.sort(drawn)].to_numpy())
        gains.append(
            concordance(inside, SURVIVAL, "score").concordance
            - concordance(ordered.assign(score=score), SURVIVAL, "score").concordance
        )
    row = added.loc["concordance"]
    assert_allclose(row[["without_marker_optimism", "with_marker_optimism"]].astype(float), gains, rtol=1e-9)
    assert_allclose(row["difference_optimism"], gains[1] - gains[0], atol=1e-12)
    assert_allclose(row["with_marker"], row["with_marker_apparent"] - gains[1])
    half = 1.959963984540054 * row["with_marker_std_error"]
    assert_allclose([row["with_marker_conf_low"], row["with_marker_conf_high"]], row["with_marker"] + [-half, half])


def test_order_of_rows_and_workers_change_nothing():
    first = of_lung(n_bootstrap=12)
    shuffled = added_value(
        LUNG.sample(frac=1, random_state=3), SURVIVAL, ["age", "sex"], "ecog", times=[365], n_bootstrap=12, seed=1
    )
    pd.testing.assert_frame_equal(first.performance, shuffled.performance)
    with parallel_config("threading", n_jobs=2):
        pd.testing.assert_frame_equal(first.net_benefit, of_lung(n_bootstrap=12).net_benefit)


def test_resamples_without_a_model_are_counted():
    """One patient alone has the third level: a resample without that patient cannot say anything of it."""
    cohort = LUNG.assign(group=["rare", *(["a", "b"] * 113)])
    with pytest.warns(FailedDraws, match=r"of 30 resamples have no model"):
        added = added_value(cohort, SURVIVAL, "group", "age", times=365, n_bootstrap=30, seed=1)
    assert 3 < added.n_failed < 15
    assert added.performance["with_marker_optimism"].notna().all()
