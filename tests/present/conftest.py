"""Small frames to draw, and a measure of whether words collide."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from analysis.present.canvas.style import figure_style

HOSTILE = '<b>α & "Ω" 50%, $5 naïve</b>'


def one_curve(stratum, hazard, n=60, last=48.0):
    """A stratum whose members fall one by one at even risk; every third is censored."""
    share = (np.arange(n) + 0.5) / n
    times = np.minimum(-np.log(1 - share) / hazard, last)
    censored = np.arange(n) % 3 == 2
    n_risk = n - np.arange(n)
    survival = np.cumprod(np.where(censored, 1.0, 1 - 1 / n_risk))
    rows = pd.DataFrame(
        {
            "stratum": stratum,
            "time": np.r_[0.0, times],
            "n_risk": np.r_[n, n_risk],
            "n_event": np.r_[0, (~censored).astype(int)],
            "n_censor": np.r_[0, censored.astype(int)],
            "survival": np.r_[1.0, survival],
        }
    )
    return rows.assign(
        std_error=0.05, conf_low=(rows["survival"] - 0.1).clip(0, 1), conf_high=(rows["survival"] + 0.1).clip(0, 1)
    )


@pytest.fixture
def make_curves():
    def make(labels, last=48.0):
        frames = [one_curve(label, 0.02 * (place + 1), last=last) for place, label in enumerate(labels)]
        frame = pd.concat(frames, ignore_index=True)
        return frame.assign(
            stratum=pd.Categorical(frame["stratum"], categories=list(labels), ordered=True),
            conf_type="log-log",
            conf_level=0.95,
        )

    return make


@pytest.fixture
def make_risk():
    def make(curves, times):
        rows = []
        for label, mine in curves.groupby("stratum", observed=True):
            for time in times:
                seen = mine[mine["time"] <= time]
                before = int((mine["time"] >= time).sum()) - (1 if time == 0 else 0)
                rows.append((label, float(time), before, int(seen["n_event"].sum()), int(seen["n_censor"].sum())))
        frame = pd.DataFrame(rows, columns=["stratum", "time", "n_risk", "n_event", "n_censor"])
        return frame.assign(stratum=frame["stratum"].astype(curves["stratum"].dtype))

    return make


def all_words(figure):
    """Every visible piece of text of a figure."""
    words = list(figure.texts)
    for ax in figure.axes:
        words += [*ax.texts, ax.title, ax._left_title]
        if ax.axison:
            drawn = [tick for axis in (ax.xaxis, ax.yaxis) for tick in axis._update_ticks()]
            words += [ax.xaxis.label, ax.yaxis.label, *(tick.label1 for tick in drawn if tick.label1.get_visible())]
    return [text for text in words if text.get_visible() and text.get_text().strip()]


@pytest.fixture
def collisions():
    """Pairs of words that overlap by more than a hair, and words that leave the page."""

    def measure(figure):
        with figure_style():
            figure.draw_without_rendering()
            boxes = [(text.get_text(), text.get_window_extent()) for text in all_words(figure)]
        slack = 0.01 * figure.dpi
        page = figure.bbox
        off = [
            name
            for name, box in boxes
            if box.x0 < page.x0 - slack or box.x1 > page.x1 + slack or box.y0 < -slack or box.y1 > page.y1 + slack
        ]
        both = [
            (first, second)
            for (first, a), (second, b) in combinations(boxes, 2)
            if min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack
        ]
        return off + both

    return measure


@pytest.fixture
def hostile():
    """A label that breaks what does not escape."""
    return HOSTILE


@pytest.fixture
def marked_cohort():
    """A cohort with a marker, two groups, a skewed and a binary companion."""
    generator = np.random.default_rng(7)
    n = 120
    return pd.DataFrame(
        {
            "magnesium": np.r_[generator.normal(0.82, 0.08, n - 2).round(2), np.nan, np.nan],
            "treatment": np.where(np.arange(n) % 3 == 0, "CAR T cells", "checkpoint inhibitor"),
            "crp": np.exp(generator.normal(2, 1.4, n)),
            "age": generator.normal(63, 9, n).round(),
            "ppi": (np.arange(n) % 2).astype(float),
        }
    )
