"""What was done, in the words of a methods section: composed from the plan, the calls and the parts that were made."""

from __future__ import annotations

import platform
from collections.abc import Collection
from fnmatch import fnmatchcase
from importlib.metadata import version

from analysis.cohort.columns import Endpoint
from analysis.study.study import Study, horizon

SOURCES = {
    "lifelines": "Davidson-Pilon, J Open Source Softw 2019, DOI 10.21105/joss.01317",
    "numpy": "Harris et al., Nature 2020, DOI 10.1038/s41586-020-2649-2",
    "scipy": "Virtanen et al., Nat Methods 2020, DOI 10.1038/s41592-019-0686-2",
    "pandas": "McKinney, Proc 9th Python in Science Conf 2010, DOI 10.25080/Majora-92bf1922-00a",
}
"""What to cite for the software that computed."""


def methods_words(study: Study, made: Collection[str]) -> tuple[str, ...]:
    """Paragraphs on what was done.

    Parameters
    ----------
    study : Study
        A prepared study.
    made : collection of str
        Names of the tables and figures that were made: only what was done is told.

    Returns
    -------
    tuple of str
        Endpoints; strata; curves and tests; models; further analyses; missing values; software.
    """
    parts = [_endpoints(study), _strata(study), _curves(study), _models(study)]
    parts += [_further(study, made), _missing(study, made), _software()]
    return tuple(part for part in parts if part)


def _endpoints(study: Study) -> str:
    """How each outcome is counted."""
    start = f" from {study.plan.time_zero}" if study.plan.time_zero else ""
    told = " ".join(f"{one.name} was counted in {one.time_unit}{start}.{_entry(one)}" for one in study.plan.endpoints)
    words = study.plan.reporting.get("endpoint_definitions", "")
    return f"**Endpoints.** {told}" + (f" {words}" if words else "")


def _entry(endpoint: Endpoint) -> str:
    """The sentence about late entry; empty without."""
    return f" Patients were at risk from their entry ({endpoint.entry}) on." if endpoint.entry is not None else ""


def _strata(study: Study) -> str:
    """How the marker entered."""
    unit = f" ({study.unit})" if study.unit else ""
    intervals = "; ".join(f"{label} {study.descriptions[label]}" for label in study.strata_labels)
    return (
        f"**Marker.** {study.plan.marker.label}{unit} was analysed as it was measured, per {study.step}, and in strata"
        f" ({intervals}). Source of the cut-points: {study.cutpoints.source}."
    )


def _curves(study: Study) -> str:
    """Estimates and tests by stratum."""
    within = f", also stratified by {_listed(study, study.plan.model.strata)}" if study.plan.model.strata else ""
    ends = {f"{horizon(study, one):g} {one.time_unit}" for one in study.plan.endpoints}
    return (
        "**Curves and tests.** Survival was estimated by Kaplan and Meier, with Greenwood's standard error and log-log"
        " intervals; follow-up by the reverse estimate. Strata were compared by the log-rank test"
        f"{within}, and by restricted means up to {' and '.join(sorted(ends))}. Intervals are 95 % and pointwise;"
        " p-values are two-sided and, where not said otherwise, not adjusted for their number. Times that differ only"
        " by rounding were taken as one."
    )


def _models(study: Study) -> str:
    """The Cox models and their assumption."""
    model = study.plan.model
    adjusted = f" Adjusted models hold {_listed(study, model.covariates)} too" if model.covariates else ""
    within = f"stratified by {_listed(study, model.strata)}" if model.strata else ""
    extra = f"{adjusted}, {within}." if adjusted and within else f"{adjusted}." if adjusted else ""
    if within and not adjusted:
        extra = f" Adjusted models are {within}."
    chosen = " Covariates are those of the plan; no step of the analysis selects any." if model.covariates else ""
    words = study.plan.reporting.get("prespecification", "")
    chosen += f" Of what was decided before the outcome was seen the author says: {words}" if words else ""
    return (
        "**Models.** Hazard ratios come from Cox models with Efron's handling of ties and Wald intervals."
        f"{chosen}{extra} Proportional hazards were checked by the"
        " score test of each term times g(t), g(t) being one minus the Kaplan-Meier estimate just before t (cox.zph of"
        " R's survival since 3.0)."
    )


_FURTHER = {
    "dose-response-curve": "the marker's whole dose response by a restricted cubic spline with four knots",
    "searched-cut": "a search over every cut, crude and, where the plan adjusts and it could be made, adjusted as the"
    " models are, with a p-value by permutation and a hazard ratio corrected for the search",
    "multiverse": "a multiverse of cuts, endpoints, adjustments and rules for missing values, tested by permutation for"
    " each adjustment",
    "incidence-rates": "incidence rates with exact Poisson intervals",
    "*-weighted-cox": "Cox models weighted by the inverse probability of the stratum, with robust errors",
    "balance": "curves adjusted by standardisation and by inverse-probability weighting, with bootstrap intervals",
    "e-values": "E-values for unmeasured confounding",
    "moving-marker": "landmark and time-dependent analyses of repeated values",
    "subgroups-*": "subgroups with tests of interaction",
    "*-max-combo": "weighted log-rank tests with one joint p-value",
    "without-each-site": "leaving out one site at a time",
    "simulation-extrapolation": "simulation-extrapolation for the marker's measurement error, beside the estimate over"
    " its reliability",
}
"""What may have been done besides, by the table that shows it."""


def _further(study: Study, made: Collection[str]) -> str:
    """What was done besides, and not needed for the main results."""
    done = [words for pattern, words in _FURTHER.items() if any(fnmatchcase(name, pattern) for name in made)]
    if not done:
        return ""
    seed = study.plan.robustness.seed
    return f"**Further analyses.** {_joined(done)[:1].upper()}{_joined(done)[1:]}. Seed of what was drawn: {seed}."


def _missing(study: Study, made: Collection[str]) -> str:
    """How missing values were handled."""
    words = (
        "**Missing values.** Rows with a missing value in a column that an analysis uses were left out of that"
        " analysis; each table says how many were used."
    )
    if "imputed" in made:
        number = study.plan.robustness.n_imputations
        words += (
            f" Beside it, missing values were imputed {number} times by chained equations (numbers by linear, 0/1"
            " columns and categories by logistic models), with the outcomes in the model (of every endpoint the event,"
            " the Nelson-Aalen cumulative hazard, and each row's cumulative hazard by a Cox model of the predictors,"
            " which is this package's addition to the usual two), and pooled by Rubin's rules."
        )
    return words


def _software() -> str:
    """What computed, with versions and what to cite."""
    cited = "; ".join(f"{name} {version(name)} ({source})" for name, source in SOURCES.items())
    own = version("magnesium-survival")
    return f"**Software.** Python {platform.python_version()}; magnesium-survival {own}; {cited}."


def _listed(study: Study, names: tuple[str, ...]) -> str:
    """Columns or terms in the plan's words."""
    return _joined([study.label(name) for name in names])


def _joined(parts: list[str]) -> str:
    """Parts as a list in a sentence."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
