"""Events and patients of a study from closed forms, what so many can show, and the study simulated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.batches import batch_bounds, in_batches
from analysis.errors import InputError, choice_problems, count_problems, number_problems, raise_all
from analysis.kernels.cox import fit_arrays
from analysis.kernels.tails import normal_quantile
from analysis.survival.cox import CoxFit
from analysis.survival.curves import strata_of
from analysis.survival.planning.assumptions import Assumptions, Design, share_problems

BATCH = 25
HALF = 0.5


@dataclass(frozen=True)
class SimulatedPower:
    """The share of simulated studies that reject no effect, with its Monte-Carlo error.

    Attributes
    ----------
    power, std_error : float
    n_failed : int
        Studies without a finite estimate, which count as not rejecting.
    mean_events : float
        A study's events on average.
    mean_log_hazard_ratio : float
        Of the studies with an estimate.
    n_replicates, seed : int
    """

    power: float
    std_error: float
    n_failed: int
    mean_events: float
    mean_log_hazard_ratio: float
    n_replicates: int
    seed: int


@dataclass(frozen=True)
class StudyDesign:
    """A study that is planned: what it compares, and how many events and patients that takes.

    Attributes
    ----------
    design : str
    hazard_ratio : float
        That the study is planned for; the one that it can show when the number of patients or events was given.
    power, alpha : float
    n_event : int
    n : int or None
        Patients; None without an `event_rate`.
    n_screened : int or None
        Patients to be looked at for `n` in the stratum; `n` otherwise.
    event_share : float
        The share of patients with the event; NaN without an `event_rate`.
    months : float
        Accrual and follow-up together, in the unit of `event_rate`; NaN without them.
    interval_ratio : float
        The upper limit of the hazard ratio's 1 - alpha interval over the lower, as expected.
    information : float
        Of one event on the log hazard ratio.
    """

    design: Design
    hazard_ratio: float
    power: float
    alpha: float
    n_event: int
    n: int | None
    n_screened: int | None
    event_share: float
    months: float
    interval_ratio: float
    information: float
    assumptions: Assumptions

    def simulate(self, *, seed: int, n_replicates: int = 1000) -> SimulatedPower:
        """Simulate the planned study, analyse each with a Cox model, and count the rejections.

        Event times are exponential, entry is uniform over the accrual, drop-out exponential; a normal marker with a
        normal covariate that explains `r_squared` of it and is in the model; Wald's test at `alpha`, two-sided.

        Parameters
        ----------
        seed : int
        n_replicates : int

        Returns
        -------
        SimulatedPower

        Raises
        ------
        InputError
            A plan without an `event_rate`, whose patients are not known.

        Examples
        --------
        >>> planned = plan_study(hazard_ratio=0.6, design="groups", event_rate=0.05, accrual=12, follow_up=24)
        >>> simulated = planned.simulate(seed=1, n_replicates=100)
        >>> abs(simulated.power - 0.9) < 4 * simulated.std_error
        True
        """
        raise_all(count_problems("seed", seed, low=0) + count_problems("n_replicates", n_replicates), InputError)
        if self.n is None:
            raise InputError("simulate: how many patients is not known; plan with event_rate=, accrual= and follow_up=")
        bounds = batch_bounds(n_replicates, BATCH)
        sizes = [end - first for first, end in bounds]
        batches = list(zip(np.random.SeedSequence(seed).spawn(len(bounds)), sizes, strict=True))
        drawn = np.concatenate(in_batches(self._batch, batches, sizes=sizes, label="simulated studies"))
        estimate, std_error, n_event = drawn.T
        fitted = np.isfinite(estimate) & (std_error > 0)
        rejected = np.abs(estimate[fitted]) > normal_quantile(1 - self.alpha) * std_error[fitted]
        power = float(rejected.sum()) / n_replicates
        return SimulatedPower(
            power=power,
            std_error=float(np.sqrt(power * (1 - power) / n_replicates)),
            n_failed=int((~fitted).sum()),
            mean_events=float(n_event.mean()),
            mean_log_hazard_ratio=float(estimate[fitted].mean()) if fitted.any() else float("nan"),
            n_replicates=n_replicates,
            seed=seed,
        )

    def _batch(self, batch: tuple[np.random.SeedSequence, int]) -> FloatArray:
        """Estimate, standard error and events of some studies."""
        stream, size = batch
        rng = np.random.default_rng(stream)
        return np.array([self._study(rng) for _ in range(size)])

    def _study(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """One study."""
        assert self.n is not None
        x, effect = self.assumptions.covariates(rng, self.n, np.log(self.hazard_ratio))
        time, event = self.assumptions.follow(rng, np.exp(effect))
        varied = x.std(axis=0) > 0
        if not event.any() or not varied[0]:
            return float("nan"), float("nan"), float(event.sum())
        coef, covariance, _ = fit_arrays(x[:, varied], time, event)
        return float(coef[0]), float(np.sqrt(covariance[0, 0])), float(event.sum())


def plan_study(
    *,
    hazard_ratio: float | None = None,
    n_event: int | None = None,
    n: int | None = None,
    power: float = 0.9,
    alpha: float = 0.05,
    design: Design = "marker",
    marker_sd: float = 1.0,
    r_squared: float = 0.0,
    allocation: float | None = None,
    prevalence: float | None = None,
    event_rate: float | None = None,
    accrual: float | None = None,
    follow_up: float | None = None,
    drop_out: float = 0.0,
) -> StudyDesign:
    """Events and patients that a study needs for a hazard ratio; or the hazard ratio that so many can show.

    With z the normal quantiles of 1 - alpha / 2 and of the power, and i the information of an event,
    n_event = (z_alpha + z_power)^2 / (i log(hazard_ratio)^2), and
    n = n_event / (the share of patients with the event by the end of the study).

    Parameters
    ----------
    hazard_ratio : float, optional
        For one unit of the marker ("marker", "cut"), of a group against the other ("groups", "stratum"), or of the
        effect in one stratum over that in the other ("interaction").
    n_event, n : int, optional
        In place of the hazard ratio: what it would have to be with so many events, or patients.
    power, alpha : float
        Alpha is two-sided.
    design : {"marker", "cut", "groups", "interaction", "stratum"}
        "marker": a continuous marker beside covariates, i = marker_sd^2 (1 - r_squared) (Hsieh and Lavori).
        "cut": the same marker, but analysed in two groups, of which `allocation` lies above the cut.
        "groups": two groups, i = allocation (1 - allocation) (Schoenfeld).
        "interaction": marker stratum by treatment, i = allocation (1 - allocation) prevalence (1 - prevalence).
        "stratum": a randomised comparison within the stratum that `prevalence` of those screened belong to.
    marker_sd : float
        Standard deviation of the marker, in its units.
    r_squared : float
        Share of the marker's variance that the covariates explain.
    allocation : float, optional
        Share in the second group, or above the cut; half by default.
    prevalence : float, optional
        Share in the stratum; half by default.
    event_rate : float, optional
        Events per person and unit of time, at the mean of the marker or in the first group; needed for patients.
    accrual, follow_up : float, optional
        Time over which patients enter evenly (none by default), and from the last entry to the end.
    drop_out : float
        Rate of drop-out, per person and unit of time.

    Returns
    -------
    StudyDesign

    Raises
    ------
    InputError
        Options out of range, all at once; not exactly one of `hazard_ratio`, `n_event` and `n`.

    Notes
    -----
    Hsieh and Lavori (2000), Controlled Clinical Trials 21:552; Schoenfeld (1983), Biometrics 39:499; Schmoor et al.
    (2000), Statistics in Medicine 19:441 for interactions. As R's
    ``powerSurvEpi::ssizeEpiCont`` and ``gsDesign::nEvents``.
    Local approximations: they hold for hazard ratios near 1, and lose some power far from it (``.simulate`` says how
    much). A cut that is searched needs more than a "cut" that is given; what the search costs is in `search_cutpoint`.

    Examples
    --------
    >>> plan_study(hazard_ratio=1.3).n_event  # per standard deviation of the marker
    153
    >>> planned = plan_study(
    ...     hazard_ratio=0.7, design="groups", power=0.8, event_rate=0.03, accrual=24, follow_up=12
    ... )
    >>> planned.n_event, planned.n
    (247, 554)
    """
    taken = Assumptions(
        design=design,
        marker_sd=marker_sd,
        r_squared=r_squared,
        allocation=HALF if allocation is None else allocation,
        prevalence=HALF if prevalence is None else prevalence,
        event_rate=event_rate,
        accrual=0.0 if accrual is None else accrual,
        follow_up=follow_up,
        drop_out=drop_out,
    )
    problems = _aim_problems(hazard_ratio, n_event, n) + share_problems("power", power) + share_problems("alpha", alpha)
    problems += taken.problems()
    if n is not None and event_rate is None:
        problems.append("n: patients are known only with event_rate and follow_up; give n_event instead")
    raise_all(problems, InputError)
    needed = (normal_quantile(1 - alpha) + _one_sided(power)) ** 2 / taken.information
    log_ratio = np.log(hazard_ratio) if hazard_ratio is not None else _shown(taken, needed, n_event, n)
    events = int(np.ceil(needed / log_ratio**2 - 1e-9)) if n_event is None else n_event
    share = taken.event_share(log_ratio)
    patients = n if n is not None else None if np.isnan(share) else int(np.ceil(events / share - 1e-9))
    screened = patients
    if patients is not None and design == "stratum":
        screened = int(np.ceil(patients / taken.prevalence - 1e-9))
    reach = normal_quantile(1 - alpha) / np.sqrt(taken.information * events)
    return StudyDesign(
        design=design,
        hazard_ratio=float(np.exp(log_ratio)),
        power=power,
        alpha=alpha,
        n_event=events,
        n=patients,
        n_screened=screened,
        event_share=share,
        months=float("nan") if follow_up is None else float(taken.accrual + follow_up),
        interval_ratio=float(np.exp(2 * reach)),
        information=taken.information,
        assumptions=taken,
    )


def _one_sided(power: float) -> float:
    """The normal quantile of a power."""
    from scipy.special import ndtri

    return float(ndtri(power))


def _shown(taken: Assumptions, needed: float, n_event: int | None, n: int | None) -> float:
    """The log hazard ratio above 0 that so many events, or patients, show."""
    from scipy.optimize import brentq

    if n_event is not None:
        return float(np.sqrt(needed / n_event))
    assert n is not None
    return float(brentq(lambda log_ratio: needed / log_ratio**2 - n * taken.event_share(log_ratio), 1e-6, 10.0))


def _aim_problems(hazard_ratio: float | None, n_event: int | None, n: int | None) -> list[str]:
    """What is wrong with what the study is planned for."""
    given = {"hazard_ratio": hazard_ratio, "n_event": n_event, "n": n}
    named = [name for name, value in given.items() if value is not None]
    problems = [] if len(named) == 1 else [f"give one of hazard_ratio, n_event and n; got {', '.join(named) or 'none'}"]
    if hazard_ratio is not None:
        wrong = number_problems("hazard_ratio", hazard_ratio, low=0)
        if not wrong and hazard_ratio in (0, 1):
            wrong = [f"hazard_ratio={hazard_ratio:g}: nothing to show; give a ratio above 0 other than 1"]
        problems += wrong
    for name in ("n_event", "n"):
        problems += count_problems(name, given[name], low=2) if given[name] is not None else []
    return problems


def pilot_assumptions(fit: CoxFit, curves: pd.DataFrame, *, marker: str | None = None) -> dict[str, float]:
    """What a pilot cohort says of the next study, as arguments of `plan_study`.

    Parameters
    ----------
    fit : CoxFit
        A model of the pilot cohort with the marker and what it is adjusted for.
    curves : DataFrame
        As `kaplan_meier` returns them, of the same endpoint.
    marker : str, optional
        A term of the model; the first by default.

    Returns
    -------
    dict
        hazard_ratio (one unit of the marker), marker_sd, r_squared (of the marker on the other terms, within strata),
        event_rate (events over person-time). A hazard ratio of a pilot is too far from 1 as often as not: plan for the
        smallest that matters.

    Raises
    ------
    InputError
        A term that is not in the model; curves that are none.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox, kaplan_meier, load_example
    >>> lung, survival = load_example("lung"), Endpoint("os_days", "os_event")
    >>> pilot = pilot_assumptions(fit_cox(lung, survival, ["age", "sex"]), kaplan_meier(lung, survival))
    >>> {name: round(value, 4) for name, value in pilot.items()}
    {'hazard_ratio': 1.0172, 'marker_sd': 9.0735, 'r_squared': 0.0149, 'event_rate': 0.0024}
    """
    name = fit.terms[0] if marker is None else marker
    raise_all(choice_problems("marker", name, fit.terms), InputError)
    index, codes = list(fit.terms).index(name), fit.rows.strata
    x = fit.design.x - _stratum_means(fit.design.x, codes)
    own, others = x[:, index], np.delete(x, index, axis=1)
    left = own - others @ np.linalg.lstsq(others, own, rcond=None)[0] if others.shape[1] else own
    exposure, events = 0.0, 0.0
    for rows in strata_of(curves).values():
        steps = np.diff(rows["time"].to_numpy(dtype=np.float64), prepend=0.0)
        exposure += float(steps @ rows["n_risk"].to_numpy(dtype=np.float64))
        events += float(rows["n_event"].sum())
    return {
        "hazard_ratio": float(np.exp(fit.coef[index])),
        "marker_sd": float(np.std(fit.design.x[:, index], ddof=1)),
        "r_squared": float(1 - (left @ left) / (own @ own)),
        "event_rate": events / exposure,
    }


def _stratum_means(x: FloatArray, codes: IntArray) -> FloatArray:
    """The mean of each row's stratum, column by column."""
    sizes = np.bincount(codes)
    return np.column_stack([(np.bincount(codes, column) / sizes)[codes] for column in x.T])
