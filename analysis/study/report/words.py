"""Methods and results in words: composed from the plan and what was made; every number is a frame's."""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib.metadata import version
from typing import Any

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.pages import Prose
from analysis.present.text import format_number, format_time, in_sentence, inline
from analysis.study.models import CONTINUOUS, STRATA, estimate_text, fit_models, marker_hazard_ratios
from analysis.study.report.curves import study_curves
from analysis.study.report.results import RATIO, StudySection, figures_of, frames_of, slug
from analysis.study.study import Study, horizon
from analysis.survival.curves import survival_quantile

SOURCES = {
    "lifelines": "Davidson-Pilon, J Open Source Softw 2019, DOI 10.21105/joss.01317",
    "numpy": "Harris et al., Nature 2020, DOI 10.1038/s41586-020-2649-2",
    "scipy": "Virtanen et al., Nat Methods 2020, DOI 10.1038/s41592-019-0686-2",
    "pandas": "McKinney, Proc 9th Python in Science Conf 2010, DOI 10.25080/Majora-92bf1922-00a",
}
"""What to cite for the software that computed."""
FURTHER = {
    "dose-response-curve": "the marker's whole dose response by a restricted cubic spline with four knots",
    "searched-cut": "a search over every cut, crude and, where possible, adjusted as the"
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

Tables = Mapping[str, pd.DataFrame]
Row = Mapping[Any, Any]

METHODS = {"crude": "crude", "standardised": "adjusted by standardisation", "weighted": "adjusted by weighting"}


def methods_words(study: Study, made: Collection[str]) -> tuple[str, ...]:
    """Paragraphs on what was done.

    Parameters
    ----------
    study : Study
        A prepared study.
    made : collection of str
        Names of the tables and figures that were made: what was not done is left out.

    Returns
    -------
    tuple of str
        Endpoints; strata; curves and tests; models; further analyses; missing values; software.
    """
    parts = (_definitions(study), _strata(study), _curves(study), _models(study))
    return tuple(filter(None, (*parts, _further(study, made), _missing(study, made), _software())))


def _definitions(study: Study) -> str:
    """How each outcome is counted."""
    start = f" from {study.plan.time_zero}" if study.plan.time_zero else ""
    sentences = []
    for endpoint in study.plan.endpoints:
        sentences.append(f"{endpoint.name} was counted in {endpoint.time_unit}{start}.")
        if endpoint.entry is not None:
            sentences.append(f"Patients were at risk from their entry ({endpoint.entry}) on.")
    sentences.append(study.plan.reporting.get("endpoint_definitions", ""))
    return " ".join(filter(None, ("**Endpoints.**", *sentences)))


def _strata(study: Study) -> str:
    """How the marker entered."""
    intervals = "; ".join(f"{label} {study.descriptions[label]}" for label in study.strata_labels)
    return (
        f"**Marker.** {study.plan.marker.label}{study.in_unit} was analysed as it was measured, per {study.step}, and"
        f" in strata ({intervals}). Source of the cut-points: {study.cutpoints.source}."
    )


def _curves(study: Study) -> str:
    """Estimates and tests by stratum."""
    within = f", also stratified by {_listed(study, study.plan.model.strata)}" if study.plan.model.strata else ""
    ends = {f"{horizon(study, one):g} {one.time_unit}" for one in study.plan.endpoints}
    return (
        "**Curves and tests.** Survival was estimated by Kaplan and Meier, with Greenwood's standard error and log-log"
        " intervals; follow-up by the reverse estimate. Strata were compared by the log-rank test"
        f"{within}, and by restricted means up to {' and '.join(sorted(ends))}. Intervals are 95% and pointwise;"
        " p-values are two-sided and not adjusted for multiplicity unless a table says so. Times that differ only"
        " by rounding were taken as one."
    )


def _models(study: Study) -> str:
    """The Cox models and their assumption."""
    model = study.plan.model
    covariates, within = _listed(study, model.covariates), f"stratified by {_listed(study, model.strata)}"
    extra = f" Adjusted models are {within}." if model.strata else ""
    if covariates:
        extra = f" Adjusted models also contain {covariates}{f', {within}' if model.strata else ''}."
    chosen = " Covariates are those of the plan; no step of the analysis selects any." if model.covariates else ""
    words = study.plan.reporting.get("prespecification", "")
    chosen += f" The author on what was decided before the outcome was seen: {words}" if words else ""
    return (
        "**Models.** Hazard ratios come from Cox models with Efron's handling of ties and Wald intervals."
        f"{chosen}{extra} Proportional hazards were checked by the"
        " score test of each term times g(t), g(t) being one minus the Kaplan-Meier estimate just before t (cox.zph of"
        " R's survival since 3.0)."
    )


def _further(study: Study, made: Collection[str]) -> str:
    """What was done besides, and not needed for the main results."""
    done = [words for pattern, words in FURTHER.items() if any(fnmatchcase(name, pattern) for name in made)]
    if not done:
        return ""
    seed = study.plan.robustness.seed
    words = _joined(done)
    return f"**Further analyses.** {words[:1].upper()}{words[1:]}. Seed of what was drawn: {seed}."


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
    return _joined([in_sentence(study.label(name)) for name in names])


def _joined(parts: list[str]) -> str:
    """Parts as a list in a sentence."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def words_section(study: Study, sections: Sequence[StudySection]) -> StudySection:
    """Methods and results in words, from the sections that were made."""
    tables = frames_of(sections)
    texts = (results_words(study, tables), methods_words(study, {*tables, *figures_of(sections)}))
    blocks = tuple(Prose("\n\n".join(text)) for text in texts)
    return StudySection("words", "Methods and results in words", blocks, supplement=True)


def results_words(study: Study, tables: Tables) -> tuple[str, ...]:
    """Paragraphs on the results.

    Parameters
    ----------
    study : Study
        A prepared study, for its words.
    tables : mapping of str to DataFrame
        The report's frames by name; what is not there is left out.

    Returns
    -------
    tuple of str
        The patients, then a paragraph an endpoint: intervals before p-values, the continuous marker before the strata.
    """
    endpoints = {endpoint.name: _endpoint_results(study, endpoint, tables) for endpoint in study.plan.endpoints}
    return (_patients(study, tables), *(f"**{name}.** {words}" for name, words in endpoints.items() if words))


def _patients(study: Study, tables: Tables) -> str:
    """How many there were, in which strata, followed how long."""
    total, known = tables["flow"]["n"].iloc[:2]
    strata = tables["strata"].assign(share=tables["strata"]["n"] / known)
    follow_up = f"Median follow-up in {study.primary.time_unit} (reverse Kaplan-Meier)"
    sentences = (
        inline(
            "**Patients.** Of {total:count} {counted}, {marker} was known in {known:count} ({share:share0}).",
            total=total,
            counted=study.counted,
            known=known,
            share=known / total,
            marker=study.marker_label,
        ),
        _sentence("Strata", strata, "{stratum} ({interval}): {n:count}, {share:share0}"),
        _sentence(follow_up, tables.get("follow-up"), "{stratum} {estimate}", estimate="median"),
    )
    return " ".join(filter(None, sentences))


def _endpoint_results(study: Study, endpoint: Endpoint, tables: Tables) -> str:
    """The findings on one endpoint."""
    unit, name = endpoint.time_unit, slug(endpoint.name)
    means, difference = f"Difference of restricted means in {unit}", "{stratum_b} less {stratum_a} {estimate}"
    crude, standardised = (
        _against_reference(study, tables.get(f"{name}-{key}"))
        for key in ("restricted-mean-differences", "adjusted-mean-differences")
    )
    ratios = tables.get("hazard-ratios")
    mine = None if ratios is None else ratios[ratios["endpoint"] == endpoint.name]
    median = "{stratum} {n_event:count} of {n:count}, {estimate}"
    ratio = "{term}, {adjustment} {estimate} (p {p_value:p=})"
    test = "{test} chi-square {statistic:.1f} on {df:.0f}, p {p_value:p=}"
    sentences = (
        _sentence(f"Events, and median in {unit}", tables.get(f"{name}-medians"), median, estimate="median"),
        _sentence(f"{means}, crude", crude, difference, estimate="difference"),
        _sentence(f"{means}, standardised", standardised, difference, estimate="standardised"),
        _sentence("Log-rank", tables.get(f"{name}-log-rank"), test),
        _sentence("Hazard ratios", mine, ratio, estimate="hazard_ratio"),
        _proportional(tables.get(f"{name}-proportional-hazards")),
    )
    return " ".join(filter(None, sentences))


def _sentence(opening: str, frame: pd.DataFrame | None, template: str, *, estimate: str = "") -> str:
    """The rows of a table in words behind an opening, `{estimate}` with its interval; empty without rows."""
    rows = [] if frame is None else frame.to_dict("records")
    words = [inline(template, row, estimate=_with_limits(row, estimate) if estimate else "") for row in rows]
    return f"{opening}: {'; '.join(words)}." if words else ""


def _with_limits(row: Row, estimate: str) -> str:
    """A hazard ratio or a time with its interval, whose columns bear the estimate's name where there are several."""
    if estimate in RATIO:
        return estimate_text(row)
    prefix = f"{estimate}_" if f"{estimate}_conf_low" in row else ""
    return format_time(row[estimate], row[f"{prefix}conf_low"], row[f"{prefix}conf_high"])


def _against_reference(study: Study, frame: pd.DataFrame | None) -> pd.DataFrame | None:
    """The pairs of strata of which one is the reference."""
    if frame is None:
        return None
    return frame[(frame["stratum_a"] == study.reference) | (frame["stratum_b"] == study.reference)]


def _proportional(frame: pd.DataFrame | None) -> str:
    """The score test of the marker and of all terms."""
    if frame is None:
        return ""
    words = "Score test of proportional hazards: marker p {marker:p=}, all terms p {everything:p=}."
    return inline(words, marker=frame["p_value"].iloc[0], everything=frame["p_value"].iloc[-1])


def summary_lines(study: Study, tables: Tables) -> tuple[str, ...]:
    """Medians of the primary endpoint and hazard ratios; between them restricted means where the plan names those.

    Parameters
    ----------
    study : Study
        A prepared study.
    tables : mapping of str to DataFrame
        The report's frames by name: differences of restricted means, crude and adjusted, are taken from them.

    Returns
    -------
    tuple of str
        Hazard ratios: the continuous marker first, strata after. Differences of restricted means only where the plan
        names them; before the hazard ratios then.
    """
    endpoint = study.primary
    curves = study_curves(study, endpoint)
    sizes = curves.groupby("stratum", observed=True)["n_risk"].first()
    medians = "; ".join(
        f"{row['stratum']} ({study.descriptions[str(row['stratum'])]}, {sizes[row['stratum']]:g} {study.counted}):"
        f" {format_time(row['time'], row['conf_low'], row['conf_high'])}"
        for row in survival_quantile(curves, 0.5).to_dict("records")
    )
    lines = [f"{endpoint.name}, median {endpoint.time_unit}: {medians}."]
    if study.plan.summary == "restricted mean":
        lines += restricted_mean_lines(study, endpoint, tables)
    ratios = marker_hazard_ratios(study, endpoint, fit_models(study, endpoint))
    for marker in (CONTINUOUS, STRATA):
        for term, rows in ratios[ratios["marker"] == marker].groupby("term", sort=False):
            estimates = "; ".join(
                f"{row['adjustment']} {estimate_text(row)}{_target_words(row.get('target'), format_number)}"
                for row in rows.to_dict("records")
            )
            lines.append(f"Hazard ratio, {term}: {estimates}.")
    return tuple(lines)


def restricted_mean_lines(study: Study, endpoint: Endpoint, tables: Tables) -> list[str]:
    """How much longer each stratum lives than the reference within the horizon: adjusted where it was, and crude."""
    name, methods = slug(endpoint.name), METHODS
    frame = _against_reference(study, tables.get(f"{name}-adjusted-mean-differences"))
    if frame is None:
        methods = {"difference": "crude"}
        frame = _against_reference(study, tables.get(f"{name}-restricted-mean-differences"))
    reach = f"Mean {endpoint.time_unit} within the first {horizon(study, endpoint):g}"
    lines = []
    for row in [] if frame is None else frame.to_dict("records"):  # without a table the section on survival says why
        words = "; ".join(_mean(row, column, words) for column, words in methods.items() if column in row)
        lines.append(f"{reach}, {row['stratum_b']} less {row['stratum_a']}: {words}.")
    return lines


def _mean(row: Row, column: str, words: str) -> str:
    """One difference with its interval and, where it is known, its true value."""
    target = row.get("crude_target" if column == "crude" else "adjusted_target", row.get("target"))
    return f"{words} {_with_limits(row, column)}{_target_words(target, format_time)}"


def _target_words(target: float | None, style: Callable[[float], str]) -> str:
    """The true value where it is known."""
    return "" if target is None or pd.isna(target) else f", true value {style(target)}"
