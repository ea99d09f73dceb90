"""Long work shared out: in turn, among threads, processes and the workers of a cluster, with the same numbers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config

from analysis import (
    CohortDesign,
    Endpoint,
    adjusted_curves,
    bootstrap_cox,
    continuous_marker,
    cutpoint_multiverse,
    cutpoint_world,
    median_split,
    permutation_logrank,
    simulation_study,
)
from analysis.survival.group_tests import permutation

ENDPOINT = Endpoint("time", "event")
ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """A worker with two threads of a Dask cluster on this machine, in a process of its own; ports are any free ones."""
    from dask.distributed import Client, LocalCluster

    where = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "local_directory": str(folder)}
    workers = LocalCluster(n_workers=1, threads_per_worker=2, **where)
    with workers, Client(workers), parallel_config(backend="dask"):
        yield


def cohort() -> pd.DataFrame:
    """120 rows with a covariate and three arms."""
    rng = np.random.default_rng(1)
    n = 120
    x = rng.normal(size=n)
    columns = {"time": np.ceil(rng.exponential(300 * np.exp(-x))), "event": rng.integers(0, 2, n), "x": x}
    return pd.DataFrame(columns | {"arm": rng.choice(["a", "b", "c"], n)})


def everything() -> list[pd.DataFrame]:
    """Bootstrap, permutations, a multiverse, adjusted curves and simulations, each of several batches."""
    world = cutpoint_world("independent", CohortDesign(world="independent").of_size(80), seed=1)
    draws = bootstrap_cox(cohort(), ENDPOINT, "x + arm", n_bootstrap=450, seed=1).draws
    test = permutation_logrank(cohort(), ENDPOINT, by="arm", n_permutations=5000, seed=2)
    scores = simulation_study([world], [median_split, continuous_marker], n_replicates=60, seed=3)
    cuts = cutpoint_multiverse(
        cohort(), ENDPOINT, "x", cutpoints={"0": 0.0, "three": [-0.5, 0.5]},
        adjustments={"none": (), "arm": ["arm"]}, contrast="next", n_permutations=27, seed=4,
    )  # fmt: skip
    permuted = pd.DataFrame({"statistic": test.permuted, "p_value": test.p_value})
    curves = [
        adjusted_curves(cohort(), ENDPOINT, ["x"], by="arm", method=method, n_bootstrap=60, seed=5).curves
        for method in ("standardisation", "weighting")
    ]
    return [draws, permuted, pd.DataFrame({"median": cuts.null_medians}), cuts.curve, *curves, scores]


def compare_back_ends(folder: Path) -> None:
    """The same work in every way of sharing it out; raises where a bit differs."""
    permutation.BATCH_DRAWS = 100_000
    in_turn = everything()
    ways = {
        "threads": parallel_config(backend="threading", n_jobs=2),
        "processes": parallel_config(backend="loky", n_jobs=2),
        "cluster": cluster(folder),
    }
    for chosen in ways.values():
        with chosen:
            found = everything()
        for one, other in zip(in_turn, found, strict=True):
            pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_in_turn_in_threads_in_processes_and_on_a_cluster(tmp_path):
    """In a process of its own, whose settings and workers no other test sees."""
    command = [sys.executable, "-W", "error", "-m", "tests.test_sharing", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr[-3000:]


def test_small_work_is_not_shared_out(monkeypatch):
    def refuse(*_args: object, **_options: object) -> None:
        raise AssertionError("shared out")

    monkeypatch.setattr("joblib.Parallel", refuse)
    bootstrap_cox(cohort(), ENDPOINT, ["x"], n_bootstrap=200, seed=1)
    permutation_logrank(cohort(), ENDPOINT, by="arm", n_permutations=5000, seed=2)
    with pytest.raises(AssertionError, match="shared out"):
        bootstrap_cox(cohort(), ENDPOINT, ["x"], n_bootstrap=201, seed=1)


if __name__ == "__main__":
    compare_back_ends(Path(sys.argv[1]))
