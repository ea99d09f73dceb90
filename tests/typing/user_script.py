"""What a user writes, as type checkers read it: nothing here is an error, and results have their types."""

from __future__ import annotations

from typing import assert_type

import pandas as pd
from matplotlib.figure import Figure

import analysis
from analysis import (
    ADJUSTMENT,
    OVERALL_SURVIVAL,
    CompetingEndpoint,
    Cutpoints,
    Endpoint,
    InputError,
    RowsDropped,
    adjusted_curves,
    adjusted_restricted_mean,
    clinical_cutpoints,
    concordance,
    convert_magnesium,
    cumulative_incidence,
    dose_response,
    e_value,
    fit_cox,
    format_p,
    hazard_ratios,
    impute_cohort,
    kaplan_meier,
    load_cohort,
    load_example,
    logrank_test,
    plot_survival,
    pool_cox,
    proportional_hazards_test,
    quantile_cutpoints,
    read_cohort,
    restricted_mean_difference,
    risk_table,
    run_study,
    save_figure,
    search_cutpoint,
    simulate_cohort,
    stratify,
    survival_quantile,
    synthetic_plan,
    time_from_dates,
)

cohort = load_cohort().dropna(subset=["magnesium"])
survival = Endpoint("os_months", "os_event", label="Overall survival")
assert_type(analysis.__version__, str)
assert_type(OVERALL_SURVIVAL, Endpoint)

# Groups, curves and tests
cut = clinical_cutpoints("nhanes-1")
assert_type(cut, Cutpoints)
assert_type(cut.edges, tuple[float, ...])
cohort = stratify(cohort, cut, marker="magnesium")
curves = kaplan_meier(cohort, survival, by="stratum", conf_type="log-log", engine="auto")
assert_type(curves, pd.DataFrame)
risk = risk_table(cohort, survival, times=[0, 12, 24], by="stratum")
median: pd.DataFrame = survival_quantile(curves)
gained: pd.DataFrame = restricted_mean_difference(curves, horizon=24)
test = logrank_test(cohort, survival, by="stratum", weighting="fleming-harrington", rho=0.0, gamma=1.0)
assert_type(test, analysis.LogRank)
assert_type(test.p_value, float)

# Models
fit = fit_cox(cohort, survival, " + ".join(ADJUSTMENT), ties="efron", strata="treatment", robust=True)
assert_type(fit, analysis.CoxFit)
assert_type(fit.coefficients, pd.DataFrame)
ratios = hazard_ratios(fit)
checks = proportional_hazards_test(fit, transform="km")
ranked = concordance(cohort, survival, "magnesium", weighting="uno")
assert_type(ranked, analysis.Concordance)
curve = dose_response(cohort, survival, "magnesium", knots=4, adjust=ADJUSTMENT)
assert_type(curve, analysis.DoseResponse)
found = search_cutpoint(cohort, survival, "magnesium", n_permutations=199, n_bootstrap=0, seed=1)
assert_type(found.cut, float)

# What could fool us
standardised = adjusted_curves(
    cohort, survival, ADJUSTMENT, by="stratum", method="standardisation", n_bootstrap=100, seed=1
)
months = adjusted_restricted_mean(standardised, 24).differences
bound = e_value(1.5, conf_low=1.1, conf_high=2.0, outcome="common")
assert_type(bound.estimate, float)
imputations = impute_cohort(load_cohort(), survival, "magnesium", predictors=ADJUSTMENT, n_imputations=5, seed=1)
pooled = pool_cox(fit_cox(filled, survival, ["magnesium"]) for filled in imputations.cohorts)
assert_type(pooled, analysis.PooledCox)
dropped = [warning.n_read for warning in fit.warnings if isinstance(warning, RowsDropped)]

# Other data
try:
    own = read_cohort("cohort.csv", decimal=",", units={"mg": "mg/dL"}, limits="bound")
except InputError as error:
    problems: tuple[str, ...] = error.problems
lung = load_example("lung")
thirds = quantile_cutpoints(lung["age"], 3)
months_lived = time_from_dates(pd.Series(["2023-01-01"]), pd.Series(["2024-01-01"]), unit="days")
assert_type(convert_magnesium(1.7, unit="mg/dL"), float)
simulated = simulate_cohort(seed=1)
incidence = cumulative_incidence(simulated.cohort, CompetingEndpoint("months", "status"), by="treatment")

# Figures and a whole study
figure = plot_survival(curves, risk=risk, title="Overall survival")
if isinstance(figure, Figure):
    save_figure(figure, "survival", alt="Curves")
text: str = format_p(test.p_value)
results = run_study(synthetic_plan())
assert_type(results, analysis.StudyResults)
tables: dict[str, pd.DataFrame] = results.tables
