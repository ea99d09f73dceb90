"""Simulated cohorts: always lawful, each component on its own stream, and what was planted is there to be found."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import COHORT_SCHEMA, LABS_SCHEMA, CohortDesign, simulate_cohort
from analysis.cohort.synthetic.causes import CAUSES, TRANSITIONS, term_values
from analysis.cohort.synthetic.design import WORLDS
from analysis.cohort.synthetic.magnesium import EFFECT_MONTHS, INTERVAL
from analysis.cohort.synthetic.simulation import simulate_patients
from analysis.kernels.cox.likelihood import fit_arrays

LARGE = CohortDesign(missing_share=0.0, measurement_error=0.0).of_size(40_000)
MOST_STANDARD_ERRORS = 4.0

designs = st.builds(
    CohortDesign,
    n_checkpoint_inhibitor=st.integers(1, 60),
    n_car_t=st.integers(0, 60),
    world=st.sampled_from(WORLDS),
    hazard_ratio_death=st.floats(0.2, 5),
    confounding=st.floats(0, 2),
    measurement_error=st.floats(0, 0.1),
    missing_share=st.floats(0, 0.5),
    accrual_months=st.floats(0, 60),
    drop_out_share=st.floats(0, 0.9),
    scan_interval=st.floats(0.25, 6),
)


@given(design=designs, seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_every_cohort_is_lawful(design, seed):
    simulated = simulate_cohort(design, seed=seed)
    cohort, labs = simulated.cohort, simulated.labs
    assert_follows(cohort, COHORT_SCHEMA)
    assert_follows(labs, LABS_SCHEMA)
    assert len(cohort) == design.n
    assert (cohort["treatment"] == "CAR T cells").sum() == design.n_car_t
    assert (cohort["pfs_months"] <= cohort["os_months"]).all()
    assert (cohort["pfs_months"] > 0).all()
    assert ((cohort["progression_status"] > 0) == (cohort["pfs_event"] == 1)).all()
    died_first = cohort[cohort["progression_status"] == 2]
    assert (died_first["os_event"] == 1).all()
    assert (died_first["pfs_months"] == died_first["os_months"]).all()
    neither = cohort[cohort["progression_status"] == 0]
    assert (neither["os_event"] == 0).all()
    assert (neither["pfs_months"] == neither["os_months"]).all()
    ends = labs["patient_id"].map(cohort.set_index("patient_id")["os_months"])
    assert (labs["month"] < ends).all()
    assert not labs.duplicated(["patient_id", "month"]).any()


def assert_follows(frame, schema):
    """The frame holds the schema's columns, with values in range and none missing that must be there."""
    assert tuple(frame.columns) == schema.names
    for column in schema:
        values = frame[column.name]
        assert values.notna().all() or not column.required
        if column.low is not None:
            assert values.dropna().between(column.low, column.high).all(), column.name
        if column.type == "indicator":
            assert values.isin([0, 1]).all()
        if column.levels:
            assert values.cat.categories.tolist() == list(column.levels)


def test_the_same_seed_gives_the_same_cohort_and_another_seed_another():
    first, again, other = (simulate_cohort(seed=seed) for seed in (7, 7, 8))
    for part in ("cohort", "labs", "truth"):
        pd.testing.assert_frame_equal(getattr(first, part), getattr(again, part))
    assert not first.cohort["os_months"].equals(other.cohort["os_months"])


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ({"missing_share": 0.3}, {"magnesium"}),
        ({"measurement_error": 0.05}, {"magnesium"}),
        ({"scan_interval": 3.0}, {"pfs_months", "pfs_event", "progression_status"}),
        (
            {"accrual_months": 10.0},
            {"os_months", "os_event", "pfs_months", "pfs_event", "progression_status"},
        ),
    ],
)
def test_a_component_draws_from_a_stream_of_its_own(change, columns):
    base = CohortDesign()
    before, after = (simulate_cohort(design, seed=11) for design in (base, replace(base, **change)))
    changed = {name for name in before.cohort if not before.cohort[name].equals(after.cohort[name])}
    assert changed == columns
    latent = ["magnesium", "progression_months", "death_months"]
    pd.testing.assert_frame_equal(before.truth[latent], after.truth[latent])


def test_progression_is_seen_at_the_next_scan_unless_death_comes_first():
    patients = simulate_patients(CohortDesign(scan_interval=2.0).of_size(5000), seed=1)
    course = patients.course
    progressed = np.isfinite(course.progression)
    wait = course.seen[progressed] - course.progression[progressed]
    assert (wait >= 0).all()
    assert (wait <= 2.5 + 0.01).all()
    assert 0.8 < wait.mean() < 1.2
    unseen = progressed & (course.death < course.seen)
    assert unseen.any()
    assert (course.status(np.full(5000, np.inf))[unseen] == 2).all()


def transition_rows(simulated, transition):
    """Rows at risk of one transition, as time and event, with the true magnesium and the adjustment terms."""
    truth = simulated.truth
    progression, death = truth["progression_months"].fillna(np.inf), truth["death_months"].fillna(np.inf)
    follow_up = truth["follow_up_months"]
    if transition == "death_after_progression":
        rows = (progression < np.minimum(follow_up, death)).to_numpy()
        time, event = np.minimum(death, follow_up) - progression, death <= follow_up
    else:
        rows = np.ones(len(truth), dtype=bool)
        time = np.minimum(np.minimum(progression, death), follow_up)
        comes = progression if transition == "progression" else death
        event = (comes <= time) & (np.isinf(progression) | (transition == "progression"))
    return rows, time.to_numpy(), event.to_numpy()


def fitted(simulated, transition, marker):
    """Coefficients and standard errors of the marker and the causes on one transition, stratified by treatment."""
    rows, time, event = transition_rows(simulated, transition)
    x = np.column_stack([marker, *(term_values(simulated.cohort, cause.term) for cause in CAUSES)])
    strata = simulated.cohort["treatment"].cat.codes.to_numpy(dtype=np.int64)
    coef, covariance, _ = fit_arrays(x[rows], time[rows], event[rows], strata=strata[rows])
    return coef, np.sqrt(np.diag(covariance))


@pytest.mark.parametrize("transition", TRANSITIONS)
@pytest.mark.parametrize("world", ["planted", "threshold", "null", "independent"])
def test_the_hazards_hold_what_was_planted(world, transition):
    design = replace(LARGE, world=world)
    simulated = simulate_cohort(design, seed=3)
    magnesium = simulated.truth["magnesium"].to_numpy()
    marker = (magnesium < 0.70).astype(float) if world == "threshold" else -magnesium / 0.1
    on_death = transition != "progression"
    planted = {
        "planted": np.log(1.30 if on_death else 1.24),
        "threshold": np.log(2.2 if on_death else 1.9),
        "null": 0.0,
        "independent": 0.0,
    }
    expected = np.array([planted[world], *(getattr(cause, transition) for cause in CAUSES)])
    coef, std_error = fitted(simulated, transition, marker)
    assert np.abs((coef - expected) / std_error).max() < MOST_STANDARD_ERRORS


@pytest.mark.parametrize("transition", ["progression", "death_without_progression"])
def test_a_fading_effect_is_planted_for_six_months_and_then_gone(transition):
    simulated = simulate_cohort(replace(LARGE, world="fading"), seed=3)
    _, time, event = transition_rows(simulated, transition)
    marker = -simulated.truth["magnesium"].to_numpy() / 0.1
    x = np.column_stack([marker, *(term_values(simulated.cohort, cause.term) for cause in CAUSES)])
    strata = simulated.cohort["treatment"].cat.codes.to_numpy(dtype=np.int64)
    planted = np.log(1.24 if transition == "progression" else 1.30)
    until = np.minimum(time, EFFECT_MONTHS), event & (time <= EFFECT_MONTHS), np.zeros(len(time))
    late = time > EFFECT_MONTHS
    since = time, event, np.full(len(time), EFFECT_MONTHS)
    for (end, ends, start), rows, expected in ((until, late | ~late, planted), (since, late, 0.0)):
        coef, covariance, _ = fit_arrays(x[rows], end[rows], ends[rows], strata=strata[rows], entry=start[rows])
        assert abs(coef[0] - expected) < MOST_STANDARD_ERRORS * np.sqrt(covariance[0, 0])


def start_stop_rows(simulated):
    """A row from each sample to the next or to the end of observation, with the patient's place and the value."""
    labs = simulated.labs.merge(simulated.cohort[["patient_id"]].reset_index(), on="patient_id")
    truth, place = simulated.truth, labs["index"].to_numpy()
    end = truth[["death_months", "follow_up_months"]].min(axis=1).to_numpy()[place]
    same = labs["patient_id"].eq(labs["patient_id"].shift(-1)).to_numpy()
    stop = np.where(same, labs["month"].shift(-1).to_numpy(), end)
    event = ~same & (truth["death_months"] <= truth["follow_up_months"]).to_numpy()[place]
    return place, labs["month"].to_numpy(), stop, event, -labs["magnesium"].to_numpy() / 0.1


@pytest.mark.parametrize("world", ["moving", "moving with burden"])
def test_the_hazards_follow_current_magnesium_where_it_moves(world):
    """Death without progression alone: after it, the clock of the hazard is another."""
    design = replace(CohortDesign(missing_share=0.0, measurement_error=0.0), world=world).of_size(12_000)
    simulated = simulate_cohort(design, seed=3)
    place, start, stop, event, marker = start_stop_rows(simulated)
    progression = simulated.truth["progression_months"].fillna(np.inf).to_numpy()[place]
    rows = start < progression
    event, stop = event & (stop < progression), np.minimum(stop, progression)
    x = np.column_stack([term_values(simulated.cohort, cause.term)[place] for cause in CAUSES])
    if world == "moving with burden":
        growth = simulate_patients(design, seed=3).path.growth
        number = np.round(start / INTERVAL).astype(int)
        x = np.column_stack([x, growth[place, number]])
    x = np.column_stack([marker, x])
    strata = simulated.cohort["treatment"].cat.codes.to_numpy(dtype=np.int64)[place]
    coef, covariance, _ = fit_arrays(x[rows], stop[rows], event[rows], strata=strata[rows], entry=start[rows])
    std_error = np.sqrt(np.diag(covariance))
    assert abs(coef[0] - np.log(1.30)) < MOST_STANDARD_ERRORS * std_error[0]
    if world == "moving with burden":
        assert abs(coef[-1] - 0.20) < MOST_STANDARD_ERRORS * std_error[-1]


def test_the_planted_world_looks_as_a_clinic_does():
    simulated = simulate_cohort(CohortDesign().of_size(60_000), seed=9)
    cohort = simulated.cohort.assign(death=simulated.truth["death_months"].fillna(np.inf))
    lung, lymphoma = (group for _, group in cohort.groupby("treatment", observed=True))
    for group, low, high in ((lung, 4, 7), (lymphoma, 6, 9)):  # medians of PFS in months; follow-up is 12 at least
        assert low < group["pfs_months"].median() < high
    assert 12 < lung["death"].median() < 18
    assert 20 < lymphoma["death"].median() < 30
    plateau = lymphoma[lymphoma["pfs_months"] > 36]
    assert plateau["pfs_event"].mean() < 0.05
    assert 0.15 < lung.query("pfs_event == 0").shape[0] / len(lung) < 0.20
    assert 0.20 < (cohort.query("os_event == 1")["progression_status"] == 2).mean() < 0.35
    for group, mean, sd in ((lung, 0.82, 0.09), (lymphoma, 0.79, 0.08)):
        assert group["magnesium"].mean() == pytest.approx(mean, abs=0.005)
        assert group["magnesium"].std() == pytest.approx(sd, abs=0.005)
        assert 0.18 < (group["magnesium"].dropna() < 0.75).mean() < 0.30
    causes = {cause.term: term_values(cohort, cause.term) for cause in CAUSES if cause.magnesium}
    correlations = pd.DataFrame(causes).corrwith(cohort["magnesium"]).abs()
    assert correlations.between(0.08, 0.36).all(), correlations
