"""What a cut costs: the marker's whole curve, a searched cut with its correction, other choices, measuring again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.figures import plot_cutpoint_scan, plot_dose_response
from analysis.present.pages import Prose
from analysis.present.text import format_number, format_p
from analysis.strata.dose_response import DoseResponse, dose_response
from analysis.strata.search import CutpointSearch, resample_size, search_cutpoint
from analysis.study.blocks import attempted, table
from analysis.study.models import stated_error
from analysis.study.report import Block, StudyFigure, StudySection
from analysis.study.report.sections.cut_choices import (
    N_BOOTSTRAP,
    N_PERMUTATIONS,
    P_VALUES,
    SEED,
    measurement_blocks,
    multiverse_blocks,
    world_blocks,
)
from analysis.study.report.sections.strata import edge_table
from analysis.study.study import Study, hazard_ratio_target


def searching_section(study: Study) -> StudySection:
    """The continuous marker first, then a search told as a search, then how much hangs on the choices."""
    found = _searches(study)
    words = Prose(
        "Nothing here was needed for the results above. A cut throws away what lies within its groups, and a search"
        f" finds a cut in any data. So the whole curve comes first. {_searches_words(study, found)} The last parts ask"
        " how much hangs on choices and on measuring once."
    )
    alike = [one for one in found if is_adjusted(one) == _adjusts(study)]
    blocks: list[Block] = [words, *attempted("The curve", partial(_curve_blocks, study, *alike[:1]))]
    if found:
        blocks += _search_blocks(study, found)
    blocks += attempted("The multiverse of choices", partial(multiverse_blocks, study))
    error = stated_error(study)
    if error is not None:
        cuts = [one.cutpoints(unit=study.unit) for one in found[:1]]
        blocks += attempted("Measuring again", partial(measurement_blocks, study, cuts, error))
    if study.plan.synthetic:
        blocks += attempted("The search in other worlds", world_blocks)
    return StudySection("searching", "What a cut costs", tuple(blocks))


def _adjusts(study: Study) -> bool:
    """Whether the plan adjusts for anything."""
    return bool(study.plan.model.covariates or study.plan.model.strata)


def is_adjusted(found: CutpointSearch) -> bool:
    """Whether a search was made beside covariates or within strata."""
    return bool(found.adjust or found.strata)


def _searches_words(study: Study, found: Sequence[CutpointSearch]) -> str:
    """What the searches that were made are corrected for."""
    if not found:
        return "No cut could be searched."
    words = "The searched cut stands with a p-value and a hazard ratio corrected for the search, "
    if not is_adjusted(found[0]):
        failed = "The adjusted search could not be made. " if _adjusts(study) else ""
        return f"{failed}{words}crude: not corrected for confounding."
    beside = "; the crude search beside it is corrected for the search, not for confounding" if found[1:] else ""
    return f"{words}adjusted as the plan says{beside}."


def _curve_blocks(study: Study, found: CutpointSearch | None = None) -> list[Block]:
    """The hazard along the marker, adjusted as the plan says, with its two tests, and where a search would cut it."""
    plan = study.plan
    response = dose_response(
        study.cohort, study.primary, plan.marker.column, adjust=plan.model.covariates, strata=plan.model.strata or None
    )
    draw = partial(
        plot_dose_response,
        response.curve,
        values=study.cohort[plan.marker.column].dropna(),
        cutpoints=edge_table(study),
        searched=(found.cut, found.cut_low, found.cut_high) if found else None,
        reference=response.reference,
        truth=_linear_truth(study, response),
        label=plan.marker.label,
        unit=study.unit,
        synthetic=plan.synthetic,
    )
    caption = (
        f"Hazard ratio of {study.primary.name} against the median, a restricted cubic spline with pointwise intervals,"
        f" {'adjusted as the plan says' if _adjusts(study) else 'crude'}."
    )
    if study.truth is not None:
        caption += " Dotted: the target of the adjusted linear model."
    figure = StudyFigure(
        name="dose-response",
        title=f"The hazard along {plan.marker.label}",
        alt=f"Hazard ratio along {plan.marker.label} against {response.reference:.3g} {study.unit}; test of any effect"
        f" p {format_p(response.overall_test.p_value)}, of a bend p {format_p(response.nonlinear_test.p_value)}.",
        caption=caption,
        draw=draw,
    )
    return [
        figure,
        table("dose-response-curve", "The curve at nine values of the marker", _nine_points(response)),
        table("dose-response-tests", "Likelihood-ratio tests of the curve", _curve_tests(response)),
    ]


def _curve_tests(response: DoseResponse) -> pd.DataFrame:
    """Both likelihood-ratio tests of a curve: test statistic df p_value."""
    tests = {"any effect of the marker": response.overall_test, "a bend in the curve": response.nonlinear_test}
    rows = [(name, test.statistic, test.df, test.p_value) for name, test in tests.items()]
    return pd.DataFrame(rows, columns=["test", "statistic", "df", "p_value"])


def _nine_points(response: DoseResponse) -> pd.DataFrame:
    """Nine evenly spaced points of the curve: marker hazard_ratio conf_low conf_high."""
    places = np.linspace(0, len(response.curve) - 1, 9).round().astype(int)
    points = response.curve.iloc[places][["marker", "hazard_ratio", "conf_low", "conf_high"]]
    return points.reset_index(drop=True)


def _linear_truth(study: Study, response: DoseResponse) -> pd.DataFrame | None:
    """The hazard ratio by the target of the adjusted linear model: marker hazard_ratio."""
    if study.truth is None:
        return None
    per_step = hazard_ratio_target(study.truth, study.primary, "conditional, measured magnesium")
    marker = response.curve["marker"]
    steps = (response.reference - marker) / study.plan.marker.per
    return pd.DataFrame({"marker": marker, "hazard_ratio": per_step**steps})


def _searches(study: Study) -> list[CutpointSearch]:
    """The search adjusted as the plan says, where it adjusts for anything, then the crude one."""
    found: list[CutpointSearch] = []
    if _adjusts(study):
        found += attempted("The adjusted search", lambda: [searched(study, study.primary, adjusted=True)])
    return found + attempted("The crude search", lambda: [searched(study, study.primary)])


def _search_blocks(study: Study, found: Sequence[CutpointSearch]) -> list[Block]:
    """The leading search of the primary endpoint, never without its correction; all searches in the table."""
    plan, first = study.plan, found[0]
    draw = partial(
        plot_cutpoint_scan,
        first.scan,
        cut=first.cut,
        interval=(first.cut_low, first.cut_high),
        critical=first.critical_value,
        summary=first.summary(),
        subtitle=f"{study.primary.name}, {_adjustment(first)}",
        label=plan.marker.label,
        unit=study.unit,
        synthetic=plan.synthetic,
    )
    note = " ".join(_search_note(study, one) for one in found)
    title = f"A search over every cut of {plan.marker.label}, {_adjustment(first)}"
    figure = StudyFigure(
        name="searched-cut",
        title=title,
        alt=f"Standardised statistic at each cut of {plan.marker.label}, {_adjustment(first)}; the largest is at"
        f" {first.cut:.3g}. {note}",
        caption="Each point is a cut that could have been chosen; the searched one is the highest. Broken line: what"
        " the highest of all cuts exceeds in 5 % of permutations. " + _search_note(study, first),
        draw=draw,
    )
    rows = pd.concat([one.summary().assign(adjustment=_adjustment(one)) for one in found], ignore_index=True)
    shown = rows[["adjustment", *first.summary().columns]]
    heading = f"{study.primary.name}: the searched cut, corrected for the search, beside the continuous marker"
    note += (
        f" Interval by {first.n_bootstrap} bootstrap resamples, p by permutation: near 0.05 the two can disagree. The"
        " correction is for the search, not for confounding, which adjustment alone can take away."
    )
    return [figure, table("searched-cut", heading, shown, note=note, kinds=P_VALUES)]


def _adjustment(found: CutpointSearch) -> str:
    """How a search was adjusted, in words."""
    return "adjusted as the plan says" if is_adjusted(found) else "crude"


def _search_note(study: Study, found: CutpointSearch) -> str:
    """Where one search found its cut, in how many rows, and by what its p-value was computed."""
    where = f"{format_number(found.cut_low)} to {format_number(found.cut_high)}"
    return (
        f"{_adjustment(found)[:1].upper()}{_adjustment(found)[1:]}, {found.n_used} patients: searched over"
        f" {len(found.scan)} cuts; the cut is {found.cut:.3g} {study.unit}, and in 95 % of {found.n_bootstrap}"
        f" resamples of {resample_size(found.n_used)} patients (n to the power of 0.8) it lies within {where}. p by"
        f" {found.n_permutations} permutations ({found.permutation}); Lausen and Schumacher (1992):"
        f" {format_p(found.p_lausen92)}; Lausen, Sauerbrei and Schumacher (1994): {format_p(found.p_lausen94)}. Seed"
        f" {found.seed}."
    )


def searched(study: Study, endpoint: Endpoint, *, adjusted: bool = False) -> CutpointSearch:
    """The searched cut of an endpoint: crude, or with the covariates and strata of the plan."""
    model = study.plan.model
    return search_cutpoint(
        study.cohort,
        endpoint,
        study.plan.marker.column,
        adjust=model.covariates if adjusted else (),
        strata=(model.strata or None) if adjusted else None,
        n_permutations=N_PERMUTATIONS,
        n_bootstrap=N_BOOTSTRAP,
        seed=SEED,
    )
