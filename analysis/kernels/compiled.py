"""Loops as machine code: the one way in which this layer compiles.

Nothing lets the compiler change the order of a sum or fuse a product with a sum: the same rows give the same bits on
every processor, from a fresh compilation and from the cache. For the same reason compiled loops take exponentials and
logarithms from `analysis.kernels.cox.exponentials`, not from the C library, which has several of each.

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
