"""Cut-points side by side, as a tidy frame."""

from __future__ import annotations

import pandas as pd

from analysis.strata.cutpoints import Cutpoints


def cutpoint_table(*cutpoints: Cutpoints) -> pd.DataFrame:
    """Every edge of several cut-points, with who says so.

    Parameters
    ----------
    *cutpoints : Cutpoints
        In one unit; convert with `Cutpoints.to_unit` first.

    Returns
    -------
    DataFrame
        edge, label (the edge with its unit), source, searched (whether it was found by looking at outcomes); by edge.

    Examples
    --------
    >>> from analysis import clinical_cutpoints
    >>> cutpoint_table(clinical_cutpoints("nhanes-1"))[["edge", "searched"]].values.tolist()
    [[0.75, False], [0.95, False]]
    """
    rows = [
        (edge, f"{edge:.3g} {cut.unit}".strip(), cut.source, cut.rule == "searched")
        for cut in cutpoints
        for edge in cut.edges
    ]
    frame = pd.DataFrame(rows, columns=["edge", "label", "source", "searched"])
    return frame.sort_values("edge", kind="stable", ignore_index=True)
