"""The cut-point explorer of a study: every number of its page as tidy frames, and the page beside the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint
from analysis.errors import InputError, NotComputed, NotEstimable, collected, warn_all
from analysis.kernels.tails import normal_quantile, two_sided
from analysis.present.canvas import replace_file
from analysis.present.pages import ExplorerFrames, explorer_page
from analysis.strata.dose_response import dose_response
from analysis.strata.search import CutpointSearch, Scan, search_rows
from analysis.study.outputs.explorer_cuts import MOST_STEPS, Cut, slider_cuts, spread, survival_at_cuts, used_rows
from analysis.study.plan import StudyPlan
from analysis.study.prepare import prepare_study
from analysis.study.report.sections.searching import searched
from analysis.study.study import Study

if TYPE_CHECKING:
    from IPython.display import IFrame

MOST_POINTS, N_CURVE = 400, 101
ESTIMATE = ["hazard_ratio", "conf_low", "conf_high"]


def explorer_frames(study: Study) -> ExplorerFrames:
    """All that the explorer shows, endpoint by endpoint and cut by cut.

    Parameters
    ----------
    study : Study
        A prepared study.

    Returns
    -------
    ExplorerFrames
        The cuts are those of the search, thinned evenly to about 80 where there are more, with the cut found for each
        endpoint and the plan's edges always among them.

    Raises
    ------
    NotEstimable
        No endpoint of which a cut can be searched: few values of the marker, no events.

    Notes
    -----
    Curves hold a row at time 0, at each event time (at most 200 a curve, evenly spread) and at the end of follow-up.

    Examples
    --------
    >>> from analysis.study.run import synthetic_plan
    >>> from analysis.study.prepare import prepare_study
    >>> frames = explorer_frames(prepare_study(synthetic_plan()))
    >>> frames.cuts["endpoint"].unique().tolist()
    ['Overall survival', 'Progression-free survival']
    """
    with collected():  # the report gives them where it computes the same
        searches, problems = _searches(study)
        if not searches:
            raise NotEstimable(problems)
        cuts = slider_cuts(study, searches)
        parts = [_endpoint_frames(study, search, cuts) for search in searches]
    names = list(parts[0])
    joined = {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in names}
    plan = study.plan
    return ExplorerFrames(
        **joined,
        n_cuts_searched=max(len(search.scan) for search in searches),
        n_permutations=searches[0].n_permutations,
        seed=searches[0].seed,
        most_steps=MOST_STEPS,
        adjusted_for=tuple(study.label(term) for term in (*plan.model.covariates, *plan.model.strata)),
        conf_level=searches[0].conf_level,
        direction=plan.marker.direction,
        left_out=tuple(problems),
    )


def write_explorer(study: Study, path: str | Path, *, report: str = "") -> Path | None:
    """Write the explorer as one HTML page that opens offline.

    Parameters
    ----------
    study : Study
        A prepared study.
    path : str or Path
        Where to.
    report : str
        The address of the report, for a link back to it; none when empty.

    Returns
    -------
    Path or None
        None, with a `NotComputed` warning, where no cut of the marker can be searched, or no page be made.

    Warns
    -----
    NotComputed

    Examples
    --------
    >>> import tempfile
    >>> from analysis.study.run import synthetic_plan
    >>> from analysis.study.prepare import prepare_study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_explorer(prepare_study(synthetic_plan()), Path(folder) / "explorer.html").name
    'explorer.html'
    """
    try:
        page = _page(study, explorer_frames(study), report=report)
    except InputError as error:
        warn_all([NotComputed(f"The cut-point explorer is not given: {'; '.join(error.problems)}")])
        return None
    return replace_file(path, page)


def explorer_display(study: Study | StudyPlan, *, height: int = 900) -> IFrame:
    """The explorer inside a notebook: the page in a frame of its own.

    Parameters
    ----------
    study : Study or StudyPlan
        A prepared study, such as `StudyResults.study`, or a plan: its rows are read, nothing else of it is carried out.
    height : int
        Of the frame, in pixels.

    Returns
    -------
    IFrame
        What JupyterLab shows as the value of a cell; nothing is written.

    Raises
    ------
    NotEstimable
        As `explorer_frames`.
    """
    import base64

    from IPython.display import IFrame

    if isinstance(study, StudyPlan):
        study = prepare_study(study)
    page = _page(study, explorer_frames(study), report="")
    address = "data:text/html;charset=utf-8;base64," + base64.b64encode(page.encode("utf-8")).decode("ascii")
    return IFrame(address, width="100%", height=height)


def _page(study: Study, frames: ExplorerFrames, *, report: str) -> str:
    """The page of a study's frames."""
    plan = study.plan
    return explorer_page(
        frames,
        title=plan.title,
        label=plan.marker.label,
        unit=study.unit,
        time_zero=plan.time_zero,
        synthetic=plan.synthetic,
        report=report,
    )


def _searches(study: Study) -> tuple[list[CutpointSearch], list[str]]:
    """The search of each endpoint that allows one, and why the others do not."""
    searches, problems = [], []
    for endpoint in study.plan.endpoints:
        try:
            searches.append(searched(study, endpoint))
        except InputError as error:
            problems += [f"{endpoint.name}: {problem}" for problem in error.problems]
    return searches, problems


def _endpoint_frames(study: Study, search: CutpointSearch, cuts: list[Cut]) -> dict[str, pd.DataFrame]:
    """The frames of one endpoint."""
    endpoint = search.endpoint
    groups, curves, risk, at_milestones = survival_at_cuts(study, endpoint, cuts)
    curve, at_cuts = _dose_response(study, endpoint, cuts)
    n_low, naive = _effects(study, search, cuts, adjusted=False)
    by_rows = search.scan.set_index("n_low")["p_adjusted"]
    table = pd.DataFrame(
        {
            "place": range(len(cuts)),
            "cut": [cut.value for cut in cuts],
            "label": [cut.label for cut in cuts],
            "planned": [cut.planned for cut in cuts],
            "found": [cut.value == search.cut and cut.closed == "right" for cut in cuts],
            **naive,
            "p_corrected": by_rows.reindex(n_low).to_numpy(),
        }
    )
    adjusted = _adjusted_effects(study, search, cuts)
    table = table.assign(**{f"adjusted_{name}": adjusted[name] for name in ESTIMATE})
    table = table.assign(**{f"curve_{name}": at_cuts[name].to_numpy() for name in ESTIMATE})
    points = sorted({*spread(len(search.scan), MOST_POINTS), int(search.scan["cut"].searchsorted(search.cut))})
    frames = {
        "cuts": table,
        "groups": groups,
        "curves": curves,
        "risk": risk,
        "milestones": at_milestones,
        "dose_response": curve,
        "scan": search.scan.iloc[points][["cut", "statistic", "p_adjusted"]],
        "searches": _search_row(search, inverted=study.plan.marker.direction == "lower"),
    }
    for frame in frames.values():
        frame.insert(0, "endpoint", endpoint.name)
    return frames


def _search_row(search: CutpointSearch, *, inverted: bool) -> pd.DataFrame:
    """What an endpoint's search came to, in one row; `inverted` ratios are of the patients below the cut."""
    names = ["cut", "critical_value", "p_permutation", "n_used"]
    row: dict[str, Any] = {name: [getattr(search, name)] for name in names}
    ratios = [search.hazard_ratio_corrected, search.conf_low, search.conf_high]
    if inverted:
        ratios = [1 / ratios[0], 1 / ratios[2], 1 / ratios[1]]
    row |= zip(["hazard_ratio_corrected", "conf_low", "conf_high"], ratios, strict=True)
    return pd.DataFrame({**row, "n_read": search.n_read, "time_unit": search.endpoint.time_unit})


def _effects(
    study: Study, search: CutpointSearch, cuts: list[Cut], *, adjusted: bool
) -> tuple[IntArray, dict[str, FloatArray]]:
    """Each cut's two sides: rows below, and statistic, naive p-value and hazard ratio with its limits."""
    model = study.plan.model
    rows = search_rows(
        study.cohort,
        search.endpoint,
        search.marker,
        adjust=model.covariates if adjusted else (),
        strata=model.strata if adjusted else (),
        fractions=search.fractions,
    )
    n_low = np.array([cut.n_low(rows.scan.marker) for cut in cuts])
    lower = study.plan.marker.direction == "lower"
    estimate = _ratios(rows.scan, n_low, search.conf_level, of_low=lower)
    if adjusted:
        return n_low, estimate
    table = rows.scan.at(n_low).table()
    p_naive = np.array([two_sided(float(root)) for root in np.sqrt(table["chi_square"].to_numpy())])
    return n_low, {"statistic": table["statistic"].to_numpy(), "p_naive": p_naive, **estimate}


def _ratios(scan: Scan, n_low: IntArray, conf_level: float, *, of_low: bool) -> dict[str, FloatArray]:
    """Hazard ratios of one side against the rest, with their limits; NaN where one group has no event."""
    coef, std_error = scan.hazard_of((np.arange(len(scan.marker)) >= n_low[:, None]) ^ of_low)
    half = normal_quantile(conf_level) * std_error
    return dict(zip(ESTIMATE, np.exp([coef, coef - half, coef + half]), strict=True))


def _adjusted_effects(study: Study, search: CutpointSearch, cuts: list[Cut]) -> dict[str, FloatArray]:
    """Hazard ratios beside the plan's covariates; NaN where there are none, or where their model has no estimate."""
    model = study.plan.model
    if model.covariates or model.strata:
        try:
            return _effects(study, search, cuts, adjusted=True)[1]
        except InputError:
            pass
    return {name: np.full(len(cuts), np.nan) for name in ESTIMATE}


def _dose_response(study: Study, endpoint: Endpoint, cuts: list[Cut]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The marker's curve, adjusted as in the report, and its values at the cuts; empty and NaN where it has none."""
    columns = ["marker", *ESTIMATE]
    model, marker = study.plan.model, study.plan.marker.column
    values = used_rows(study, endpoint)[marker]
    at_cuts = [cut.value for cut in cuts]
    points = np.union1d(np.linspace(values.quantile(0.01), values.quantile(0.99), N_CURVE), at_cuts)
    none = pd.DataFrame(np.nan, range(len(cuts)), columns)
    try:
        response = dose_response(
            study.cohort, endpoint, marker, adjust=model.covariates, strata=model.strata or None, at=points
        )
    except InputError:
        return none.iloc[:0].assign(reference=np.nan), none
    ratios = response.curve[ESTIMATE]
    curve = response.curve[columns].assign(**ratios.where(np.isfinite(ratios) & (ratios > 0)))
    if curve["hazard_ratio"].isna().any():  # the spline's coefficients have no finite maximum: nothing to draw
        return none.iloc[:0].assign(reference=np.nan), none
    return curve.assign(reference=response.reference), curve.iloc[points.searchsorted(at_cuts)]
