"""What a cut costs: the marker's whole curve, a searched cut with its correction, other choices, measuring again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.figures import plot_cutpoint_scan, plot_dose_response
from analysis.present.text import format_number, format_p, in_sentence
from analysis.strata.dose_response import DoseResponse, dose_response
from analysis.strata.search import CutpointSearch, resample_size, search_cutpoint
from analysis.study import report
from analysis.study.models import stated_error
from analysis.study.report import RATIO, Blocks, Prose, attempted, computed, table
from analysis.study.report.sections import cut_choices
from analysis.study.report.sections.cut_choices import P_VALUES, SEED
from analysis.study.report.sections.strata import edge_table
from analysis.study.study import Study, hazard_ratio_target


@report.section("searching", "What a cut costs")
def searching_section(study: Study) -> Blocks:
    """The continuous marker first, then a search shown as a search."""
    searches = _searches(study)
    yield Prose(
        "Nothing here was needed for the results above. A cut discards the differences within its groups, and a search"
        f" finds a cut in any data, so the whole curve comes first. {_searches_words(study, searches)} The supplement"
        " shows how much depends on the choice of a cut and on a single measurement."
    )
    planned = next((one for one in searches if is_adjusted(one) == study.adjusts), None)
    yield from attempted("The curve", _curve_blocks, study, planned)
    if searches:
        yield from _search_blocks(study, searches)


@report.section("choices", "How much depends on the choice of a cut", supplement=True)
def choices_section(study: Study) -> report.Blocks:
    """Every choice of a cut, measuring again, and searches in worlds whose truth is known."""
    keys = [(study.primary.name, adjusted) for adjusted in (True, False)]
    searches = [study.searches[key] for key in keys if key in study.searches]  # why one failed is said where it is made
    yield from attempted("The multiverse of choices", cut_choices.multiverse_blocks, study)
    error = stated_error(study)
    if error is not None:
        cuts = [one.cutpoints(unit=study.unit) for one in searches[:1]]
        yield from attempted("Measuring again", cut_choices.measurement_blocks, study, cuts, error)
    if study.plan.synthetic:
        yield from attempted("The search in other worlds", cut_choices.world_blocks)


def is_adjusted(search: CutpointSearch) -> bool:
    """Whether a search was made beside covariates or within strata."""
    return bool(search.adjust or search.strata)


def _searches_words(study: Study, searches: Sequence[CutpointSearch]) -> str:
    """What the searches that were made are corrected for."""
    if not searches:
        return "No cut could be searched."
    words = "The searched cut has a p-value and a hazard ratio corrected for the search, "
    if not is_adjusted(searches[0]):
        failed = "The adjusted search could not be made. " if study.adjusts else ""
        return f"{failed}{words}crude: not corrected for confounding."
    beside = "; the crude search beside it is corrected for the search, not for confounding" if searches[1:] else ""
    return f"{words}adjusted as the plan says{beside}."


def _curve_blocks(study: Study, search: CutpointSearch | None) -> Blocks:
    """The hazard along the marker, adjusted as the plan says, with its two tests, and where a search would cut it."""
    marker = study.plan.marker
    response = dose_response(study.cohort, study.primary, marker.column, **study.adjustment)
    caption = (
        f"Hazard ratio of {in_sentence(study.primary.name)} against the median: a restricted cubic spline with"
        f" pointwise intervals, {'adjusted as the plan says' if study.adjusts else 'crude'}."
    )
    if study.truth is not None:
        caption += " Dotted: the true hazard ratio of the adjusted linear model."
    yield report.figure(
        study, "dose-response", f"The hazard along {study.marker_label}", plot_dose_response, response.curve,
        values=study.cohort[marker.column].dropna(), cutpoints=edge_table(study),
        searched=(search.cut, search.cut_low, search.cut_high) if search else None, reference=response.reference,
        truth=_linear_truth(study, response), label=marker.label, unit=study.unit,
        alt=f"Hazard ratio along {study.marker_label} against {response.reference:.3g} {study.unit}; test of any effect"
        f" p {format_p(response.overall_test.p_value)}, of a bend p {format_p(response.nonlinear_test.p_value)}.",
        caption=caption,
    )  # fmt: skip
    nine = np.linspace(0, len(response.curve) - 1, 9).round().astype(int)
    points = response.curve.iloc[nine][["marker", *RATIO]].reset_index(drop=True)
    tests = {"any effect of the marker": response.overall_test, "a bend in the curve": response.nonlinear_test}
    rows = [(name, test.statistic, test.df, test.p_value) for name, test in tests.items()]
    frame = pd.DataFrame(rows, columns=["test", "statistic", "df", "p_value"])
    yield table("dose-response-curve", "The curve at nine values of the marker", points)
    yield table("dose-response-tests", "Likelihood-ratio tests of the curve", frame)


def _linear_truth(study: Study, response: DoseResponse) -> pd.DataFrame | None:
    """The hazard ratio by the true value of the adjusted linear model: marker hazard_ratio."""
    if study.truth is None:
        return None
    per_step = hazard_ratio_target(study.truth, study.primary, "conditional, measured magnesium")
    marker = response.curve["marker"]
    steps = (response.reference - marker) / study.plan.marker.per
    return pd.DataFrame({"marker": marker, "hazard_ratio": per_step**steps})


def _searches(study: Study) -> list[CutpointSearch]:
    """The search adjusted as the plan says, where it adjusts for anything, then the crude one."""
    searches = [
        computed("The adjusted search", searched, study, study.primary, adjusted=True) if study.adjusts else None,
        computed("The crude search", searched, study, study.primary),
    ]
    return [search for search in searches if search is not None]


def _search_blocks(study: Study, searches: Sequence[CutpointSearch]) -> Blocks:
    """The leading search of the primary endpoint, never without its correction; all searches in the table."""
    label, first, endpoint = study.plan.marker.label, searches[0], study.primary.name
    note = " ".join(_search_note(study, one) for one in searches)
    how = _adjustment(first)
    yield report.figure(
        study, "searched-cut", f"A search over every cut of {study.marker_label}, {how}", plot_cutpoint_scan,
        first.scan,
        cut=first.cut, interval=(first.cut_low, first.cut_high), critical=first.critical_value,
        summary=first.summary(), subtitle=f"{endpoint}, {how}", label=label, unit=study.unit,
        alt=f"Standardised statistic at each cut of {study.marker_label}, {how}; the largest is at {first.cut:.3g}."
        f" {note}",
        caption="Each point is a cut that could have been chosen; the searched one is the highest. Broken line: what"
        " the highest of all cuts exceeds in 5% of permutations.",
    )  # fmt: skip
    rows = pd.concat([one.summary().assign(adjustment=_adjustment(one)) for one in searches], ignore_index=True)
    title = f"{endpoint}: the searched cut, corrected for the search, beside the continuous marker"
    note += (
        f" Interval by {first.n_bootstrap} bootstrap resamples, p by permutation: near 0.05 the two can disagree. The"
        " correction is for the search, not for confounding."
    )
    columns = ["adjustment", *rows.columns.drop("adjustment")]
    yield table("searched-cut", title, rows[columns], note=note, kinds=P_VALUES)


def _adjustment(search: CutpointSearch) -> str:
    """How a search was adjusted, in words."""
    return "adjusted as the plan says" if is_adjusted(search) else "crude"


def _search_note(study: Study, search: CutpointSearch) -> str:
    """Where one search found its cut, in how many rows, and by what its p-value was computed."""
    where, how = f"{format_number(search.cut_low)} to {format_number(search.cut_high)}", _adjustment(search)
    return (
        f"{how[:1].upper()}{how[1:]}, {search.n_used} patients: searched over"
        f" {len(search.scan)} cuts; the cut is {search.cut:.3g} {study.unit}, and in 95% of {search.n_bootstrap}"
        f" resamples of {resample_size(search.n_used)} patients (n to the power of 0.8) it lies within {where}. p by"
        f" {search.n_permutations} permutations ({search.permutation}); Lausen and Schumacher (1992):"
        f" {format_p(search.p_lausen92)}; Lausen, Sauerbrei and Schumacher (1994): {format_p(search.p_lausen94)}. Seed"
        f" {search.seed}."
    )


def searched(study: Study, endpoint: Endpoint, *, adjusted: bool = False) -> CutpointSearch:
    """The searched cut of an endpoint, crude or with the covariates and strata of the plan; made once for a study."""
    key = (endpoint.name, adjusted)
    if key not in study.searches:
        study.searches[key] = search_cutpoint(
            study.cohort,
            endpoint,
            study.plan.marker.column,
            n_permutations=cut_choices.N_PERMUTATIONS,
            n_bootstrap=cut_choices.N_BOOTSTRAP,
            seed=SEED,
            **(study.adjustment if adjusted else {}),
        )
    return study.searches[key]
