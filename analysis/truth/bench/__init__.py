"""The known-truth benches: worlds, methods, scores and their tables."""

from analysis.truth.bench.benches import BENCHES, bench_sizes, run_bench
from analysis.truth.bench.scoring import NO_DEPARTURE, bench_table, level_verdict
