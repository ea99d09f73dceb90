"""Made-up frames of an explorer, and what its page holds."""

import json
import re

import numpy as np
import pandas as pd

from analysis.present.pages.explorer import ExplorerFrames
from analysis.present.pages.explorer_words import cut_words

HOSTILE = "</script><img src=x onerror=alert(1)>"


def made(endpoints=("Survival",), *, marker="mmol/L", few=False, adjusted=True, direction="higher") -> ExplorerFrames:
    """Three cuts of each endpoint, by hand."""
    places = np.arange(3)
    cuts = pd.DataFrame(
        {
            "place": places,
            "cut": [0.7, 0.75, 0.8],
            "label": ["0.7", "0.75", "0.8"],
            "planned": ["", "named by the plan", ""],
            "found": [False, False, True],
            "statistic": [1.0, 2.0, 3.5],
            "p_naive": [0.3, 0.04, 0.0004],
            "hazard_ratio": [0.8, 0.7, 0.5],
            "conf_low": [0.5, 0.5, 0.35],
            "conf_high": [1.2, 0.99, 0.7],
            "p_corrected": [np.nan, 0.2, 0.011],
            "adjusted_hazard_ratio": 0.9 if adjusted else np.nan,
            "adjusted_conf_low": 0.8 if adjusted else np.nan,
            "adjusted_conf_high": 1.1 if adjusted else np.nan,
            "curve_hazard_ratio": [1.4, 1.2, 1.0],
            "curve_conf_low": [1.1, 1.0, 1.0],
            "curve_conf_high": [1.9, 1.5, 1.0],
        }
    )
    sides = pd.DataFrame({"place": np.repeat(places, 2), "group": ["low", "high"] * 3})
    groups = sides.assign(
        interval=[f"{sign} {cut:g} {marker}" for cut in (0.7, 0.75, 0.8) for sign in ("<", "≥")],
        n=[20, 80, 30, 70, 40, 60],
        n_event=[15, 30, 20, 25, 25, 20],
        median=[9.0, np.nan] * 3,
        conf_low=[7.0, 20.0] * 3,
        conf_high=[12.0, np.nan] * 3,
    )
    n_risk = [20, 9, 3] if few else [20, 15, 12]
    steps = pd.DataFrame({"time": [0.0, 6.0, 12.0], "n_risk": n_risk, "survival": [1.0, 0.5, 0.0]})
    steps = steps.assign(conf_low=[1.0, 0.4, np.nan], conf_high=[1.0, 0.6, np.nan])
    risk = pd.DataFrame({"time": [0.0, 12.0], "n_risk": [20, 3], "n_event": [0, 15], "n_censor": [0, 2]})
    points = pd.DataFrame({"time": [12.0, 24.0], "survival": [0.514, np.nan]})
    points = points.assign(conf_low=[0.44, np.nan], conf_high=[0.588, np.nan])
    response = pd.DataFrame({"marker": [0.5, 0.8, 1.0], "hazard_ratio": [2.0, 1.0, 0.6]})
    frames = {
        "cuts": cuts,
        "groups": groups,
        "curves": sides.merge(steps, how="cross"),
        "risk": sides.merge(risk, how="cross"),
        "milestones": sides.merge(points, how="cross"),
        "dose_response": response.assign(conf_low=[1.2, 1.0, 0.3], conf_high=[3.3, 1.0, 1.1], reference=0.8),
        "scan": pd.DataFrame({"cut": [0.7, 0.74, 0.8], "statistic": [1.0, 2.0, 3.5], "p_adjusted": [0.9, 0.2, 0.011]}),
        "searches": pd.DataFrame(
            {
                "cut": [0.8],
                "critical_value": 2.8,
                "p_permutation": 0.011,
                "hazard_ratio_corrected": 0.66,
                "conf_low": 0.48,
                "conf_high": 0.9,
                "n_used": 1100,
                "n_read": 1200,
                "time_unit": "months",
            }
        ),
    }
    joined = {
        name: pd.concat([frame.assign(endpoint=endpoint) for endpoint in endpoints], ignore_index=True)
        for name, frame in frames.items()
    }
    return ExplorerFrames(
        **joined,
        n_cuts_searched=3,
        n_permutations=999,
        seed=1,
        most_steps=200,
        adjusted_for=("age",) if adjusted else (),
        conf_level=0.95,
        direction=direction,
        left_out=(),
    )


def page_data(page: str) -> dict:
    """What the page's script reads."""
    return json.loads(re.search(r'<script type="application/json" id="explorer-data">(.*?)</script>', page).group(1))


def words_of(frames: ExplorerFrames):
    search = frames.searches.to_dict("records")[0]
    return all_words(frames, search, unit="mmol/L", time_unit="months")


def all_words(frames: ExplorerFrames, search, *, unit: str, time_unit: str, conf_level: float = 0.95):
    """The words of every cut of one endpoint."""
    mine = [_rows(frame, search["endpoint"]) for frame in (frames.cuts, frames.groups, frames.milestones)]
    return cut_words(*mine, search, unit=unit, time_unit=time_unit, conf_level=conf_level, direction=frames.direction)


def _rows(frame: pd.DataFrame, endpoint: str) -> pd.DataFrame:
    return frame[frame["endpoint"] == endpoint]
