"""Call every public function that takes a cohort, a frame or curves with odd inputs, and list what should not happen.

A call may return or raise `InputError` (or a child of it). Any other exception, any warning that is not an
`AnalysisWarning`, and any change of the frames given is a fault.

    python -m benchmarks.fuzz --calls 20000            every function in turn, seeds counted from 0
    python -m benchmarks.fuzz --calls 500 --name fit_cox --first 100
"""

from __future__ import annotations

import argparse
import inspect
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass

import pandas as pd

import analysis
from analysis import InputError
from analysis.errors import AnalysisWarning
from benchmarks.fuzz_calls import CALLS, NOT_CALLED
from benchmarks.fuzz_inputs import odd_draw


def uncovered() -> list[str]:
    """Public functions that neither table knows, and names in the tables that are no public function."""
    public = {name for name in analysis.__all__ if inspect.isfunction(getattr(analysis, name))}
    known = {*CALLS, *(name for names in NOT_CALLED.values() for name in names)}
    return sorted(public ^ known)


@dataclass(frozen=True)
class Fault:
    """One call that ended otherwise than it may."""

    name: str
    seed: int
    what: str
    where: str
    done: str


def fault_of(name: str, seed: int) -> Fault | None:
    """Call one function with the input of one seed; None when all is as it should be."""
    draw = odd_draw(seed)
    given, before = draw.cohort, draw.cohort.copy(deep=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", AnalysisWarning)
            CALLS[name](draw)
    except InputError:
        pass
    except Exception as error:
        return Fault(name, seed, f"{type(error).__name__}: {str(error)[:120]}", _where(error), "; ".join(draw.done))
    finally:
        _close_figures()
    try:
        pd.testing.assert_frame_equal(given, before)
    except AssertionError:
        return Fault(name, seed, "the frame given was changed", "", "; ".join(draw.done))
    return None


def _where(error: Exception) -> str:
    """The last line of the package on the way to an error."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/analysis/" in frame.filename]
    return f"{frames[-1].filename.split('/analysis/')[-1]}:{frames[-1].lineno}" if frames else "benchmarks"


def _close_figures() -> None:
    import matplotlib.pyplot as plt

    plt.close("all")


def main() -> None:
    """Call functions in turn and print each kind of fault once, with its first input and how often it came."""
    import matplotlib as mpl

    mpl.use("Agg")
    parser = argparse.ArgumentParser(description="every public function with odd inputs")
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--name", choices=sorted(CALLS), help="this function only")
    options = parser.parse_args()
    names = [options.name] if options.name else list(CALLS)
    first: dict[tuple[str, str], Fault] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for seed in range(options.first, options.first + options.calls):
        fault = fault_of(names[(seed - options.first) % len(names)], seed)
        if fault is not None:
            kind = (fault.where, fault.what.split(":")[0])
            seen[kind] += 1
            if first.setdefault(kind, fault) is fault:
                print(f"{fault.where}  {fault.what}\n    {fault.name}, seed {fault.seed}: {fault.done}", flush=True)
    print(f"{options.calls} calls, {sum(seen.values())} faults of {len(seen)} kinds")
    for (where, what), count in seen.most_common():
        print(f"{count:6d}  {where}  {what}")
    raise SystemExit(bool(seen))


if __name__ == "__main__":
    main()
