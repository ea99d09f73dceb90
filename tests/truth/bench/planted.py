"""The planted world, and its targets by other code, for the tests of the benches."""

import numpy as np

from analysis import OVERALL_SURVIVAL, CohortDesign

PLANTED = CohortDesign(missing_share=0.0)
N, SEED = 20_000, 5


def target(world, estimand, at=np.nan):
    """The true value of an estimand in a world."""
    return world.targets[estimand](at)


def ratio(truth, name):
    """The log hazard ratio of a target for overall survival."""
    ratios = truth.log_hazard_ratios[truth.log_hazard_ratios["endpoint"] == OVERALL_SURVIVAL.name]
    return ratios.set_index("target")["log_hazard_ratio"][name]
