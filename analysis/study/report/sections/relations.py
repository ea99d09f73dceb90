"""What goes with the marker: rank correlations with the covariates, and how the synthetic world makes them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.cohort.synthetic import CAUSES, Cause
from analysis.present.figures import plot_causes, plot_relations
from analysis.study import report
from analysis.study.prepare import model_columns
from analysis.study.report import Blocks, StudyFigure, table
from analysis.study.study import Study

GROUPS = {
    "tumour burden\n(lesions, LDH)": ("log2(tumour_burden)", "log2(ldh_ratio)"),
    "inflammation\n(CRP, albumin)": ("log2(crp)", "albumin"),
    "drugs (PPI, diuretic,\nearlier platinum)": ("ppi", "diuretic", "platinum"),
    "poor kidney\nfunction": ("egfr",),
    "age, ECOG": ("age", "ecog"),
}
FALLS_WITH_ITS_GROUP = ("albumin", "egfr")  # more inflammation is less albumin, worse kidneys are less eGFR
MAGNESIUM, MEASURED = "serum\nmagnesium", "measured\nmagnesium"
PROGRESSION, DEATH = "progression", "death"


def relations_blocks(study: Study) -> Blocks:
    """The marker against the covariates, as a figure and as correlations; nothing where no covariate is a number."""
    correlations, label = correlation_table(study), study.plan.marker.label
    if correlations.empty:
        return
    strongest = correlations.reindex(correlations["correlation"].abs().sort_values(ascending=False).index)
    words = "; ".join(f"{study.label(row['column'])} {row['correlation']:.2f}" for row in strongest.to_dict("records"))
    yield report.figure(
        study, "relations", f"{label} and the covariates", plot_relations, study.cohort, study.plan.marker.column,
        strongest["column"].head(6).tolist(),
        labels={**study.plan.labels, study.plan.marker.column: f"{label} ({study.unit})"}, correlations=correlations,
        alt=f"{label} against covariates. Spearman correlations: {words}.",
        caption="The covariates with the strongest rank correlation with the marker.",
    )  # fmt: skip
    named = strongest.assign(column=strongest["column"].map(study.label)).reset_index(drop=True)
    yield table(
        "correlations",
        f"Rank correlation of {study.marker_label} with the covariates",
        named,
        headings={"column": "Covariate"},
    )


def correlation_table(study: Study) -> pd.DataFrame:
    """Spearman's correlation of the marker with each numeric covariate: column correlation n."""
    marker = study.cohort[study.plan.marker.column]
    rows = []
    for column in covariate_columns(study):
        values = study.cohort[column]
        if column != marker.name and pd.api.types.is_numeric_dtype(values.dtype) and len(values.dropna().unique()) > 1:
            both = marker.notna() & values.notna()
            rank = marker[both].rank().corr(values[both].rank())
            rows.append((column, float(rank), int(both.sum())))
    return pd.DataFrame(rows, columns=["column", "correlation", "n"])


def covariate_columns(study: Study) -> list[str]:
    """The columns behind the plan's formula terms, in the cohort's order."""
    named = set(model_columns(study.plan, study.cohort))
    return [str(name) for name in study.cohort.columns if name in named]


def causes_figure(study: Study) -> StudyFigure:
    """How the synthetic world works."""
    return report.figure(
        study, "causes", "How the synthetic world works", plot_causes, diagram_arrows(), diagram_nodes(),
        alt="Causal diagram: tumour burden, inflammation, kidney function, proton-pump inhibitors, diuretics and"
        " platinum lower or raise magnesium; burden, inflammation, proton-pump inhibitors and platinum act on"
        " progression and death by themselves; magnesium acts on both through T cells.",
        caption="Arrows are what the simulation does. What lowers magnesium also shortens survival in other ways, so"
        " the crude curves show more than the effect of magnesium.",
    )  # fmt: skip


def diagram_nodes() -> pd.DataFrame:
    """Where each node stands, left to right: name x y (in steps of the layout)."""
    *causes, frailty = GROUPS
    left = [(name, 0.0, 3.0 - row) for row, name in enumerate(causes)]
    middle = [(frailty, 1.0, 3.4), (MAGNESIUM, 1.0, 1.5), (MEASURED, 1.0, 0.0)]
    right = [(PROGRESSION, 2.0, 2.8), (DEATH, 2.0, 0.6)]
    return pd.DataFrame(left + middle + right, columns=["name", "x", "y"])


def diagram_arrows() -> pd.DataFrame:
    """The simulation's table of causes as arrows: cause effect sign planted; sign 0 where a group's members differ."""
    arrows = []
    for name, terms in GROUPS.items():
        for effect, slopes in _slopes([cause for cause in CAUSES if cause.term in terms]).items():
            signs = set(np.sign(slopes[slopes != 0]).tolist())
            if signs:
                arrows.append((name, effect, int(signs.pop()) if len(signs) == 1 else 0, False))
    arrows += [
        (MAGNESIUM, MEASURED, 1, False),
        (MAGNESIUM, PROGRESSION, -1, True),
        (MAGNESIUM, DEATH, -1, True),
        (PROGRESSION, DEATH, 1, False),
    ]
    return pd.DataFrame(arrows, columns=["cause", "effect", "sign", "planted"])


def _slopes(members: list[Cause]) -> dict[str, np.ndarray]:
    """The slopes of a group's members on magnesium, progression and death, each as the member rises with its group."""
    sign = np.array([-1.0 if cause.term in FALLS_WITH_ITS_GROUP else 1.0 for cause in members])
    deaths = np.array([[cause.death_without_progression, cause.death_after_progression] for cause in members])
    return {
        MAGNESIUM: sign * np.array([cause.magnesium for cause in members]),
        PROGRESSION: sign * np.array([cause.progression for cause in members]),
        DEATH: (sign[:, None] * deaths).ravel(),
    }
