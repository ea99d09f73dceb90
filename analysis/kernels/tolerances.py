"""How near is the same, how little is nothing: a name for each thing that is guarded, and what it is compared with."""

from __future__ import annotations

SAME_TIME = 2.0**-26
"""Two times are one when their gap is at most this share of the mean absolute time: sqrt(eps), as R's aeqSurv."""
SAME_PROBABILITY = 2.0**-26
"""A curve is at the level of a quantile when it is this near: sqrt(eps), as R's quantile.survfit."""
SAME_STATISTIC = 1e-10
"""Statistics of cuts that differ by less, relatively, are one maximum: rounding must not choose the cut."""
SAME_PERMUTED = 1e-9
"""A statistic of permuted rows that falls short of the observed one by less, relatively, is as large."""

NOBODY_LEFT = 1e-12
"""Share of the weight at risk that is nobody: weights that are summed and taken off leave as much."""
NO_OTHER = 1e-11
"""Share of the weight of the events that is nobody: those at risk at some time who have no event."""
NO_VARIANCE = 1e-13
"""A variance that is less than this share of its largest term is zero."""
NO_PERMUTATION_VARIANCE = 1e-14
"""A variance of permuted sums of scores that is less than this, times the number of rows, is zero."""
CONSTANT_COLUMN = 1e-11
"""A covariate that varies less than this, beside its mean, is constant."""
SINGULAR = 1e-12
"""A direction with less than this share of the largest information, or a column of its own variance, has none."""
NO_DIRECTION = 1e-13
"""Newton's method takes no step in a direction with less than this share of the largest information."""
CONVERGED = 1e-12
"""Newton's last step, squared and in standard errors; what is left after it is of the order of its square."""
CONVERGED_RESAMPLE = 1e-10
"""The same for each of many resamples."""
SAME_LIKELIHOOD = 1e-12
"""A step that loses less of the log likelihood, relatively, has lost nothing."""
SETTLED_CUT = 1e-9
"""Newton's method for the log hazard ratio of a cut ends with a step of at most this."""
SETTLED = 1e-10
"""When no coefficient of a scaled covariate moves more than this, the last step needs no evaluation of its own."""
FADED = 1e-4
"""An information this small beside that at the start says that a coefficient may be running off to infinity."""
FALLEN = 1e-2
"""When the determinant of a resample's information falls below this share of that at the start, directions count."""

COLLINEAR = 1e-11
"""The share of a column's variance that the others must leave to it (R's ``toler.chol`` is of this order)."""
IN_COMBINATION = 1e-6
"""A covariate with a smaller coefficient has no part in a linear combination of scaled covariates."""
HIDDEN_MAXIMUM = 1e-12
"""Information of a finite coefficient that is less than this share of that at zero lies below rounding."""
SAME_PREDICTOR = 1e-6
"""Linear predictors, of covariates in standard deviations, closer than this are equal."""
SAME_ROW = 1e-14
"""Rows that differ by less than this, beside the largest covariate, differ by rounding."""
NO_INFORMATION = 1e-9
"""In the limit of a monotone likelihood, a direction with less than this share of the best at zero has none."""
SAME_MAXIMUM = 1e-8
"""Another engine has found the maximum when its log likelihood falls short by at most this, relatively."""
NO_DIFFERENCE = 1e-15
"""Shares of levels that differ by less are the same."""
SPANNED = 1e-9
"""Differences of shares that are left over by less than this lie within the span of their covariance."""
EXTREME_WEIGHT = 50.0
"""A row with a larger weight carries the estimate: the weights are warned of."""
