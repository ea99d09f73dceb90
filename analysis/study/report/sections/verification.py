"""Why these numbers can be believed: two computations of each headline, agreement with R, software and inputs."""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import InputError, NotSupported, collected
from analysis.present.text import display_frame
from analysis.study import report
from analysis.study.models import CONTINUOUS, StudyModel, fit_models
from analysis.study.report import Blocks, Listing, Prose, computed, slug, table
from analysis.study.study import Study
from analysis.survival.cox import fit_cox
from analysis.survival.curves import kaplan_meier
from analysis.survival.group_tests import lifelines_logrank, logrank_test
from analysis.survival.rows import Engine

ENGINES: tuple[Engine, ...] = ("lifelines", "kernel")
PACKAGES = ("magnesium-survival", "lifelines", "pandas", "numpy", "scipy", "formulaic", "matplotlib", "seaborn")

Headline = tuple[str, str, float, float]


@report.section("verification", "Verification", supplement=True)
def verification_section(study: Study) -> Blocks:
    """The study's own numbers by two engines where there are two, and R's where there is one."""
    yield Prose(
        "Curves, log-rank tests and Cox models are computed twice here from the same checked rows: by lifelines, whose"
        " curves and models this report prints (up to 20,000 rows), and by this package's own array code, the kernel,"
        " whose log-rank tests it prints. Medians and restricted means are read off both curves by one rule."
        " Differences of the size of rounding show that two independent implementations agree; they do not show"
        " that the data, or the question, are right."
    )
    attempts = [
        computed(f"{endpoint.name}, the second computation", two_computations, study, endpoint)
        for endpoint in study.plan.endpoints
    ]
    pairs = [both for both in attempts if both is not None]
    if pairs:
        yield table("two-engines", "Largest difference between two computations", engine_table(pairs))
    kinds = dict.fromkeys(ENGINES, "digits") | {"absolute_difference": "tiny"}
    for both in pairs:
        title = f"{both.endpoint.name}: headline numbers by lifelines and by the kernel"
        yield table(f"{slug(both.endpoint.name)}-verification", title, headline_table(study, both), kinds=kinds)
    yield from _r_blocks()


def _r_blocks() -> Blocks:
    """What has one engine, and in how many cases the test-suite finds it equal to R."""
    counts = r_agreement()
    cases, values, bound = counts["n_cases"].sum(), counts["n_values"].sum(), counts["bound"].max()
    yield Prose(
        "Everything else comes from one piece of code: standard errors and limits, numbers at risk, stratified and"
        " weighted tests, the test of proportional hazards, concordance, competing risks, splines and searched cuts."
        f" It is **equal to R in {cases:,} cases** ({values:,} values, relative differences below {bound:.0e}), whose"
        " data sets and R's answers lie in the source tree; the test-suite compares them each time it runs. The"
        " first command makes the table again in a source tree; the second checks that a report still follows from its"
        " inputs:"
    )
    yield Listing("python -m tests.reference.agreement\npython -m analysis check FOLDER_OF_THE_REPORT")
    headings = {"equals_in_r": "Equals in R", "n_cases": "Cases", "n_values": "Values", "bound": "Differences below"}
    yield table(
        "r-agreement",
        "Equal to R: what the test-suite compares",
        counts,
        display=display_frame(counts, headings=headings, kinds={"bound": "tiny"}),
        note="Differences are relative to R's value; 0: none. R 4.2.2, survival, rms, cmprsk, maxstat.",
    )


def r_agreement() -> pd.DataFrame:
    """What the test-suite compares with R: statistic equals_in_r n_cases n_values bound (of relative differences).

    Examples
    --------
    >>> r_agreement().columns.tolist()
    ['statistic', 'equals_in_r', 'n_cases', 'n_values', 'bound']
    """
    with files("analysis.study").joinpath("r_agreement.csv").open("rb") as file:
        return pd.read_csv(file)


@dataclass(frozen=True, eq=False)
class TwoComputations:
    """One endpoint by both engines, lifelines first: curves, log-rank chi-squares, and each model's coefficients.

    `logrank` is None where there is nothing to compare, or lifelines does not offer it; so is what a model lacks.
    """

    endpoint: Endpoint
    curves: tuple[pd.DataFrame, pd.DataFrame]
    logrank: tuple[float, float] | None
    models: tuple[tuple[StudyModel, pd.DataFrame, pd.DataFrame], ...]


def two_computations(study: Study, endpoint: Endpoint) -> TwoComputations:
    """One endpoint computed twice from the same checked rows, without the warnings that its own sections give."""
    cohort, by = study.cohort, study.stratum_column
    with collected():
        first, second = (
            kaplan_meier(cohort, endpoint, by=by, cluster=study.cluster, engine=engine) for engine in ENGINES
        )
        logrank = None
        with suppress(InputError):
            theirs = lifelines_logrank(cohort, endpoint, by=by)
            logrank = theirs, logrank_test(cohort, endpoint, by=by).statistic
        models = [pair for model in fit_models(study, endpoint) for pair in _both_fits(study, endpoint, model)]
    return TwoComputations(endpoint, (first, second), logrank, tuple(models))


def _both_fits(
    study: Study, endpoint: Endpoint, model: StudyModel
) -> list[tuple[StudyModel, pd.DataFrame, pd.DataFrame]]:
    """A model's coefficients by both engines; nothing where lifelines does not offer it."""
    fits = {model.fit.model.engine: model.fit}
    (other,) = (engine for engine in ENGINES if engine not in fits)
    with suppress(NotSupported):
        fits[other] = fit_cox(study.cohort, endpoint, model.covariates, strata=model.strata, engine=other)
        return [(model, fits["lifelines"].coefficients, fits["kernel"].coefficients)]
    return []


def headline_table(study: Study, both: TwoComputations) -> pd.DataFrame:
    """Each headline number by both engines: estimate, of (a stratum or a term), lifelines, kernel, absolute_difference.

    Survival at the milestones, medians and restricted means by stratum, the log-rank chi-square, and the marker's Cox
    coefficients. An estimate that one engine alone offers is not here.
    """
    rows = [(*row, abs(row[2] - row[3])) for row in _headlines(study, both)]
    return pd.DataFrame(rows, columns=["estimate", "of", *ENGINES, "absolute_difference"])


def _headlines(study: Study, both: TwoComputations) -> Iterator[Headline]:
    """What is read off both curves by the same rules, the log-rank test over all strata, the marker's coefficients."""
    with collected():
        first, second = (report.survival_table(study, both.endpoint, curves) for curves in both.curves)
    unit = both.endpoint.time_unit
    names = {
        "median": f"median ({unit})",
        "survival": f"survival at {{time:g}} {unit}",
        "restricted mean": f"mean {unit} within the first {{time:g}}",
    }
    for row, other in zip(first.to_dict("records"), second["value"], strict=True):
        name = names[row["estimate"]].format(time=row["time"])
        yield name, str(row["stratum"]), float(row["value"]), float(other)
    if both.logrank is not None:
        yield "log-rank chi-square", "all strata", *both.logrank
    terms = [study.marker_term, *map(study.contrast, study.compared)]
    for model, *coefficients in both.models:
        theirs, ours = (frame.set_index("term")["coef"] for frame in coefficients)
        for term in [term for term in terms if term in theirs.index]:
            yield f"{model.adjustment} Cox coefficient", term, float(theirs[term]), float(ours[term])


def engine_table(pairs: list[TwoComputations]) -> pd.DataFrame:
    """The largest difference of all values: endpoint estimate n_values largest_difference."""
    rows: list[tuple[str, str, int, float]] = []
    for both in pairs:
        name = both.endpoint.name
        rows.append((name, "survival by stratum (relative)", *_curve_difference(*both.curves)))
        if both.logrank is not None:
            theirs, ours = both.logrank
            rows.append((name, "log-rank chi-square (relative)", 1, abs(theirs - ours) / max(theirs, 1e-12)))
        for model, first, second in both.models:
            if model.marker == CONTINUOUS:
                words = f"{model.adjustment} Cox coefficients (of the larger of coefficient and its error)"
                rows.append((name, words, len(first), _coefficient_difference(first, second)))
    return pd.DataFrame(rows, columns=["endpoint", "estimate", "n_values", "largest_difference"])


def _curve_difference(first: pd.DataFrame, second: pd.DataFrame) -> tuple[int, float]:
    """How many values of two curves were compared, and their largest relative difference."""
    theirs, ours = first["survival"], second["survival"]
    compared = theirs > 0
    return int(compared.sum()), float(((theirs - ours).abs() / theirs)[compared].max())


def _coefficient_difference(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """The largest difference of coefficients, in units of the larger of coefficient and standard error."""
    scale = first[["coef", "std_error"]].abs().max(axis=1)
    difference = float(((first["coef"] - second["coef"]).abs() / scale).max())
    return difference if math.isfinite(difference) else math.nan


@report.section("software-and-inputs", "Software and inputs", supplement=True)
def methods_section(study: Study) -> Blocks:
    """Software, inputs, and the plan as written."""
    yield table("software", "Software", software_table())
    yield table("inputs", "Inputs and their SHA-256", input_table(study))
    yield Prose("**The plan as written**")
    yield Listing(study.plan.text)


def software_table() -> pd.DataFrame:
    """What ran: software version."""
    rows = [("Python", platform.python_version()), *((name, version(name)) for name in PACKAGES)]
    return pd.DataFrame(rows, columns=["software", "version"])


def input_table(study: Study) -> pd.DataFrame:
    """The files that were read: file bytes sha256."""
    paths = [study.plan.data.path, *([study.plan.truth] if study.plan.truth else [])]
    rows = [(path.name, path.stat().st_size, sha256(path)) for path in paths]
    rows.append(("the plan", len(study.plan.text.encode("utf-8")), study.plan.sha256))
    return pd.DataFrame(rows, columns=["file", "bytes", "sha256"])


def sha256(path: Path) -> str:
    """The SHA-256 digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
