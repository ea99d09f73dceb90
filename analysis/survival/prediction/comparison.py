"""Two Cox models of the same patients: likelihood ratio, adequacy, difference of concordance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.errors import InputError, NotEstimable, RowAccount, choice_problems, level_problems, raise_all
from analysis.kernels import tolerances
from analysis.kernels.cox import concordance_influence, pair_influence
from analysis.survival.concordance import PairWeighting, uno_weights
from analysis.survival.cox import ChiSquare, CoxFit, chi_square
from analysis.survival.curves import difference_columns
from analysis.survival.printing import Printed, chi_square_text, p_text, significant


@dataclass(frozen=True, eq=False, repr=False)
class ModelComparison(Printed, RowAccount):
    """What the larger of two Cox models adds to the smaller.

    Attributes
    ----------
    likelihood_ratio_test : ChiSquare
        Twice the difference in log-likelihood; NaN where the models are not nested.
    adequacy : float
        The smaller model's likelihood-ratio statistic as a share of the larger's: near 1, little is added. NaN where
        the models are not nested.
    nested : bool
        Whether all that the smaller model can say, the larger can.
    concordance_smaller, concordance_larger : float
    concordance_difference, std_error, conf_low, conf_high, p_value : float
        Larger less smaller, from the influence of each patient on both.
    weighting : str
        Of the pairs, "harrell" or "uno"; and the row account.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox, load_example
    >>> lung = load_example("lung").dropna(subset=["ecog"])
    >>> survival = Endpoint("os_days", "os_event")
    >>> compare_models(fit_cox(lung, survival, ["age", "sex"]), fit_cox(lung, survival, ["age", "sex", "ecog"]))
    Concordance 0.602 and 0.6371: difference 0.03512 (lower .95 -0.003695, upper .95 0.07394), p = 0.076 (Harrell)
    Likelihood ratio test = 16.62 on 1 df, p = 4.6e-05; adequacy of the smaller model 0.4549
    """

    likelihood_ratio_test: ChiSquare
    adequacy: float
    nested: bool
    concordance_smaller: float
    concordance_larger: float
    concordance_difference: float
    std_error: float
    conf_low: float
    conf_high: float
    p_value: float
    conf_level: float
    weighting: PairWeighting

    def _printed(self) -> tuple[list[str], pd.DataFrame, list[str]]:
        level = f"{self.conf_level:g}".removeprefix("0")
        pair = f"{significant(self.concordance_smaller)} and {significant(self.concordance_larger)}"
        limits = f"lower {level} {significant(self.conf_low)}, upper {level} {significant(self.conf_high)}"
        first = (
            f"Concordance {pair}: difference {significant(self.concordance_difference)} ({limits}),"
            f" p = {p_text(self.p_value)} ({self.weighting.capitalize()})"
        )
        test = self.likelihood_ratio_test
        second = chi_square_text("Likelihood ratio test", test.statistic, test.df, test.p_value)
        if not self.nested:
            return [first, "Not nested: no likelihood ratio test"], pd.DataFrame(), []
        return [first, f"{second}; adequacy of the smaller model {significant(self.adequacy)}"], pd.DataFrame(), []


def compare_models(
    smaller: CoxFit, larger: CoxFit, *, weighting: PairWeighting = "harrell", conf_level: float = 0.95
) -> ModelComparison:
    """Compare two Cox models fitted to the same patients.

    Parameters
    ----------
    smaller, larger : CoxFit
        Without and with the marker, of the same rows, endpoint, ties and weights. Where the larger cannot say all that
        the smaller says (or the strata differ), only their concordance is compared.
    weighting : {"harrell", "uno"}
        Of the pairs, as in `concordance`.
    conf_level : float

    Returns
    -------
    ModelComparison

    Raises
    ------
    InputError
        Models of different rows, endpoints, ties or weights; the larger one given first.
    NotEstimable
        When no two rows can be compared.

    Notes
    -----
    As R's ``anova(smaller, larger)`` and ``concordance(smaller, larger)`` with its ``vcov``; adequacy after Harrell
    (2015), Regression Modeling Strategies, section 9.8.3. The concordance is that of the rows that the models were
    fitted to, and so are its interval and p-value: the larger model's is too high by what it was fitted to. The
    likelihood ratio says whether the marker adds anything; `added_value` how much it adds in other patients.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox, load_example
    >>> lung = load_example("lung").dropna(subset=["ecog"])
    >>> survival = Endpoint("os_days", "os_event")
    >>> compared = compare_models(fit_cox(lung, survival, "age + sex"), fit_cox(lung, survival, "age + sex + ecog"))
    >>> round(compared.likelihood_ratio_test.statistic, 3), round(compared.concordance_difference, 4)
    (16.624, 0.0351)
    """
    raise_all(choice_problems("weighting", weighting, get_args(PairWeighting)) + level_problems(conf_level), InputError)
    raise_all(_differences(smaller, larger), InputError)
    data = smaller.design.data
    values, influences = zip(*(_concordance(fit, weighting) for fit in (smaller, larger)), strict=True)
    both = np.column_stack(influences)
    if smaller.model.cluster is not None:
        summed = np.zeros((len(data.cluster.labels), 2))
        np.add.at(summed, data.cluster.codes, both)
        both = summed
    moved = both[:, 1] - both[:, 0]
    table = difference_columns(np.array([values[1] - values[0]]), np.array([np.sqrt(moved @ moved)]), conf_level).iloc[
        0
    ]
    nested = _are_nested(smaller, larger)
    if not nested and _are_nested(larger, smaller):
        raise InputError("the larger model is nested in the smaller; give the smaller one first")
    test, adequacy = _likelihood_ratio(smaller, larger) if nested else (chi_square(float("nan"), 0), float("nan"))
    return ModelComparison(
        likelihood_ratio_test=test,
        adequacy=adequacy,
        nested=nested,
        concordance_smaller=values[0],
        concordance_larger=values[1],
        concordance_difference=float(table["difference"]),
        std_error=float(table["std_error"]),
        conf_low=float(table["conf_low"]),
        conf_high=float(table["conf_high"]),
        p_value=float(table["p_value"]),
        conf_level=conf_level,
        weighting=weighting,
        **data.account,
    )


def _differences(smaller: CoxFit, larger: CoxFit) -> list[str]:
    """Why two fits cannot be compared."""
    for name, fit in (("smaller", smaller), ("larger", larger)):
        if not isinstance(fit, CoxFit):
            return [f"{name}: expected what fit_cox returns, got {type(fit).__name__}"]
    problems = []
    if not np.array_equal(smaller.design.data.position, larger.design.data.position):
        problems.append(
            f"the models are of different rows ({smaller.n} and {larger.n}): a covariate of one is missing in some;"
            " leave out the rows that miss a covariate of either, and fit both again"
        )
    elif not all(
        np.array_equal(getattr(smaller.rows, part), getattr(larger.rows, part))
        for part in ("time", "event", "entry", "weights")
    ):
        problems.append("the models are of different endpoints or weights; fit both to the same")
    if smaller.model.ties != larger.model.ties:
        problems.append(f"ties differ ({smaller.model.ties!r} and {larger.model.ties!r}); fit both with the same")
    if smaller.model.cluster != larger.model.cluster:
        problems.append("clusters differ; fit both with the same")
    return problems


def _concordance(fit: CoxFit, weighting: PairWeighting) -> tuple[float, FloatArray]:
    """The concordance of a fit, and the influence of each row on it."""
    rows, data = fit.rows, fit.design.data
    counts = concordance_influence(
        fit.linear_predictor,
        rows.time,
        rows.event,
        entry=rows.entry,
        strata=rows.strata,
        weights=rows.weights,
        time_weights=uno_weights(data) if weighting == "uno" else None,
    )
    value, influence = pair_influence(counts, rows.weights)
    if np.isnan(value):
        raise NotEstimable(f"no two of {fit.n} rows can be compared: {fit.n_event} events, nobody at risk after one")
    return value, influence


def _are_nested(smaller: CoxFit, larger: CoxFit) -> bool:
    """Whether the columns of the larger model span those of the smaller, with the same baselines."""
    if not np.array_equal(smaller.rows.strata, larger.rows.strata):
        return False
    within, wanted = (_less_stratum_means(fit) for fit in (larger, smaller))
    coef, *_ = np.linalg.lstsq(within, wanted, rcond=None)
    left = np.sqrt(((wanted - within @ coef) ** 2).sum(axis=0))
    return bool((left <= tolerances.COLLINEAR * np.sqrt((wanted**2).sum(axis=0))).all())


def _less_stratum_means(fit: CoxFit) -> FloatArray:
    """The design matrix less the means of its strata, each column of length one."""
    x, codes = fit.design.x, fit.rows.strata
    sizes = np.bincount(codes)
    means = np.column_stack([np.bincount(codes, column) / sizes for column in x.T])
    centred = x - means[codes]
    length = np.sqrt((centred**2).sum(axis=0))
    return np.asarray(centred / np.where(length > 0, length, 1.0), dtype=np.float64)


def _likelihood_ratio(smaller: CoxFit, larger: CoxFit) -> tuple[ChiSquare, float]:
    """The test of nested models, and the smaller one's share of the larger one's statistic."""
    df = len(larger.terms) - len(smaller.terms)
    test = chi_square(2 * (larger.log_likelihood - smaller.log_likelihood), df)
    whole = larger.likelihood_ratio_test.statistic
    return test, smaller.likelihood_ratio_test.statistic / whole if whole > 0 else float("nan")
