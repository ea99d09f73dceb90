"""What each method is worth where the answer is known: the benches as they were last run in full."""

from __future__ import annotations

import pandas as pd

from analysis.cohort.reading import synthetic_folder
from analysis.present.figures import bench_display, plot_bench
from analysis.present.text import format_share
from analysis.study import report
from analysis.study.report import READING, BenchRecord, Blocks, Prose, table
from analysis.study.study import Study
from analysis.truth.bench import NO_DEPARTURE, bench_table, level_verdict

ELSEWHERE = (
    "The methods of this report also run on thousands of simulated cohorts whose true values are known, to see how"
    " often they mislead: the report of the synthetic cohort shows the scores, and python -m analysis bench"
    " makes them again."
)
METHODS = {"weighting: months": "weighted", "standardisation: months": "standardised"}


@report.section("bench", "Where the truth is known", supplement=True)
def bench_section(study: Study) -> Blocks:
    """The committed benches of the synthetic worlds; for a cohort of one's own a sentence on where they are.

    Nothing is simulated here: each bench takes minutes, and its command stands beside it.
    """
    records = committed_benches() if study.plan.synthetic else ()
    if not records:
        yield Prose(ELSEWHERE)
        return
    yield Prose(
        "One cohort is one draw. Here each method is applied to many simulated cohorts of several worlds whose true"
        f" values are known, and is compared with the true value of what it estimates. {READING}"
    )
    for record in records:
        yield from _record_blocks(study, record)


def committed_benches() -> tuple[BenchRecord, ...]:
    """The benches that lie beside the synthetic cohort."""
    return report.read_benches(synthetic_folder() / report.FOLDER)


def _record_blocks(study: Study, record: BenchRecord) -> Blocks:
    """A bench as a figure and a table."""
    scores, name = bench_table(record.scores), f"bench-{record.name}"
    missed = scores.loc[~scores["verdict"].isin([NO_DEPARTURE, ""]), "method"].astype(str).unique()
    departures = f"A departure is shown, in one world or more, of: {', '.join(missed)}."
    yield report.figure(
        study, name, record.title, plot_bench, scores,
        alt=f"Bias, coverage and type I error of {scores['method'].nunique()} methods in {scores['world'].nunique()}"
        f" worlds. {departures if len(missed) else 'No departure is shown.'}",
        caption=f"{record.about} Bars are 1.96 Monte-Carlo errors; bands: bias of 0.4 standard deviations, coverage of"
        " 93 to 97%.",
    )  # fmt: skip
    title, note = f"{record.title}: every method in every world", f"{record.about} {record.words}."
    yield table(name, title, scores, display=bench_display(scores), note=note)


def level_words(study: Study) -> str:
    """How often adjusted differences in months rejected in the committed bench where the stratum does not act.

    Parameters
    ----------
    study : Study
        Only the committed synthetic cohort has a bench of its own worlds.

    Returns
    -------
    str
        A sentence; empty for another cohort, or where no such bench lies beside the cohort.
    """
    committed, path = synthetic_folder() / "cohort.csv", study.plan.data.path
    own = study.plan.synthetic and committed.is_file() and path.resolve() == committed.resolve()
    scores = [record.scores for record in (committed_benches() if own else ()) if record.name == "confounding"]
    return level_sentence(scores[0], len(study.cohort)) if scores else ""


def level_sentence(scores: pd.DataFrame, size: int) -> str:
    """How often intervals of differences in months exclude 0 in the world without effect, by the bench's own verdict.

    Parameters
    ----------
    scores : DataFrame
        Of the bench on confounding.
    size : int
        Patients in each of its cohorts.

    Returns
    -------
    str
        A sentence; empty without such scores.
    """
    null = scores[scores["score"] == "type-I error"]  # scored only where nothing acts
    shares: list[str] = []
    for method, name in METHODS.items():
        for row in null[null["method"].str.startswith(method)].to_dict("records"):
            of_cohorts = "" if shares else f" of {row['n']:g} cohorts of {size}"
            verdict = level_verdict(row["value"], row["n"])
            shares.append(f"{format_share(row['value'])}{of_cohorts} ({name}: {verdict})")
    if not shares:
        return ""
    return (
        " Type I error: in simulated cohorts without any effect, where the strata do not differ after adjustment, 95%"
        f" intervals of the difference in months exclude 0, at a nominal level of 5%, in {' and '.join(shares)}."
    )
