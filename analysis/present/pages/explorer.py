"""The cut-point explorer: one HTML page in which the cut moves, made of numbers computed beforehand."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from base64 import b64encode
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Literal

import pandas as pd

from analysis.errors import NotSupported
from analysis.present.canvas import stratum_styles
from analysis.present.pages.explorer_charts import VEGA_LITE, curve_chart, response_chart, scan_chart
from analysis.present.pages.explorer_words import CRUDE, CutWords, cut_words
from analysis.present.pages.page import filled, own_file

FEW_AT_RISK = 10
DIGITS = 5

Row = Mapping[Hashable, Any]


@dataclass(frozen=True, eq=False)
class ExplorerFrames:
    """Every number of the explorer, in tidy frames; `place` numbers the cuts along the slider from 0.

    Attributes
    ----------
    cuts : DataFrame
        endpoint, place, cut, label (the cut as text), planned (how the plan chose it, or empty), found (whether the
        endpoint's search found it), statistic, p_naive, hazard_ratio, conf_low, conf_high (as `direction` says),
        p_corrected (NaN where the cut was not among those searched), adjusted_hazard_ratio, adjusted_conf_low,
        adjusted_conf_high (NaN where the plan adjusts for nothing), curve_hazard_ratio, curve_conf_low,
        curve_conf_high (of the marker at the cut against its median).
    groups : DataFrame
        endpoint, place, group ("low", "high"), interval, n, n_event, median, conf_low, conf_high.
    curves : DataFrame
        endpoint, place, group, time, n_risk, survival, conf_low, conf_high: the steps of the Kaplan-Meier curves.
    risk : DataFrame
        endpoint, place, group, time, n_risk, n_event, n_censor.
    milestones : DataFrame
        endpoint, place, group, time, survival, conf_low, conf_high: at one and two years, say; NaN beyond follow-up.
    dose_response : DataFrame
        endpoint, marker, hazard_ratio, conf_low, conf_high, reference.
    scan : DataFrame
        endpoint, cut, statistic, p_adjusted.
    searches : DataFrame
        endpoint, cut, critical_value, p_permutation, hazard_ratio_corrected, conf_low, conf_high, n_used, n_read,
        time_unit: a row an endpoint.
    n_cuts_searched, n_permutations, seed, most_steps : int
    adjusted_for : tuple of str
        The plan's covariates and strata, in words.
    conf_level : float
    direction : {"lower", "higher"}
        Whose hazard is divided by the rest's, in all ratios: the patients below the cut, or those above.
    left_out : tuple of str
        Why an endpoint of the plan is not here.
    """

    cuts: pd.DataFrame
    groups: pd.DataFrame
    curves: pd.DataFrame
    risk: pd.DataFrame
    milestones: pd.DataFrame
    dose_response: pd.DataFrame
    scan: pd.DataFrame
    searches: pd.DataFrame
    n_cuts_searched: int
    n_permutations: int
    seed: int
    most_steps: int
    adjusted_for: tuple[str, ...]
    conf_level: float
    direction: Literal["lower", "higher"]
    left_out: tuple[str, ...]


def explorer_page(
    frames: ExplorerFrames,
    *,
    title: str,
    label: str,
    unit: str = "",
    time_zero: str = "",
    synthetic: bool = False,
    report: str = "",
    language: str = "en",
) -> str:
    """The explorer as one self-contained HTML page: it opens from the file system and asks for nothing else.

    Parameters
    ----------
    frames : ExplorerFrames
    title : str
        Of the study.
    label, unit : str
        Of the marker.
    time_zero : str
        Where follow-up starts, for the axis.
    synthetic : bool
        Whether every patient is simulated; the page then says so at its top.
    report : str
        Address of the report; no link when empty.
    language : str

    Returns
    -------
    str
        HTML with its charts' script (Vega) inside. The page filters and shows; it computes no number. Its
        content security policy forbids every connection, allows no script but its own two (by their digests), and no
        code made from text.

    Raises
    ------
    NotSupported
        Where vl-convert cannot run.

    Examples
    --------
    >>> from analysis.study.outputs import explorer_frames
    >>> from analysis.study.run import synthetic_plan
    >>> from analysis.study.prepare import prepare_study
    >>> page = explorer_page(explorer_frames(prepare_study(synthetic_plan())), title="A <study>", label="Magnesium")
    >>> "A &lt;study&gt;" in page, "unsafe-eval" in page
    (True, False)
    """
    scripts = (_chart_script(), own_file("explorer.js"))
    endpoints = list(frames.searches["endpoint"])
    styles = stratum_styles(["low", "high"])
    return filled(
        "explorer.html.jinja",
        title=title,
        label=label,
        language=language,
        synthetic=synthetic,
        report=report,
        endpoints=endpoints,
        stops=_stops(frames, unit),
        last=int(frames.cuts["place"].max()),
        side={"lower": "below", "higher": "above"}[frames.direction],
        inks={group: style.color for group, style in styles.items()},
        level=f"{100 * frames.conf_level:g}%",
        adjusted=any(frames.cuts["adjusted_hazard_ratio"].notna()),
        corrected=CRUDE,
        adjusted_for=", ".join(frames.adjusted_for),
        searched=frames.n_cuts_searched,
        shown=len(frames.cuts) // len(endpoints),
        n_permutations=f"{frames.n_permutations:,}",
        seed=frames.seed,
        most_steps=frames.most_steps,
        left_out=frames.left_out,
        responded=bool(len(frames.dose_response)),
        used=[_used_words(row) for row in frames.searches.to_dict("records")],
        data=_json(_page_data(frames, label, unit, time_zero)),
        scripts=scripts,
        digests=[_digest(script) for script in scripts],
        style=own_file("page.css") + own_file("explorer.css"),
    )


@cache
def _chart_script() -> str:
    """The script that draws the charts, of the version that they are written in.

    A process of its own writes it: the engine inside vl-convert reserves gigabytes of address space, and where these
    are limited it aborts the process that it runs in.
    """
    code = "import sys, vl_convert; print(vl_convert.javascript_bundle(vl_version=sys.argv[1]), end='')"
    command = [sys.executable, "-X", "utf8", "-c", code, VEGA_LITE]
    made = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # our own interpreter and code
    if made.returncode or not made.stdout:
        raise NotSupported(
            f"the script of its charts could not be made (vl-convert ended with {made.returncode}); is the memory of a"
            " process limited, as by ulimit -v?"
        )
    return made.stdout.decode("utf-8").replace("</script", "<\\/script")


def _digest(script: str) -> str:
    """A script's digest, as a content security policy names it."""
    return "sha256-" + b64encode(sha256(script.encode("utf-8")).digest()).decode("ascii")


def _json(content: object) -> str:
    """JSON that can stand in a page: no character in it can end the element that holds it."""
    text = json.dumps(_finite(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _finite(content: object) -> object:
    """The content with null for every number that is not finite: JSON has no other word for a missing value."""
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def _used_words(row: Row) -> str:
    """How many rows an endpoint's numbers rest on."""
    return f"{row['endpoint']}: {row['n_used']:,} of {row['n_read']:,} rows"


def _stops(frames: ExplorerFrames, unit: str) -> list[dict[str, Any]]:
    """The buttons that jump to a cut worth a look: the plan's, and the ones found."""
    several = len(frames.searches) > 1
    stops = []
    for place, rows in frames.cuts.groupby("place"):
        names = " and ".join(rows["endpoint"][rows["found"]])
        best = f"best of the search{f' for {names}' if several else ''}" if names else ""
        mark = ", ".join(filter(None, (rows["planned"].iloc[0], best)))
        if mark:
            stops.append({"place": place, "text": f"{rows['label'].iloc[0]} {unit}".strip(), "mark": mark})
    return stops


def _page_data(frames: ExplorerFrames, label: str, unit: str, time_zero: str) -> dict[str, Any]:
    """All that the page's script shows."""
    stops = frames.cuts[frames.cuts["planned"] != ""]["place"].tolist()
    stops += frames.cuts[frames.cuts["found"]]["place"].tolist()
    axis = f"{label} ({unit})" if unit else label
    endpoints = [_endpoint_data(frames, row, axis, unit, time_zero) for row in frames.searches.to_dict("records")]
    return {"start": int(stops[0]), "endpoints": endpoints}


def _endpoint_data(frames: ExplorerFrames, search: Row, axis: str, unit: str, time_zero: str) -> dict[str, Any]:
    """One endpoint: its charts without what moves, and what moves, by place."""
    name = str(search["endpoint"])
    mine = {
        key: _of(getattr(frames, key), name)
        for key in ("cuts", "groups", "curves", "risk", "milestones", "dose_response", "scan")
    }
    cuts, risk = mine["cuts"], mine["risk"]
    time_unit = str(search["time_unit"])
    times = sorted(set(risk["time"]))
    end = max(float(mine["curves"]["time"].max()), times[-1])
    start = f" from {time_zero}" if time_zero else ""
    words = cut_words(
        cuts,
        mine["groups"],
        mine["milestones"],
        search,
        unit=unit,
        time_unit=time_unit,
        conf_level=frames.conf_level,
        direction=frames.direction,
    )
    x_label = f"{time_unit[:1].upper()}{time_unit[1:]}{start}"
    charts = {"curves": curve_chart(times, end, x_label=x_label, y_label=name), **_marker_charts(mine, search, axis)}
    return {
        "name": name,
        "charts": charts,
        "end": end,
        "time_unit": time_unit,
        "times": [f"{time:g}" for time in times],
        "risk_caption": f"At risk (events so far) at {time_unit}{start}",
        "median_heading": f"Median, {time_unit} ({100 * frames.conf_level:g}% CI)",
        "limit": _limit_words(float(search["critical_value"])),
        "cuts": [
            {**_cut_data(mine, row, text), "address": address}
            for row, text, address in zip(cuts.to_dict("records"), words, _addresses(cuts["label"]), strict=True)
        ],
    }


def _marker_charts(mine: Mapping[str, pd.DataFrame], search: Row, axis: str) -> dict[str, Any]:
    """The charts along the marker: the search, and the marker left whole where it has a curve."""
    cuts, response = mine["cuts"], mine["dose_response"]
    lines = cuts[(cuts["planned"] != "") | cuts["found"]].assign(line=cuts["found"].map({True: "found", False: "plan"}))
    charts = {"scan": scan_chart(mine["scan"], lines, limit=float(search["critical_value"]), x_label=axis)}
    return charts | ({"response": response_chart(response, lines, x_label=axis)} if len(response) else {})


def _addresses(labels: pd.Series) -> list[str]:
    """What a link calls each cut: its label, and which it is where several have one."""
    nth = labels.groupby(labels).cumcount()
    return [f"{label}~{count + 1}" if count else str(label) for label, count in zip(labels, nth, strict=True)]


def _limit_words(limit: float) -> str:
    """The limit of chance in words."""
    return f"{limit:.2f}, which chance exceeds in one search of twenty" if math.isfinite(limit) else "too few draws"


def _of(frame: pd.DataFrame, endpoint: str) -> pd.DataFrame:
    """The rows of one endpoint."""
    return frame[frame["endpoint"] == endpoint].drop(columns="endpoint")


def _cut_data(mine: Mapping[str, pd.DataFrame], row: Row, words: CutWords) -> dict[str, Any]:
    """One place of the slider: its words, its curves, its numbers at risk, its points on the other charts."""
    here = {key: mine[key][mine[key]["place"] == row["place"]] for key in ("curves", "risk")}
    return {
        **words.as_dict(),
        "curves": [part for group in ("low", "high") for part in _parts(here["curves"], group)],
        "risk": [
            [f"{at['n_risk']} ({at['n_event']})" for at in here["risk"].to_dict("records") if at["group"] == group]
            for group in ("low", "high")
        ],
        "now": [{"cut": row["cut"], "statistic": _plain(row["statistic"]), "ratio": _plain(row["curve_hazard_ratio"])}],
    }


def _parts(curves: pd.DataFrame, group: str) -> list[dict[str, Any]]:
    """A curve while enough are at risk, and what is left of it; both hold the step between."""
    rows = curves[curves["group"] == group]
    last = int((rows["n_risk"] >= FEW_AT_RISK).sum())
    pieces = [(rows.iloc[:last], "many"), (rows.iloc[max(last - 1, 0) :], "few")]
    names = {"time": "time", "survival": "survival", "low": "conf_low", "high": "conf_high"}
    return [
        {"group": group, "at_risk": at_risk, **{name: _column(piece[column]) for name, column in names.items()}}
        for piece, at_risk in pieces
        if len(piece) > 1
    ]


def _column(values: pd.Series) -> list[float | None]:
    """Numbers as the page holds them; null where undefined."""
    return [_plain(value) for value in values]


def _plain(value: float) -> float | None:
    """A number with as many digits as a chart can show; None where undefined."""
    return None if not math.isfinite(value) else round(float(value), DIGITS)
