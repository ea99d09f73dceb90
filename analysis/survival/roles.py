"""What columns are asked to be: slips between roles, found before any column is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from analysis.cohort.endpoints import CompetingEndpoint, Endpoint
from analysis.errors import InputError, raise_all


def listed(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """One name, several or none, as a tuple.

    Raises
    ------
    InputError
        When it is neither a name nor a list of names.

    Examples
    --------
    >>> listed("age"), listed(["age", "sex"]), listed(None)
    (('age',), ('age', 'sex'), ())
    """
    if names is None:
        return ()
    if isinstance(names, (str, int)):
        return (names,)
    given: object = names
    is_list = isinstance(given, Iterable) and not isinstance(given, (bytes, Mapping, pd.DataFrame))
    held = tuple(names) if is_list else ()
    if not is_list or not all(isinstance(name, (str, int)) for name in held):
        raise InputError(
            f"expected the name of a column or a list of names, got {type(given).__name__} {str(given).splitlines()[0]}"
        )
    return held


def check_competing(endpoint: object) -> None:
    """Refuse what is no `CompetingEndpoint`."""
    if not isinstance(endpoint, CompetingEndpoint):
        raise InputError(
            f"endpoint: expected CompetingEndpoint(duration, status, causes=...), got {type(endpoint).__name__}"
        )


def check_roles(endpoint: Endpoint, strata: Sequence[str], **columns: str | None) -> None:
    """Refuse what is no `Endpoint`, a role that names several columns, and groups or weights that are the outcome."""
    check_endpoint(endpoint)
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


def check_endpoint(endpoint: object) -> None:
    """Refuse what is no `Endpoint`."""
    if isinstance(endpoint, Endpoint):
        return
    if isinstance(endpoint, CompetingEndpoint):
        raise InputError(
            f"endpoint: {endpoint.name!r} has several causes; use cumulative_incidence, gray_test or fit_fine_gray, or"
            " an Endpoint whose event column is 1 for what counts here"
        )
    is_pair = isinstance(endpoint, (tuple, list)) and [type(part) for part in endpoint] == [str, str]
    hint = f"; write Endpoint({', '.join(map(repr, endpoint))})" if is_pair else ""  # type: ignore[call-overload]
    raise InputError(f"endpoint: expected Endpoint(duration, event), got {type(endpoint).__name__} {endpoint!r}{hint}")
