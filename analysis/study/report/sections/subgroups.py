"""The marker in subgroups: hazard ratios, interaction tests, and what a difference would mean."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.figures import plot_forest
from analysis.present.pages import Prose
from analysis.present.text import format_count, format_p
from analysis.robustness.stability import ALL, subgroup_effects
from analysis.study.blocks import attempted, table
from analysis.study.models import estimate_text
from analysis.study.report import Block, StudyFigure, StudySection, slug
from analysis.study.study import Study, hazard_ratio_target


def subgroups_section(study: Study) -> StudySection:
    """The continuous marker's hazard ratio in each level of the plan's subgroups, endpoint by endpoint."""
    title = "Subgroups"
    if not study.plan.robustness.subgroups:
        words = "The plan names no subgroups (subgroups in its table [robustness])."
        return StudySection("subgroups", title, (Prose(words),))
    blocks: list[Block] = [_opening(study)]
    for endpoint in study.plan.endpoints:
        blocks += attempted(f"{endpoint.name}, subgroups", partial(_endpoint_blocks, study, endpoint))
    return StudySection("subgroups", title, tuple(blocks))


def _opening(study: Study) -> Prose:
    """Prognostic and predictive, and how to read a forest of subgroups."""
    first = study.label(study.plan.robustness.subgroups[0])
    words = (
        f"The marker's hazard ratio per {study.step}, adjusted as the plan says, in each level of the subgroups that"
        " the plan names. What counts is the **interaction test** beside each subgroup's name, not whether"
        " one interval holds 1 and its neighbour does not; of several subgroups one will differ by chance.\n\n"
        "A marker is **prognostic** when it goes with the outcome whatever the treatment: a hazard ratio off 1 that is"
        " much the same in every treatment. It is **predictive** only when the benefit of one treatment over another"
        f" depends on it, which shows as an interaction with treatment. First stands {first}. Where treatments were not"
        " allotted at random, and are given for different diseases, an interaction can come from either, and no"
        " interaction is no proof of sameness: small subgroups could not show one."
    )
    return Prose(words)


def _endpoint_blocks(study: Study, endpoint: Endpoint) -> list[Block]:
    """The forest and the table of one endpoint."""
    plan = study.plan
    effects = subgroup_effects(
        study.cohort,
        endpoint,
        study.marker_term,
        subgroups=plan.robustness.subgroups,
        adjust=plan.model.covariates,
        strata=plan.model.strata or None,
    )
    drawn = _forest_frame(study, endpoint, effects)
    words = "; ".join(f"{row['group']}, {row['label']}: {estimate_text(row)}" for row in drawn.to_dict("records"))
    caption = "Points with 95% intervals from one model a subgroup; p: likelihood-ratio test of interaction."
    if study.truth is not None:
        caption += " Open mark: the target for everybody. On the transitions one effect was planted for all subgroups."
    name = f"subgroups-{slug(endpoint.name)}"
    figure = StudyFigure(
        name=name,
        title=f"{endpoint.name}: {study.plan.marker.label} in subgroups",
        alt=f"Forest plot. {words}.",
        caption=caption,
        draw=partial(plot_forest, drawn, title=endpoint.name, synthetic=plan.synthetic),
    )
    parts = [mine.assign(level=[_level(mine, level) for level in mine["level"]]) for mine in _by_subgroup(effects)]
    shown = pd.concat(parts, ignore_index=True)
    shown = shown.assign(subgroup=shown["subgroup"].map(study.label).replace(ALL, "everybody"))
    return [figure, table(name, f"{endpoint.name}: hazard ratio per {study.step} in subgroups", shown, kinds=_P_VALUES)]


_P_VALUES = {"interaction_p_value": "p", "interaction_df": "plain"}


def _by_subgroup(effects: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each subgroup, in order."""
    return [mine for _, mine in effects.groupby("subgroup", sort=False)]


def _level(mine: pd.DataFrame, level: object) -> str:
    """A level in words: an indicator's 0 and 1 are no and yes."""
    if set(mine["level"]) == {"0", "1"}:
        return {"0": "no", "1": "yes"}[str(level)]
    return str(level)


def _forest_frame(study: Study, endpoint: Endpoint, effects: pd.DataFrame) -> pd.DataFrame:
    """The effects as the forest plot takes them: a group a subgroup with its p, a label a level with its counts."""
    rows: list[tuple[object, ...]] = []
    for mine in _by_subgroup(effects):
        name = mine["subgroup"].iloc[0]
        p_value = format_p(mine["interaction_p_value"].iloc[0])
        group = "Everybody" if name == ALL else f"{study.label(str(name))} (p of interaction {p_value})"
        for row in mine.to_dict("records"):
            label = f"{_level(mine, row['level'])} ({format_count(row['n_event'])} events of {format_count(row['n'])})"
            kind = "crude" if name == ALL else "adjusted"
            rows.append((group, label, kind, row["hazard_ratio"], row["conf_low"], row["conf_high"]))
        if name == ALL and study.truth is not None:
            target = hazard_ratio_target(study.truth, endpoint, "conditional, measured magnesium")
            rows.append((group, "target", "truth", target, np.nan, np.nan))
    return pd.DataFrame(rows, columns=["group", "label", "kind", "hazard_ratio", "conf_low", "conf_high"])
