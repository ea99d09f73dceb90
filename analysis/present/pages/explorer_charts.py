"""The explorer's charts as Vega-Lite, by Altair: what stands still is inside, what moves has a name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.present.canvas import BLUE, INK, SOFT_INK, VERMILLION, stratum_styles

if TYPE_CHECKING:
    from altair import Chart, FacetChart, LayerChart, X, Y

MOVING, NOW = "moving", "now"
FONT = "Helvetica Neue, Arial, Liberation Sans, DejaVu Sans, sans-serif"
PLAN_DASH, FOUND_DASH, LIMIT_DASH = [6, 3], [2, 2], [9, 4]
COARSE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
FINE = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 2.0)
FEW_CUTS = 80
PALE, BAND = 0.35, 0.16
PLOTTED_SHARE = 1.06


def curve_chart(times: Sequence[float], end: float, *, x_label: str, y_label: str) -> dict[str, Any]:
    """Two survival curves with their bands, from the data named "moving": group at_risk time survival low high."""
    import altair as alt

    styles = stratum_styles(["low", "high"])
    colours = alt.Scale(domain=list(styles), range=[style.color for style in styles.values()])
    dashes = alt.Scale(domain=list(styles), range=[[1, 0], [8, 3]])
    x = alt.X(
        "time:Q",
        title=x_label,
        scale=alt.Scale(domain=[0, end], nice=False),
        axis=alt.Axis(values=list(times), format="~f"),
    )
    scale = alt.Scale(domain=[0, 1])
    group = alt.Color("group:N", scale=colours, legend=None)
    band_pale, line_pale = (alt.Scale(domain=["many", "few"], range=[full, full * PALE]) for full in (BAND, 1.0))
    base = alt.Chart(alt.NamedData(MOVING)).encode(x=x, color=group)
    band = base.mark_area(interpolate="step-after").encode(
        y=alt.Y("low:Q", title=y_label, scale=scale, axis=alt.Axis(format="%", tickCount=5)),
        y2="high:Q",
        opacity=alt.Opacity("at_risk:O", scale=band_pale, legend=None),
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2).encode(
        y=alt.Y("survival:Q", scale=scale),
        strokeDash=alt.StrokeDash("group:N", scale=dashes, legend=None),
        opacity=alt.Opacity("at_risk:O", scale=line_pale, legend=None),
    )
    return _finished((band + line).resolve_scale(opacity="independent"), height=330)


def scan_chart(scan: pd.DataFrame, lines: pd.DataFrame, *, limit: float, x_label: str) -> dict[str, Any]:
    """The statistic of every cut, the limit of chance, and the cut of the data named "now": cut statistic."""
    import altair as alt

    ends = [min(scan["cut"].min(), lines["cut"].min()), max(scan["cut"].max(), lines["cut"].max())]
    top = PLOTTED_SHARE * max(scan["statistic"].max(), limit if math.isfinite(limit) else 0.0, 1.0)
    x = _marker_axis(ends, x_label)
    y = alt.Y("statistic:Q", title="Standardised statistic", scale=alt.Scale(domain=[0, top], nice=False))
    every = alt.Chart(scan[["cut", "statistic"]]).encode(x=x, y=y)
    # a step: up to the next value of the marker, every threshold makes the same two groups
    layers = [*_rules(lines, x), every.mark_line(color=BLUE, strokeWidth=1.5, interpolate="step-after")]
    layers += [every.mark_circle(color=BLUE, size=22, opacity=1)] if len(scan) <= FEW_CUTS else []
    if math.isfinite(limit):
        chance = alt.Chart(pd.DataFrame({"statistic": [limit]}))
        layers.append(chance.mark_rule(color=VERMILLION, strokeWidth=1.5, strokeDash=LIMIT_DASH).encode(y=y))
    return _finished(alt.layer(*layers, *_now(x, y)), height=240)


def response_chart(response: pd.DataFrame, lines: pd.DataFrame, *, x_label: str) -> dict[str, Any]:
    """The hazard along the marker with its band, and the cut of the data named "now": cut ratio."""
    import altair as alt

    marker, reference = response["marker"], float(response["reference"].iloc[0])
    domain = _ratio_domain(response)
    coarse, fine = ([tick for tick in ticks if domain[0] <= tick <= domain[1]] for ticks in (COARSE, FINE))
    ticks = coarse if len(coarse) > 2 else fine
    x = _marker_axis([marker.min(), marker.max()], x_label)
    scale = alt.Scale(type="log", domain=domain, nice=False)
    axis = alt.Axis(values=ticks, format="~f")
    y = alt.Y("ratio:Q", title=f"Hazard ratio against {reference:.3g}", scale=scale, axis=axis)
    rows = response.rename(columns={"marker": "cut", "hazard_ratio": "ratio", "conf_low": "low", "conf_high": "high"})
    curve = alt.Chart(rows[["cut", "ratio", "low", "high"]]).encode(x=x)
    band = curve.mark_area(color=BLUE, opacity=BAND, clip=True).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    one = alt.Chart(pd.DataFrame({"ratio": [1.0]})).mark_rule(color=SOFT_INK, strokeWidth=1).encode(y=y)
    line = curve.mark_line(color=BLUE, strokeWidth=2, clip=True).encode(y=y)
    return _finished(alt.layer(*_rules(lines, x), one, band, line, *_now(x, y)), height=240)


def _ratio_domain(response: pd.DataFrame) -> list[float]:
    """The whole curve, and as much of its band as lies within a factor of three of it."""
    low, high = float(response["hazard_ratio"].min()), float(response["hazard_ratio"].max())
    floor, ceiling = response["conf_low"].fillna(0.0).min(), response["conf_high"].fillna(math.inf).max()
    return [0.95 * min(max(floor, low / 3), 0.8), 1.05 * max(min(ceiling, 3 * high), 1.25)]


def _marker_axis(ends: Sequence[float], label: str) -> X:
    """The marker along the bottom."""
    import altair as alt

    scale = alt.Scale(domain=list(ends), nice=False, padding=12)
    return alt.X("cut:Q", title=label, scale=scale, axis=alt.Axis(tickCount=8, format="~f"))


def _rules(lines: pd.DataFrame, x: X) -> list[Chart]:
    """Upright lines at the plan's edges and at the cut found."""
    import altair as alt

    kinds = alt.Scale(domain=["plan", "found"], range=[PLAN_DASH, FOUND_DASH])
    drawn = alt.Chart(lines[["cut", "line"]]).mark_rule(color=SOFT_INK, strokeWidth=1.2)
    return [drawn.encode(x=x, strokeDash=alt.StrokeDash("line:N", scale=kinds, legend=None))]


def _now(x: X, y: Y) -> list[Chart]:
    """The cut that the slider stands on: a line and a point."""
    import altair as alt

    here = alt.Chart(alt.NamedData(NOW))
    point = here.mark_point(color=INK, fill="white", size=90, strokeWidth=2, opacity=1)
    return [here.mark_rule(color=INK, strokeWidth=2).encode(x=x), point.encode(x=x, y=y)]


def _finished(chart: LayerChart | FacetChart, *, height: int) -> dict[str, Any]:
    """The chart as wide as its place on the page, in the page's type."""
    axis = {
        "labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal",
        "labelColor": INK, "titleColor": INK, "domainColor": INK, "tickColor": INK, "gridColor": "#e6e8eb",
        "titlePadding": 8, "labelFlush": False,
    }  # fmt: skip
    shown = chart.properties(width="container", height=height)
    shown = shown.configure(font=FONT).configure_axis(**axis).configure_axisX(grid=False).configure_view(stroke=None)
    return dict(shown.to_dict())
