"""Missing values: multiple imputation and Rubin's rules."""

from analysis.robustness.missing.imputation import Imputations, impute_cohort
from analysis.robustness.missing.model import column_of
from analysis.robustness.missing.pooling import PooledCox, pool_cox
