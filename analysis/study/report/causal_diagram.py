"""The causal diagram of the synthetic world, read off the table that the simulation itself uses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.cohort.synthetic import CAUSES, Cause

GROUPS = {
    "tumour burden\n(lesions, LDH)": ("log2(tumour_burden)", "log2(ldh_ratio)"),
    "inflammation\n(CRP, albumin)": ("log2(crp)", "albumin"),
    "drugs (PPI, diuretic,\nearlier platinum)": ("ppi", "diuretic", "platinum"),
    "poor kidney\nfunction": ("egfr",),
    "age, ECOG": ("age", "ecog"),
}
FALLS_WITH_ITS_GROUP = ("albumin", "egfr")  # more inflammation is less albumin, worse kidneys are less eGFR
MAGNESIUM, MEASURED = "serum\nmagnesium", "measured\nmagnesium"
PROGRESSION, DEATH = "progression", "death"


def diagram_nodes() -> pd.DataFrame:
    """Where each node stands, left to right: name x y (in steps of the layout)."""
    *causes, frailty = GROUPS
    left = [(name, 0.0, 3.0 - place) for place, name in enumerate(causes)]
    middle = [(frailty, 1.0, 3.4), (MAGNESIUM, 1.0, 1.5), (MEASURED, 1.0, 0.0)]
    right = [(PROGRESSION, 2.0, 2.8), (DEATH, 2.0, 0.6)]
    return pd.DataFrame(left + middle + right, columns=["name", "x", "y"])


def diagram_arrows() -> pd.DataFrame:
    """Each arrow of the diagram: cause effect sign planted; sign 0 where a group's members differ."""
    arrows = []
    for name, terms in GROUPS.items():
        members = [cause for cause in CAUSES if cause.term in terms]
        for effect, slopes in _slopes(members).items():
            if slopes.any():
                signs = set(np.sign(slopes[slopes != 0]).tolist())
                arrows.append((name, effect, int(signs.pop()) if len(signs) == 1 else 0, False))
    arrows += [
        (MAGNESIUM, MEASURED, 1, False),
        (MAGNESIUM, PROGRESSION, -1, True),
        (MAGNESIUM, DEATH, -1, True),
        (PROGRESSION, DEATH, 1, False),
    ]
    return pd.DataFrame(arrows, columns=["cause", "effect", "sign", "planted"])


def _slopes(members: list[Cause]) -> dict[str, np.ndarray]:
    """The slopes of a group's members on magnesium, progression and death, each as the member rises with its group."""
    sign = np.array([-1.0 if cause.term in FALLS_WITH_ITS_GROUP else 1.0 for cause in members])
    deaths = np.array([[cause.death_without_progression, cause.death_after_progression] for cause in members])
    return {
        MAGNESIUM: sign * np.array([cause.magnesium for cause in members]),
        PROGRESSION: sign * np.array([cause.progression for cause in members]),
        DEATH: (sign[:, None] * deaths).ravel(),
    }
