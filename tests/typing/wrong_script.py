"""What type checkers must refuse: each line that ends in "# wrong" is an error, and no other."""

from __future__ import annotations

from analysis import Endpoint, adjusted_curves, clinical_cutpoints, fit_cox, kaplan_meier, load_cohort, logrank_test
from analysis import kaplan_maier  # wrong

cohort = load_cohort()
survival = Endpoint("os_months", "os_event")
fit_cox(cohort, survival, "age", ties="efronn")  # wrong
fit_cox(cohort, survival, "age", robst=True)  # wrong
fit_cox(cohort, survival, "age", "efron")  # wrong
fit_cox(cohort, "os_months", "age")  # wrong
kaplan_meier(cohort, survival, conf_type="loglog")  # wrong
logrank_test(cohort, survival)  # wrong
clinical_cutpoints("nhanes")  # wrong
adjusted_curves(cohort, survival, "age", by="sex", method="ipw", seed=1)  # wrong
fit_cox(cohort, survival, "age").coefs  # wrong
