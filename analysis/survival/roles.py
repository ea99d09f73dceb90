"""What columns are asked to be: slips between roles, found before any column is read."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.cohort.endpoints import CompetingEndpoint, Endpoint
from analysis.errors import InputError, raise_all


def check_competing(endpoint: object) -> None:
    """Refuse what is no `CompetingEndpoint`."""
    if not isinstance(endpoint, CompetingEndpoint):
        raise InputError(
            f"endpoint: expected CompetingEndpoint(duration, status, causes=...), got {type(endpoint).__name__}"
        )


def check_roles(endpoint: Endpoint, strata: Sequence[str], **columns: str | None) -> None:
    """Refuse what is no `Endpoint`, a role that names several columns, and groups or weights that are the outcome."""
    _check_endpoint(endpoint)
    problems = [
        f"{role}={name!r}: name one column; combine several into one first"
        for role, name in columns.items()
        if name is not None and not isinstance(name, (str, int))
    ]
    outcome = dict(zip(endpoint.columns, ("follow-up time", "event", "entry time"), strict=False))
    given = [*columns.items(), *(("strata", name) for name in strata)]
    problems += [
        f"{role}={name!r} is the {outcome[name]} of the endpoint itself"
        for role, name in given
        if isinstance(name, str) and name in outcome
    ]
    raise_all(problems, InputError)


def _check_endpoint(endpoint: object) -> None:
    """Refuse what is no `Endpoint`."""
    if isinstance(endpoint, Endpoint):
        return
    if isinstance(endpoint, CompetingEndpoint):
        raise InputError(
            f"endpoint: {endpoint.name!r} has several causes; use cumulative_incidence, gray_test or fit_fine_gray, or"
            " an Endpoint whose event column is 1 for what counts here"
        )
    raise InputError(f"endpoint: expected Endpoint(duration, event), got {type(endpoint).__name__} {endpoint!r}")
