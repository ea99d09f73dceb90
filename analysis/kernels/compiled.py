"""Loops as machine code: the one way in which this room compiles.

A module whose functions are decorated with `jit` imports numba when it is imported itself; therefore it is imported
inside the functions that need it, where the rows or the resamples are many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """The function as machine code, compiled at its first call and kept on disk."""
    from numba import njit

    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


def jit_sums(function: Function) -> Function:
    """As `jit`, but sums may be taken in the order, and with the rounding, that is fastest on the machine."""
    from numba import njit

    return cast(
        Function, njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})(function)
    )
