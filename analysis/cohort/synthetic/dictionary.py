"""The columns of the synthetic cohort, described once: for validation, the data dictionary and the data package."""

from __future__ import annotations

from analysis.cohort.rules import Column, Schema

TREATMENTS = ("checkpoint inhibitor", "CAR T cells")
SEXES = ("female", "male")
SITES = ("site A", "site B", "site C", "site D")

_PATIENT = Column("patient_id", "identifier", "Patient, numbered in order of simulation.")

COHORT_SCHEMA = Schema(
    "cohort",
    (
        _PATIENT,
        Column(
            "treatment",
            "category",
            "Checkpoint inhibitor for lung cancer, or CAR T cells for large B-cell lymphoma.",
            levels=TREATMENTS,
        ),
        Column(
            "magnesium",
            "number",
            "Serum magnesium before the first infusion, measured once, with error.",
            unit="mmol/L",
            low=0.3,
            high=1.6,
            required=False,
            analyte="magnesium",
        ),
        Column(
            "os_months", "number", "From first infusion to death or end of follow-up.", unit="months", low=0, high=120
        ),
        Column("os_event", "indicator", "1: died at os_months; 0: alive then."),
        Column(
            "pfs_months",
            "number",
            "From first infusion to progression seen at a scan, death, or end of follow-up.",
            unit="months",
            low=0,
            high=120,
        ),
        Column("pfs_event", "indicator", "1: progressed or died at pfs_months; 0: neither by then."),
        Column(
            "progression_status",
            "integer",
            "What happened at pfs_months: 0 neither, 1 progression, 2 death without progression seen before.",
            low=0,
            high=2,
        ),
        Column("age", "integer", "Age at first infusion.", unit="years", low=18, high=95),
        Column("sex", "category", "Sex.", levels=SEXES),
        Column(
            "ecog", "integer", "ECOG performance status: 0 fully active, 1 restricted, 2 unable to work.", low=0, high=2
        ),
        Column("tumour_burden", "number", "Sum of the diameters of target lesions.", unit="cm", low=0.5, high=80),
        Column(
            "ldh_ratio", "number", "Lactate dehydrogenase over the upper limit of normal.", unit="1", low=0.2, high=20
        ),
        Column("crp", "number", "C-reactive protein.", unit="mg/L", low=0.1, high=500),
        Column("albumin", "integer", "Serum albumin.", unit="g/L", low=15, high=60),
        Column("egfr", "integer", "Estimated glomerular filtration rate.", unit="mL/min/1.73 m2", low=10, high=150),
        Column("ppi", "indicator", "1: takes a proton-pump inhibitor at first infusion."),
        Column("diuretic", "indicator", "1: takes a loop or thiazide diuretic at first infusion."),
        Column("platinum", "indicator", "1: platinum chemotherapy before first infusion."),
        Column("site", "category", "Treating site (invented).", levels=SITES),
    ),
    key="patient_id",
)

LABS_SCHEMA = Schema(
    "magnesium_labs",
    (
        _PATIENT,
        Column(
            "month", "number", "Time of the sample from first infusion; 0 is baseline.", unit="months", low=0, high=120
        ),
        Column(
            "magnesium",
            "number",
            "Serum magnesium, measured with error.",
            unit="mmol/L",
            low=0.3,
            high=1.6,
            analyte="magnesium",
        ),
    ),
)

ADJUSTMENT = (
    "age",
    "ecog",
    "log2(tumour_burden)",
    "log2(ldh_ratio)",
    "log2(crp)",
    "albumin",
    "egfr",
    "ppi",
    "diuretic",
    "platinum",
)
"""Formula terms of the adjusted model, stratified by treatment: exactly what the simulated hazards are built from."""
