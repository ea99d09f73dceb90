"""Long work in batches: in turn, or shared out by joblib as the caller has chosen, with the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def in_batches(
    work: Callable[[Batch], Result],
    batches: Sequence[Batch],
    *,
    sizes: Sequence[int],
    label: str,
    share: bool = True,
) -> list[Result]:
    """The result of each batch, in order; a progress bar on a terminal when it takes more than two seconds.

    Under ``joblib.parallel_config(n_jobs=2)``, or with a cluster's back end, the batches run in parallel. What is drawn
    at random must follow from the batch alone, and batches must not depend on how many workers there are.

    Parameters
    ----------
    work : callable
        Takes a batch; can be pickled, with what it holds.
    batches : sequence
    sizes : sequence of int
        How many steps of the progress bar each batch is.
    label : str
        Of the progress bar.
    share : bool
        Whether the work is worth sharing out; small work always runs in turn.

    Returns
    -------
    list

    Examples
    --------
    >>> in_batches(sum, [[1, 2], [3]], sizes=[2, 1], label="sums")
    [3, 3]
    """
    from tqdm import tqdm

    results = []
    with tqdm(total=sum(sizes), desc=label, delay=2, disable=None, leave=False) as bar:
        for result, size in zip(batch_results(work, batches, share=share), sizes, strict=True):
            results.append(result)
            bar.update(size)
    return results


def batch_results(work: Callable[[Batch], Result], batches: Sequence[Batch], *, share: bool = True) -> Iterator[Result]:
    """As `in_batches`, the results one after another, as they are ready."""
    if not share:
        return map(work, batches)
    from joblib import Parallel, delayed

    results: Iterator[Result] = Parallel(return_as="generator")(delayed(work)(batch) for batch in batches)
    return results


def batch_bounds(total: int, size: int) -> list[tuple[int, int]]:
    """The first and the end of each batch of at most `size`.

    Examples
    --------
    >>> batch_bounds(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(first, min(first + size, total)) for first in range(0, total, size)]
