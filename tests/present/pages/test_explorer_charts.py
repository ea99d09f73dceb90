"""The explorer's charts, by the grammar of Vega-Lite."""

import numpy as np
import pandas as pd
import pytest
import vl_convert

from analysis.present.pages.explorer_charts import VEGA_LITE, curve_chart, response_chart, scan_chart
from tests.present.pages.explorer_frames import made


def test_charts_follow_the_grammar_of_vega_lite():
    frames = made()
    lines = frames.cuts.assign(line="plan")
    drawn = [
        curve_chart([0, 6, 12], 12, x_label="Months", y_label="Survival"),
        scan_chart(frames.scan, lines, limit=2.8, x_label="Magnesium"),
        response_chart(frames.dose_response, lines, x_label="Magnesium"),
    ]
    for chart in drawn:
        assert chart["width"] == "container"
        assert chart["$schema"] == f"https://vega.github.io/schema/vega-lite/v{VEGA_LITE}.json"
        compiled = vl_convert.vegalite_to_vega(chart, vl_version=VEGA_LITE)  # raises where the grammar is not kept
        marks = [mark["type"] for mark in compiled["marks"]]
        assert len(marks) == len(chart["layer"])
        assert compiled["height"] == chart["height"]
    assert VEGA_LITE in vl_convert.get_vegalite_versions()
    limits = [layer for layer in drawn[1]["layer"] if layer["mark"].get("color") == "#D55E00"]
    assert len(limits) == 1
    without = scan_chart(frames.scan, lines, limit=float("inf"), x_label="Magnesium")
    assert len(without["layer"]) == len(drawn[1]["layer"]) - 1


@pytest.mark.parametrize(("spread", "ticks"), [(0.01, [0.8, 0.9, 1.0, 1.1, 1.2]), (1.0, [0.2, 0.5, 1.0, 2.0, 5.0])])
def test_a_flat_and_a_steep_curve_have_ticks_to_read_it_by(spread, ticks):
    response = pd.DataFrame({"marker": [0.5, 1.0], "hazard_ratio": np.exp([spread, -spread]), "reference": 0.8})
    response = response.assign(conf_low=response["hazard_ratio"] / 1.05, conf_high=response["hazard_ratio"] * 1.05)
    if spread == 1.0:
        response = response.assign(conf_low=response["hazard_ratio"] / 50, conf_high=response["hazard_ratio"] * 50)
    chart = response_chart(response, made().cuts.assign(line="found"), x_label="Magnesium")
    axes = [
        layer["encoding"]["y"]["axis"]["values"] for layer in chart["layer"] if "axis" in layer["encoding"].get("y", {})
    ]
    assert axes[0] == ticks
