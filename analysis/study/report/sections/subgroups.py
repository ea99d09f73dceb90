"""The marker in subgroups: hazard ratios, interaction tests, and what a difference would mean."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.pages import Prose
from analysis.present.text import format_count, format_p
from analysis.robustness.stability import ALL, subgroup_effects
from analysis.study import report
from analysis.study.blocks import table
from analysis.study.report import Block, slug
from analysis.study.study import Study, hazard_ratio_target


@report.section("subgroups", "Subgroups")
def subgroups_section(study: Study) -> Iterator[Block]:
    """The continuous marker's hazard ratio in each level of the plan's subgroups, endpoint by endpoint."""
    if not study.plan.robustness.subgroups:
        yield Prose("The plan names no subgroups (subgroups in its table [robustness]).")
        return
    yield Prose(
        f"The marker's hazard ratio per {study.step}, adjusted as the plan says, in each level of the subgroups that"
        " the plan names. What counts is the **interaction test** beside each subgroup's name, not whether"
        " one interval holds 1 and its neighbour does not; of several subgroups one will differ by chance.\n\n"
        "A marker is **prognostic** when it goes with the outcome whatever the treatment: a hazard ratio off 1 that is"
        " much the same in every treatment. It is **predictive** only when the benefit of one treatment over another"
        " depends on it, which shows as an interaction with treatment. First stands"
        f" {study.label(study.plan.robustness.subgroups[0])}. Where treatments were not"
        " allotted at random, and are given for different diseases, an interaction can come from either, and no"
        " interaction is no proof of sameness: small subgroups could not show one."
    )
    yield from report.by_endpoint(study, {"subgroups": _subgroups})


def _subgroups(study: Study, endpoint: Endpoint) -> Iterator[Block]:
    """The forest and the table of one endpoint."""
    subgroups = study.plan.robustness.subgroups
    effects = subgroup_effects(study.cohort, endpoint, study.marker_term, subgroups=subgroups, **study.adjustment)
    parts = [mine.assign(level=_level_words(mine["level"])) for _, mine in effects.groupby("subgroup", sort=False)]
    shown = pd.concat(parts, ignore_index=True)
    caption = "Points with 95% intervals from one model a subgroup; p: likelihood-ratio test of interaction."
    if study.truth is not None:
        caption += " Open mark: the target for everybody. On the transitions one effect was planted for all subgroups."
    name, title = f"subgroups-{slug(endpoint.name)}", f"{endpoint.name}: {study.plan.marker.label} in subgroups"
    yield report.forest(study, name, title, _rows(study, endpoint, shown), caption=caption, title=endpoint.name)
    shown = shown.assign(subgroup=shown["subgroup"].map(study.label).replace(ALL, "everybody"))
    title = f"{endpoint.name}: hazard ratio per {study.step} in subgroups"
    yield table(name, title, shown, kinds={"interaction_p_value": "p", "interaction_df": "plain"})


def _level_words(levels: pd.Series) -> list[str]:
    """The levels of one subgroup in words: an indicator's 0 and 1 are no and yes."""
    words = {"0": "no", "1": "yes"} if set(levels) == {"0", "1"} else {}
    return [words.get(str(level), str(level)) for level in levels]


def _rows(study: Study, endpoint: Endpoint, effects: pd.DataFrame) -> pd.DataFrame:
    """The effects as the forest plot takes them: a group a subgroup with its p, a label a level with its counts."""
    rows = []
    for name, mine in effects.groupby("subgroup", sort=False):
        p_value = format_p(mine["interaction_p_value"].iloc[0])
        group = "Everybody" if name == ALL else f"{study.label(str(name))} (p of interaction {p_value})"
        for row in mine.to_dict("records"):
            label = f"{row['level']} ({format_count(row['n_event'])} events of {format_count(row['n'])})"
            rows.append(report.estimate_row(group, label, "crude" if name == ALL else "adjusted", row))
        if name == ALL and study.truth is not None:
            target = hazard_ratio_target(study.truth, endpoint, "conditional, measured magnesium")
            rows.append(report.target_row(group, "target", target))
    return report.forest_frame(rows)
