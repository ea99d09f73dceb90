"""What the synthetic cohort is to be: its columns, described once for all uses, and the choices behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Literal, get_args

from analysis.cohort.schema import Column, Schema
from analysis.errors import InputError, raise_all

TREATMENTS = ("checkpoint inhibitor", "CAR T cells")
SEXES = ("female", "male")
SITES = ("site A", "site B", "site C", "site D")

_PATIENT = Column("patient_id", "identifier", "Patient, numbered in order of simulation.")
_MAGNESIUM = Column(
    "magnesium", "number", "Serum magnesium, measured with error.", "mmol/L", 0.3, 1.6, analyte="magnesium"
)
_TREATMENT = "Checkpoint inhibitor for lung cancer, or CAR T cells for large B-cell lymphoma."
_BASELINE = "Serum magnesium before the first infusion, measured once, with error."
_PFS = "From first infusion to progression seen at a scan, death, or end of follow-up."
_STATUS = "What happened at pfs_months: 0 neither, 1 progression, 2 death without progression seen before."
_ECOG = "ECOG performance status: 0 fully active, 1 restricted, 2 unable to work."

COHORT_SCHEMA = Schema(
    "cohort",
    (
        _PATIENT,
        Column("treatment", "category", _TREATMENT, levels=TREATMENTS),
        replace(_MAGNESIUM, meaning=_BASELINE, required=False),
        Column("os_months", "number", "From first infusion to death or end of follow-up.", "months", 0, 120),
        Column("os_event", "indicator", "1: died at os_months; 0: alive then."),
        Column("pfs_months", "number", _PFS, "months", 0, 120),
        Column("pfs_event", "indicator", "1: progressed or died at pfs_months; 0: neither by then."),
        Column("progression_status", "integer", _STATUS, low=0, high=2),
        Column("age", "integer", "Age at first infusion.", "years", 18, 95),
        Column("sex", "category", "Sex.", levels=SEXES),
        Column("ecog", "integer", _ECOG, low=0, high=2),
        Column("tumour_burden", "number", "Sum of the diameters of target lesions.", "cm", 0.5, 80),
        Column("ldh_ratio", "number", "Lactate dehydrogenase over the upper limit of normal.", "1", 0.2, 20),
        Column("crp", "number", "C-reactive protein.", "mg/L", 0.1, 500),
        Column("albumin", "integer", "Serum albumin.", "g/L", 15, 60),
        Column("egfr", "integer", "Estimated glomerular filtration rate.", "mL/min/1.73 m2", 10, 150),
        Column("ppi", "indicator", "1: takes a proton-pump inhibitor at first infusion."),
        Column("diuretic", "indicator", "1: takes a loop or thiazide diuretic at first infusion."),
        Column("platinum", "indicator", "1: platinum chemotherapy before first infusion."),
        Column("site", "category", "Treating site (invented).", levels=SITES),
    ),
    key="patient_id",
)

_MONTH = "Time of the sample from first infusion; 0 is baseline."
LABS_SCHEMA = Schema("magnesium_labs", (_PATIENT, Column("month", "number", _MONTH, "months", 0, 120), _MAGNESIUM))

ADJUSTMENT = (
    *("age", "ecog", "log2(tumour_burden)", "log2(ldh_ratio)", "log2(crp)"),
    *("albumin", "egfr", "ppi", "diuretic", "platinum"),
)

_MONTH = "Time of the sample from first infusion; 0 is baseline."
LABS_SCHEMA = Schema("magnesium_labs", (_PATIENT, Column("month", "number", _MONTH, "months", 0, 120), _MAGNESIUM))

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


World = Literal["planted", "null", "independent", "threshold", "fading", "moving", "moving with burden"]
WORLDS: tuple[str, ...] = get_args(World)


@dataclass(frozen=True)
class CohortDesign:
    """The choices behind a synthetic cohort; every default is an assumption, stated in the data card.

    Parameters
    ----------
    n_checkpoint_inhibitor, n_car_t : int
        Patients given a checkpoint inhibitor for lung cancer, and CAR T cells for large B-cell lymphoma.
    world : {"planted", "null", "independent", "threshold", "fading", "moving", "moving with burden"}
        "planted": lower magnesium raises every hazard, and sicker patients have less magnesium. "null": the same
        confounding, no effect. "independent": magnesium and its missingness are related to nothing. "threshold":
        confounded, and a step below `threshold` in place of a slope. "fading": as planted for the first months, then no
        effect (hazards that are not proportional). "moving": as planted, but of the current magnesium, which changes by
        chance from sample to sample. "moving with burden": the same, and where the tumour grows unseen, magnesium falls
        and the hazards rise.
    hazard_ratio_death, hazard_ratio_progression : float
        Planted per 0.1 mmol/L lower true magnesium, on both deaths (without and after progression) and on progression.
    threshold : float
        True magnesium below which the hazards step up, in mmol/L ("threshold" world).
    threshold_hazard_ratio_death, threshold_hazard_ratio_progression : float
        The step on both deaths and on progression ("threshold" world).
    confounding : float
        Multiplies every arrow from the causes into magnesium; 0 cuts them.
    measurement_error : float
        Standard deviation of one magnesium measurement around the true value, in mmol/L.
    missing_share : float
        Share of baseline magnesium values missing, about: more with high C-reactive protein, low albumin and death
        within 3 months.
    accrual_months, minimum_follow_up : float
        Patients enter evenly over the accrual; the data are cut this long after the last one entered.
    drop_out_share : float
        Share of patients lost at a time even between entry and data cut.
    scan_interval : float
        Months between the scans at which progression is seen.

    Raises
    ------
    InputError
        With every fault at once.

    Examples
    --------
    >>> CohortDesign(world="null").n
    480
    """

    n_checkpoint_inhibitor: int = 320
    n_car_t: int = 160
    world: World = "planted"
    hazard_ratio_death: float = 1.30
    hazard_ratio_progression: float = 1.24
    threshold: float = 0.70
    threshold_hazard_ratio_death: float = 2.2
    threshold_hazard_ratio_progression: float = 1.9
    confounding: float = 1.0
    measurement_error: float = 0.028
    missing_share: float = 0.09
    accrual_months: float = 42.0
    minimum_follow_up: float = 12.0
    drop_out_share: float = 0.05
    scan_interval: float = 2.0

    def __post_init__(self) -> None:
        problems = [f"world={self.world!r}: use one of {', '.join(WORLDS)}"] if self.world not in WORLDS else []
        for name in ("n_checkpoint_inhibitor", "n_car_t"):
            patients = getattr(self, name)
            if not isinstance(patients, Integral) or patients < 0:
                problems.append(f"{name}={patients!r}: a whole number of patients, 0 or more")
        for name, low, high, meaning in _LIMITS:
            value = getattr(self, name)
            if not (isinstance(value, Real) and low <= float(value) <= high):
                problems.append(f"{name}={value!r}: {meaning} from {low:g} to {high:g}")
        raise_all(problems, InputError)
        if self.n == 0:
            raise InputError("a design needs patients: n_checkpoint_inhibitor and n_car_t are both 0")

    @property
    def n(self) -> int:
        """Patients of both treatments."""
        return self.n_checkpoint_inhibitor + self.n_car_t

    def of_size(self, n: int) -> CohortDesign:
        """The same design for `n` patients, shared between the treatments as here.

        Examples
        --------
        >>> CohortDesign().of_size(1200).n_car_t
        400
        """
        n_car_t = round(n * self.n_car_t / self.n)
        return replace(self, n_checkpoint_inhibitor=n - n_car_t, n_car_t=n_car_t)


_LIMITS = (
    ("hazard_ratio_death", 0.05, 20.0, "a hazard ratio"),
    ("hazard_ratio_progression", 0.05, 20.0, "a hazard ratio"),
    ("threshold", 0.3, 1.6, "mmol/L"),
    ("threshold_hazard_ratio_death", 0.05, 20.0, "a hazard ratio"),
    ("threshold_hazard_ratio_progression", 0.05, 20.0, "a hazard ratio"),
    ("confounding", 0.0, 3.0, "a multiplier"),
    ("measurement_error", 0.0, 0.2, "a standard deviation in mmol/L"),
    ("missing_share", 0.0, 0.5, "a share"),
    ("accrual_months", 0.0, 60.0, "months"),
    ("minimum_follow_up", 1.0, 60.0, "months"),
    ("drop_out_share", 0.0, 0.9, "a share"),
    ("scan_interval", 0.25, 12.0, "months"),
)

DEFAULT_DESIGN = CohortDesign()
"""The design of the committed cohort."""
