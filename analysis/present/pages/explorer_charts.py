"""The explorer's charts, written out in Vega-Lite: what stands still is inside, what moves has a name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.present.canvas import BLUE, INK, SOFT_INK, VERMILLION, stratum_styles

VEGA_LITE = "6.4"
"""The grammar's version; vl-convert brings the script that draws it."""
MOVING, NOW, READ = "moving", "now", "read"
FONT = "Helvetica Neue, Arial, Liberation Sans, DejaVu Sans, sans-serif"
PLAN_DASH, FOUND_DASH, LIMIT_DASH = [6, 3], [2, 2], [9, 4]
COARSE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
FINE = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 2.0)
FEW_CUTS = 80
PALE, BAND = 0.35, 0.16
PLOTTED_SHARE = 1.06

Spec = dict[str, Any]


def curve_chart(times: Sequence[float], end: float, *, x_label: str, y_label: str) -> Spec:
    """Two survival curves with their bands, and a line at the time read.

    From the data named "moving": group at_risk time survival low high; and "read": group time survival.
    """
    styles = stratum_styles(["low", "high"])
    scale = {"domain": [0, 1]}
    x = {
        **_number("time", {"domain": [0, end], "nice": False}),
        "title": x_label,
        "axis": {"values": list(times), "format": "~f"},
    }
    colour = _category("group", list(styles), [style.color for style in styles.values()])
    band_pale, line_pale = (
        {**_category("at_risk", ["many", "few"], [full, full * PALE]), "type": "ordinal"} for full in (BAND, 1.0)
    )
    low = {**_number("low", scale), "title": y_label, "axis": {"format": "%", "tickCount": 5}}
    band = {"x": x, "color": colour, "y": low, "y2": {"field": "high"}, "opacity": band_pale}
    line = {
        "x": x,
        "color": colour,
        "y": _number("survival", scale),
        "strokeDash": _category("group", list(styles), [[1, 0], [8, 3]]),
        "opacity": line_pale,
    }
    layers = [
        _layer({"name": MOVING}, band, "area", interpolate="step-after"),
        _layer({"name": MOVING}, line, "line", interpolate="step-after", strokeWidth=2),
        _layer({"name": READ}, {"x": x}, "rule", color=SOFT_INK, strokeWidth=1),
        _layer({"name": READ}, {key: line[key] for key in ("x", "y", "color")}, "circle", size=60, opacity=1),
    ]
    return {**_chart(layers, height=300), "resolve": {"scale": {"opacity": "independent"}}}


def scan_chart(scan: pd.DataFrame, lines: pd.DataFrame, *, limit: float, x_label: str) -> Spec:
    """The statistic of every cut, the limit of chance, and the cut of the data named "now": cut statistic."""
    ends = [min(scan["cut"].min(), lines["cut"].min()), max(scan["cut"].max(), lines["cut"].max())]
    top = PLOTTED_SHARE * max(scan["statistic"].max(), limit if math.isfinite(limit) else 0.0, 1.0)
    x = _marker_axis(ends, x_label)
    y = {**_number("statistic", {"domain": [0, top], "nice": False}), "title": "Standardised statistic"}
    every = {"name": "every"}
    # a step: up to the next value of the marker, every threshold makes the same two groups
    step = _layer(every, {"x": x, "y": y}, "line", color=BLUE, strokeWidth=1.5, interpolate="step-after")
    layers = [_rules(x), step]
    if len(scan) <= FEW_CUTS:
        layers.append(_layer(every, {"x": x, "y": y}, "circle", color=BLUE, size=22, opacity=1))
    if math.isfinite(limit):
        chance = {"values": [{"statistic": limit}]}
        layers.append(_layer(chance, {"y": y}, "rule", color=VERMILLION, strokeWidth=1.5, strokeDash=LIMIT_DASH))
    data = {"lines": _records(lines, "cut", "line"), "every": _records(scan, "cut", "statistic")}
    return _chart([*layers, *_now(x, y)], height=240, datasets=data)


def response_chart(response: pd.DataFrame, lines: pd.DataFrame, *, x_label: str) -> Spec:
    """The hazard along the marker with its band, and the cut of the data named "now": cut ratio."""
    marker, reference = response["marker"], float(response["reference"].iloc[0])
    domain = _ratio_domain(response)
    coarse, fine = ([tick for tick in ticks if domain[0] <= tick <= domain[1]] for ticks in (COARSE, FINE))
    x = _marker_axis([marker.min(), marker.max()], x_label)
    scale = {"type": "log", "domain": domain, "nice": False}
    y = {
        **_number("ratio", scale),
        "title": f"Hazard ratio against {reference:.3g}",
        "axis": {"values": coarse if len(coarse) > 2 else fine, "format": "~f"},
    }
    columns = {"marker": "cut", "hazard_ratio": "ratio", "conf_low": "low", "conf_high": "high"}
    curve = {"name": "curve"}
    limits = {"x": x, "y": _number("low", scale), "y2": {"field": "high"}}
    layers = [
        _rules(x),
        _layer({"values": [{"ratio": 1.0}]}, {"y": y}, "rule", color=SOFT_INK, strokeWidth=1),
        _layer(curve, limits, "area", color=BLUE, opacity=BAND, clip=True),
        _layer(curve, {"x": x, "y": y}, "line", color=BLUE, strokeWidth=2, clip=True),
    ]
    data = {
        "lines": _records(lines, "cut", "line"),
        "curve": _records(response.rename(columns=columns), *columns.values()),
    }
    return _chart([*layers, *_now(x, y)], height=240, datasets=data)


def _ratio_domain(response: pd.DataFrame) -> list[float]:
    """The whole curve, and as much of its band as lies within a factor of three of it."""
    low, high = float(response["hazard_ratio"].min()), float(response["hazard_ratio"].max())
    floor, ceiling = response["conf_low"].fillna(0.0).min(), response["conf_high"].fillna(math.inf).max()
    return [0.95 * min(max(floor, low / 3), 0.8), 1.05 * max(min(ceiling, 3 * high), 1.25)]


def _marker_axis(ends: Sequence[float], label: str) -> Spec:
    """The marker along the bottom."""
    scale = {"domain": [float(end) for end in ends], "nice": False, "padding": 12}
    return {**_number("cut", scale), "title": label, "axis": {"tickCount": 8, "format": "~f"}}


def _rules(x: Spec) -> Spec:
    """Upright lines at the plan's edges and at the cut found, of the data named "lines"."""
    dashes = _category("line", ["plan", "found"], [PLAN_DASH, FOUND_DASH])
    return _layer({"name": "lines"}, {"x": x, "strokeDash": dashes}, "rule", color=SOFT_INK, strokeWidth=1.2)


def _now(x: Spec, y: Spec) -> list[Spec]:
    """The cut that the slider stands on: a line and a point."""
    point = {"color": INK, "fill": "white", "size": 90, "strokeWidth": 2, "opacity": 1}
    return [
        _layer({"name": NOW}, {"x": x}, "rule", color=INK, strokeWidth=2),
        _layer({"name": NOW}, {"x": x, "y": y}, "point", **point),
    ]


def _records(rows: pd.DataFrame, *columns: str) -> list[Spec]:
    """Rows as a chart's own data, held once for all layers."""
    return [dict(zip(columns, row, strict=True)) for row in rows[list(columns)].itertuples(index=False)]


def _number(field: str, scale: Spec) -> Spec:
    """A column of numbers along an axis."""
    return {"field": field, "type": "quantitative", "scale": scale}


def _category(field: str, domain: Sequence[str], shown: Sequence[object]) -> Spec:
    """A column of categories and how each is shown; the page explains them in words, not in a legend."""
    return {"field": field, "type": "nominal", "scale": {"domain": domain, "range": shown}, "legend": None}


def _layer(data: Spec, encoding: Spec, mark: str, **look: object) -> Spec:
    """One layer of a chart."""
    return {"data": data, "mark": {"type": mark, **look}, "encoding": encoding}


def _chart(layers: Sequence[Spec], *, height: int, datasets: Spec | None = None) -> Spec:
    """The chart as wide as its place on the page, in the page's type."""
    axis = {
        "labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal",
        "labelColor": INK, "titleColor": INK, "domainColor": INK, "tickColor": INK, "gridColor": "#e6e8eb",
        "titlePadding": 8, "labelFlush": False,
    }  # fmt: skip
    return {
        "$schema": f"https://vega.github.io/schema/vega-lite/v{VEGA_LITE}.json",
        "config": {"font": FONT, "axis": axis, "axisX": {"grid": False}, "view": {"stroke": None}},
        "width": "container",
        "height": height,
        "datasets": datasets or {},
        "layer": list(layers),
    }
