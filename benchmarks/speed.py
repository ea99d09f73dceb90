"""Every comparison of speed in one run on one machine, written as a page.

    python -m benchmarks.speed [--output docs/speed.md] [NAME ...]

Takes about a quarter of an hour, best on an idle machine. Each part asserts equal results before it times anything;
peers that are not installed are left out with a word (the extra ``peers`` installs those of Python; R's come with
survival, maxstat and coin). NAME picks parts, such as counting_speed.
"""

from __future__ import annotations

import argparse
import os
import platform
from importlib import import_module
from pathlib import Path

from benchmarks.timing import Comparison, table, versions

PARTS = (
    "counting_speed",
    "cox_speed",
    "search_speed",
    "resampling_speed",
    "registry_speed",
)
PACKAGES = (
    "numpy", "numba", "pandas", "lifelines", "statsmodels", "survival", "coxstream", "duckdb", "polars",
)  # fmt: skip

WHERE_THE_TIME_GOES = (
    "## Where the time goes",
    "",
    "What profiles of the work beside its goals showed:",
    "",
    "- Counting a million rows on arrays is one pass over times, events and groups: about 2 ms when they are still in"
    " the processor's cache, twice that in turn with peers that push them out.",
    "- Cox with a million rows: a start on 25,000 of them, then passes over all, partly bound by memory bandwidth. The"
    " Rust package takes half of what it took when the goal was set.",
    "- 10,000 permutations: 70 % is the shuffles and their sums, the rest the public call's checks and tables.",
    "- A Parquet file: reading and grouping are DuckDB's own; curves and test come on top, about 40 ms.",
    "- Times that nearly all differ: two sorts, one of them to merge near-ties.",
)


def main() -> None:
    """Run the parts and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"of: {', '.join(PARTS)}")
    parser.add_argument("--output", type=Path, default=Path("docs/speed.md"))
    options = parser.parse_args()
    rows = [row for part in options.parts for row in import_module(f"benchmarks.{part}").comparisons()]
    options.output.write_text(page(rows), encoding="utf-8")
    print(options.output)


def page(rows: list[Comparison]) -> str:
    """The comparisons as a page: what was reached, what was not, and what ran."""
    wanted = [row for row in rows if row.goal is not None and row.ratio is not None]
    short = [row for row in wanted if row.ratio is not None and row.goal is not None and row.ratio < row.goal]
    head = [
        "# Speed",
        "",
        "Ratios are the claim, not times: ours and the peer ran in one process and in turn, after their results were"
        " asserted equal. Medians; one thread on both sides. The goal is what was set beforehand.",
        "",
        f"{len(wanted) - len(short)} of {len(wanted)} goals reached on this machine:"
        f" {platform.machine()}, {os.cpu_count()} cores, {versions(*PACKAGES)}.",
        "",
        "Made by `python -m benchmarks.speed`. How time and memory grow with rows: `python -m benchmarks.growth`.",
        "",
    ]
    return "\n".join([*head, *table(rows), "", *WHERE_THE_TIME_GOES]) + "\n"


if __name__ == "__main__":
    main()
