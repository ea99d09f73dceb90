"""The outcomes of a cohort, as names of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from types import MappingProxyType

from analysis.errors import InputError


@dataclass(frozen=True)
class Endpoint:
    """A right-censored, optionally left-truncated outcome: the columns that hold it.

    Parameters
    ----------
    duration : str
        Column of follow-up times from time zero, in `time_unit`.
    event : str
        Column with 1 or True where the event was seen at `duration`, 0 or False where follow-up ended.
    entry : str, optional
        Column of times at which a row comes under observation (left truncation), in `time_unit`.
    label : str
        Name for tables and axes; the event column's name when empty.
    time_unit : str
        "months", "days", "weeks" or "years"; only a label, nothing is converted.

    Raises
    ------
    InputError
        When two roles are given the same column.

    Examples
    --------
    >>> Endpoint("os_months", "os_event", label="Overall survival").columns
    ('os_months', 'os_event')
    """

    duration: str
    event: str
    _: KW_ONLY
    entry: str | None = None
    label: str = ""
    time_unit: str = "months"

    def __post_init__(self) -> None:
        if len(set(self.columns)) < len(self.columns):
            raise InputError(
                f"endpoint: duration={self.duration!r}, event={self.event!r}, entry={self.entry!r} name one column"
                " twice; each role needs a column of its own"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read: duration, event, and entry when there is one."""
        return (self.duration, self.event) + ((self.entry,) if self.entry is not None else ())

    @property
    def name(self) -> str:
        """The label, or the event column where no label was given."""
        return self.label or str(self.event)


@dataclass(frozen=True)
class CompetingEndpoint:
    """An outcome with several causes: the columns that hold it, and what its codes mean.

    Parameters
    ----------
    duration : str
        Column of follow-up times from time zero, in `time_unit`.
    status : str
        Column of codes: 0 where follow-up ended, else a key of `causes`.
    causes : Mapping[int, str]
        The label of each code other than 0.
    label, time_unit : str
        As in `Endpoint`.

    Raises
    ------
    InputError
        When `causes` is empty, gives 0 a label, or uses a label twice.

    Examples
    --------
    >>> CompetingEndpoint("months", "status").causes[2]
    'death'
    """

    duration: str
    status: str
    _: KW_ONLY
    causes: Mapping[int, str] = field(default_factory=lambda: {1: "progression", 2: "death"}, hash=False)
    label: str = ""
    time_unit: str = "months"

    def __post_init__(self) -> None:
        if not self.causes or 0 in self.causes or len(set(self.causes.values())) < len(self.causes):
            raise InputError(
                f"competing endpoint: causes={dict(self.causes)!r}; give each code other than 0 a label of its own"
            )
        object.__setattr__(self, "causes", MappingProxyType(dict(self.causes)))

    def __reduce__(self) -> tuple[partial[CompetingEndpoint], tuple[()]]:
        """Copied and sent to other processes by its parts: a read-only mapping cannot be."""
        return partial(
            CompetingEndpoint,
            self.duration,
            self.status,
            causes=dict(self.causes),
            label=self.label,
            time_unit=self.time_unit,
        ), ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read: duration and status."""
        return (self.duration, self.status)

    @property
    def name(self) -> str:
        """The label, or the status column where no label was given."""
        return self.label or str(self.status)


OVERALL_SURVIVAL = Endpoint("os_months", "os_event", label="Overall survival")
PROGRESSION_FREE_SURVIVAL = Endpoint("pfs_months", "pfs_event", label="Progression-free survival")
