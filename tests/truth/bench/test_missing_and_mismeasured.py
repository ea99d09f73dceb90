"""Values missing or measured with error on the bench: their targets, and what the data sets know beside them."""

from numpy.testing import assert_allclose

from analysis import ADJUSTMENT, OVERALL_SURVIVAL, CohortDesign, fit_cox
from analysis.truth.bench import missing_and_mismeasured
from tests.truth.bench.planted import PLANTED, SEED, N, ratio, target


def test_true_magnesium_has_a_slope_of_its_own(truth):
    world = missing_and_mismeasured.error_world("error", PLANTED, n_population=N, seed=SEED)
    expected = -ratio(truth, "conditional, true magnesium")
    assert_allclose(target(world, missing_and_mismeasured.TRUE_SLOPE), expected, rtol=1e-6)


def test_a_cohort_with_missing_values_knows_what_they_were():
    design = CohortDesign(missing_share=0.3)
    cohort = missing_and_mismeasured.missing_world("missing", design, n_population=500, seed=1).draw(3)
    known = cohort["magnesium"].notna()
    assert 0.2 < 1 - known.mean() < 0.45
    assert (cohort.loc[known, "magnesium"] == cohort.loc[known, missing_and_mismeasured.MEASURED]).all()
    assert cohort[missing_and_mismeasured.MEASURED].notna().all()


def test_the_complete_cohorts_slope_is_that_of_a_plain_model():
    cohort = missing_and_mismeasured.draw_whole(CohortDesign(missing_share=0.2), 4)
    _, crude, adjusted = missing_and_mismeasured.all_known(cohort, 0)
    whole = cohort.assign(tenths=cohort[missing_and_mismeasured.MEASURED] / 0.1)
    for answer, terms, strata in ((crude, ["tenths"], None), (adjusted, ["tenths", *ADJUSTMENT], "treatment")):
        row = fit_cox(whole, OVERALL_SURVIVAL, " + ".join(terms), strata=strata).coefficients.iloc[0]
        assert_allclose(answer.estimate, row["coef"], rtol=1e-6)
        assert_allclose(answer.conf_high - answer.estimate, 1.959964 * row["std_error"], rtol=1e-6)


def test_imputation_where_nothing_is_missing_answers_as_the_plain_models_do():
    cohort = missing_and_mismeasured.draw_whole(CohortDesign(missing_share=0.0), 4)
    plain, pooled = missing_and_mismeasured.all_known(cohort, 0), missing_and_mismeasured.imputed(cohort, 1)
    assert [answer.estimand for answer in pooled] == [answer.estimand for answer in plain]
    assert_allclose([answer.estimate for answer in pooled], [answer.estimate for answer in plain], rtol=1e-6)
    reach = [[answer.conf_high - answer.estimate for answer in answers[1:]] for answers in (pooled, plain)]
    assert_allclose(
        reach[0], reach[1], rtol=0.01
    )  # Student's limits with some 300 degrees of freedom against normal ones
