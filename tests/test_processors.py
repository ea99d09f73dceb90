"""The same numbers on every x86-64 processor: compiled loops, seeded draws and figures, compared to the last bit.

One process computes for this machine, one for a machine with AVX2, and one for any x86-64 machine, with the
instructions that numpy, OpenBLAS and the C library may use there. The latter two compile their own loops, and then read
them from the cache; this machine takes those of the other tests. Matrix products, LAPACK, and numpy's exponentials and
logarithms differ in the last bits between processors; what comes from them is the same to the bound that is tested.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    Endpoint,
    bootstrap_cox,
    continuous_marker,
    cutpoint_world,
    dose_response,
    figure_svg,
    fit_cox,
    impute_cohort,
    kaplan_meier,
    load_cohort,
    logrank_test,
    median_split,
    permutation_logrank,
    plot_cutpoint_scan,
    plot_survival,
    restricted_mean,
    risk_table,
    search_cutpoint,
    simulate_cohort,
    simulation_study,
)
from analysis.cohort.synthetic.simulation import CohortDesign
from analysis.kernels import random_draws
from analysis.kernels.cox_registry import CoxArrays, arrays_rows, large_problem, moments_within
from analysis.kernels.cox_resamples import fit_groupings
from analysis.kernels.cutpoints import scan

ENDPOINT = Endpoint("time", "event")
ROOT = Path(__file__).resolve().parents[1]
RELATIVE, ABSOLUTE = 1e-10, 1e-12
"""By how much numbers may differ that come from matrix products or from numpy's exponentials and logarithms."""
AVX512 = {"X86_V4", "AVX512_ICL", "AVX512_SPR", "AVX512F", "AVX512CD", "AVX512_SKX", "AVX512_CLX", "AVX512_CNL"}
AVX2 = {"X86_V3", "AVX2", "FMA3"}

Numbers = dict[str, object]


def instructions(cpu: str, features: str, without: set[str], blas: str) -> dict[str, str]:
    """The environment in which numba, numpy, OpenBLAS and the C library compute as on another processor."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    known = [name for name in __cpu_dispatch__ if name in without and __cpu_features__[name]]
    return {
        "NUMBA_CPU_NAME": cpu,
        "NUMBA_CPU_FEATURES": "",
        "NPY_DISABLE_CPU_FEATURES": " ".join(known),
        "OPENBLAS_CORETYPE": blas,
        "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={features}",
    }


def processors() -> dict[str, dict[str, str]]:
    """This machine, one with AVX2, and any x86-64 machine."""
    return {
        "this machine": {},
        "haswell": instructions("haswell", "-AVX512F", AVX512, "Haswell"),
        "x86-64": instructions("x86-64", "-AVX512F,-AVX2,-FMA,-FMA4", AVX512 | AVX2, "Nehalem"),
    }


def cohort(n: int = 160) -> pd.DataFrame:
    """Rows with ties, two covariates and three arms, of numbers that no library rounds."""
    rng = np.random.default_rng(1)
    x, z = rng.integers(-150, 150, n) / 64, rng.integers(0, 9, n) / 8
    columns = {"time": rng.integers(1, 400, n) / (1 + (x > 0)), "event": rng.integers(0, 2, n), "x": x, "z": z}
    return pd.DataFrame(columns | {"arm": rng.choice(["a", "b", "c"], n)})


def same_bits() -> Numbers:
    """What may not differ at all: what compiled loops return, and what is drawn with a seed."""
    rows = cohort()
    random_draws.COMPILED_FROM = scan.COMPILED_FROM = 0
    draws = bootstrap_cox(rows, ENDPOINT, ["x", "z"], n_bootstrap=60, seed=1).draws
    test = permutation_logrank(rows, ENDPOINT, by="arm", n_permutations=999, seed=2)
    search = search_cutpoint(rows, ENDPOINT, "x", n_permutations=999, n_bootstrap=0, seed=3)
    simulated = simulate_cohort(CohortDesign().of_size(100), seed=4)
    x, time, event = rows[["x", "z"]].to_numpy(), rows["time"].to_numpy(), rows["event"].to_numpy() == 1
    groupings = np.array([np.arange(len(x)) % 3, np.arange(len(x)) % 7 % 3])
    centre, scale = moments_within(x, None, 1)
    large = large_problem(arrays_rows(CoxArrays(x, time, event), centre, scale), np.array([0.5, -0.25])).begin
    return {
        "bootstrap_cox": draws,
        "permutation_logrank": test.permuted,
        "permutation_logrank, p-value": test.p_value,
        "search_cutpoint": [search.cut, search.statistic, search.p_permutation],
        "search_cutpoint, scan": search.scan,
        "simulate_cohort": simulated.cohort.select_dtypes("number"),
        "simulate_cohort, labs": simulated.labs.select_dtypes("number"),
        "Cox models of many groupings": fit_groupings(groupings, np.eye(3)[:, :2], x, time, event),
        "Cox model of many rows": [large.log_likelihood, *large.gradient, *large.information.ravel()],
    }


def close_numbers() -> Numbers:
    """What may differ in the last bits: tables, from matrix products, LAPACK, exponentials and logarithms."""
    rows = cohort()
    curves = kaplan_meier(rows, ENDPOINT, by="arm")
    adjusted = search_cutpoint(rows, ENDPOINT, "x", adjust=["z"], n_permutations=99, n_bootstrap=20, seed=5)
    world = cutpoint_world("independent", CohortDesign(world="independent").of_size(80), seed=6)
    design = [world], [median_split, continuous_marker]
    missing = rows.assign(x=rows["x"].where(np.arange(len(rows)) % 50 > 0))
    imputed = impute_cohort(missing, ENDPOINT, "x", predictors="z", n_imputations=3, seed=8)
    return {
        "kaplan_meier": curves,
        "restricted_mean": restricted_mean(curves, 100),
        "logrank_test": [(test := logrank_test(rows, ENDPOINT, by="arm")).statistic, test.p_value],
        "fit_cox, lifelines": fit_cox(rows, ENDPOINT, ["x", "z"], engine="lifelines").coefficients,
        "fit_cox, kernel": fit_cox(rows, ENDPOINT, ["x", "z"], engine="kernel").coefficients,
        "dose_response": dose_response(rows, ENDPOINT, "x").curve,
        "search_cutpoint, adjusted": [adjusted.cut, adjusted.hazard_ratio_corrected, adjusted.conf_low],
        "simulation_study": simulation_study(*design, n_replicates=20, seed=7),
        "impute_cohort": pd.concat(imputed.cohorts),
    }


def figures() -> Numbers:
    """Figures as files: coordinates are written to six decimals, so the bytes are the same."""
    patients = load_cohort().dropna(subset=["magnesium"])
    endpoint = Endpoint("os_months", "os_event")
    curves = kaplan_meier(patients, endpoint, by="treatment")
    risk = risk_table(patients, endpoint, times=[0, 6, 12, 18, 24], by="treatment")
    search = search_cutpoint(patients, endpoint, "magnesium", n_permutations=199, n_bootstrap=0, seed=9)
    return {
        "survival figure": figure_svg(plot_survival(curves, risk=risk), alt="Survival."),
        "scan figure": figure_svg(plot_cutpoint_scan(search.scan, cut=search.cut), alt="Scan."),
    }


COMPUTED: dict[str, Callable[[], Numbers]] = {"same": same_bits, "close": close_numbers, "figures": figures}


def start(environment: dict[str, str], folder: Path, names: str) -> subprocess.Popen[str]:
    """A process that writes some of what is computed to its folder."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-W", "error", "-m", "tests.test_processors", str(folder), names]
    own = {"NUMBA_CACHE_DIR": str(folder / "numba")} if environment else {}
    settings = os.environ | own | {"OPENBLAS_NUM_THREADS": "1"} | environment
    return subprocess.Popen(command, env=settings, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def finish(runs: dict[str, subprocess.Popen[str]], folder: Path) -> dict[str, Numbers]:
    """What the processes have computed."""
    errors = {name: run.communicate()[1] for name, run in runs.items()}
    for name, run in runs.items():
        assert run.returncode == 0, f"{name}: {errors[name][-3000:]}"
    return {name: pickle.loads((folder / name / "numbers").read_bytes()) for name in runs}


@pytest.fixture(scope="module")
def computed(tmp_path_factory) -> dict[str, dict[str, Numbers]]:
    """Everything, as each processor computes it, and again with loops from the cache."""
    folder = tmp_path_factory.mktemp("processors")
    wanted = {"this machine": "same close figures", "haswell": "same", "x86-64": "same close figures"}
    first = {name: start(settings, folder / name, wanted[name]) for name, settings in processors().items()}
    cold = finish(first, folder)
    again = {name: start(settings, folder / name, "same") for name, settings in processors().items() if settings}
    return {"cold": cold, "warm": finish(again, folder)}


def numeric(result: object) -> Iterator[tuple[str, np.ndarray]]:
    """The numbers of a result, by name."""
    if isinstance(result, pd.DataFrame):
        for column in result.select_dtypes("number"):
            yield column, result[column].to_numpy(dtype=float, na_value=np.nan)
    else:
        yield "", np.asarray(result, dtype=float)


@pytest.mark.parametrize("cache", ["cold", "warm"])
@pytest.mark.parametrize("processor", ["haswell", "x86-64"])
def test_seeded_results_and_compiled_loops_have_the_same_bits(computed, processor, cache):
    expected, actual = computed["cold"]["this machine"]["same"], computed[cache][processor]["same"]
    assert expected.keys() == actual.keys()
    for name, numbers in expected.items():
        for (part, one), (_, other) in zip(numeric(numbers), numeric(actual[name]), strict=True):
            assert one.tobytes() == other.tobytes(), f"{name} {part}"


def test_tables_differ_by_rounding_at_most(computed):
    expected, actual = (computed["cold"][processor]["close"] for processor in ("this machine", "x86-64"))
    for name, numbers in expected.items():
        for (part, one), (_, other) in zip(numeric(numbers), numeric(actual[name]), strict=True):
            assert_allclose(other, one, rtol=RELATIVE, atol=ABSOLUTE, err_msg=f"{name} {part}")


@pytest.mark.parametrize("figure", ["survival figure", "scan figure"])
def test_figures_have_the_same_bytes(computed, figure):
    expected, actual = (computed["cold"][processor]["figures"][figure] for processor in ("this machine", "x86-64"))
    assert actual == expected


def main(folder: Path, names: list[str]) -> None:
    """Compute, and write down."""
    (folder / "numbers").write_bytes(pickle.dumps({name: COMPUTED[name]() for name in names}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].split())
