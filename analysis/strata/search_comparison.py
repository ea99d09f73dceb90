"""A searched cut as found, corrected, and the marker without a cut: side by side, and a word where one is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.errors import AnalysisWarning, Separation
from analysis.kernels.tails import normal_quantile
from analysis.strata.search.correction import Effect
from analysis.strata.search.rows import SearchRows


def comparison(
    rows: SearchRows,
    marker: str,
    cut: float,
    effects: tuple[Effect, Effect],
    p_values: tuple[float, float],
    conf_level: float,
) -> pd.DataFrame:
    """As found, corrected, and without a cut."""
    term = rows.continuous.coefficients.set_index("term").loc[str(marker)]
    sd = rows.marker_sd
    continuous = Effect(float(term["coef"]) * sd, float(term["std_error"]) * sd)
    estimates = np.array([(effect.estimate, effect.std_error) for effect in (*effects, continuous)])
    half = normal_quantile(conf_level) * estimates[:, 1]
    above = f"{marker} > {cut:g} against <= {cut:g}"
    p_marker = float(term["p_value"])
    return pd.DataFrame(
        {
            "analysis": ["searched cut, as found", "searched cut, corrected", "continuous marker"],
            "contrast": [above, above, f"{marker}, {sd:.3g} (1 SD) higher"],
            "hazard_ratio": np.exp(estimates[:, 0]),
            "conf_low": np.exp(estimates[:, 0] - half),
            "conf_high": np.exp(estimates[:, 0] + half),
            "p_naive": [p_values[0], p_values[0], p_marker],
            "p_corrected": [p_values[1], p_values[1], p_marker],
        }
    )


def separated(log_ratio: float, marker: str, cut: float) -> tuple[AnalysisWarning, ...]:
    """A word when the hazard ratio of the cut found has no finite value."""
    if np.isfinite(log_ratio):
        return ()
    text = f"marker {marker!r}: at the cut found, {cut:g}, one group has no event while the other was at risk"
    return (Separation(f"{text}; the hazard ratio as found is not estimable"),)
