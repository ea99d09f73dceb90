"""The results of a bench as files: its scores, what they were made with, and a page to read."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis import __version__
from analysis.errors import InputError, raise_all
from analysis.present.canvas import replace_file
from analysis.present.figures import bench_display
from analysis.present.text import csv_text
from analysis.truth.bench import BENCHES, bench_sizes, bench_table

FOLDER = "bench"
"""Where the committed results lie, inside the folder of the synthetic data."""

CHECKOUT = Path(__file__).resolve().parents[3]
"""Where this package lies when it runs from a checkout."""

NOTE = "Simulated cohorts: no patient, and nothing here is evidence about magnesium."
READING = (
    "Bias is counted away from zero; Monte-Carlo standard errors stand in brackets. The verdict names what is more than"
    " two Monte-Carlo errors from its nominal value: a bias (slight up to 0.4 standard deviations of the estimate),"
    " coverage of 95% intervals, and a type I error of 5% where nothing acts; the error of a share is that at 95% or"
    " 5%. One score in twenty departs by chance alone, and no departure shown is no proof that there is none."
    " A method that misses stays in the table."
)


@dataclass(frozen=True, eq=False)
class BenchRecord:
    """A bench as it was run.

    Attributes
    ----------
    name, title, about : str
    scores : DataFrame
        As `run_bench` gave them, to six digits.
    command, version, commit : str
        What makes them again, and the version and the commit that made them (no commit outside a checkout).
    n_replicates, seed, n_population : int
    """

    name: str
    title: str
    about: str
    scores: pd.DataFrame
    command: str
    version: str
    commit: str
    n_replicates: int
    seed: int
    n_population: int

    @property
    def words(self) -> str:
        """How it was made, in a sentence."""
        made_by = f"version {self.version}" + (f", commit {self.commit}" if self.commit else "")
        return (
            f"{self.n_replicates:,} cohorts of each world; true values from {self.n_population:,} simulated patients;"
            f" seed {self.seed}, {made_by}. Again with: {self.command}"
        )


def write_bench(
    scores: pd.DataFrame,
    directory: str | Path,
    *,
    name: str,
    n_replicates: int | None = None,
    seed: int | None = None,
    n_population: int | None = None,
) -> tuple[Path, ...]:
    """Write the scores of a bench with what they were made with.

    Parameters
    ----------
    scores : DataFrame
        As `run_bench` gave them.
    directory : str or Path
        Made where it does not exist; files of the same names are replaced.
    name : str
        The bench.
    n_replicates, seed, n_population : int, optional
        As they were given to `run_bench`.

    Returns
    -------
    tuple of Path
        NAME.csv (the scores), NAME.json (command, version, sizes, seed), NAME.md (the table, to read).

    Raises
    ------
    InputError
        A bench that is not known; a world or a method named as readers of CSV write a missing value.
    """
    raise_all(_label_problems(scores), InputError)
    sizes = bench_sizes(name, n_replicates=n_replicates, seed=seed, n_population=n_population)
    bench = BENCHES[name]
    command = f"python -m analysis bench {name} --replicates {sizes['n_replicates']} --seed {sizes['seed']}"
    head = {"bench": name, "title": bench.title, "about": bench.about, "command": command}
    made_by = {"version": __version__, "commit": checkout_commit()}
    table, record = _six_digits(scores), json.dumps(head | made_by | sizes, ensure_ascii=False) + "\n"
    texts = {"csv": table, "json": record, "md": bench_markdown(_record(table, record))}
    return tuple(replace_file(Path(directory) / f"{name}.{ending}", text) for ending, text in texts.items())


def _label_problems(scores: pd.DataFrame) -> list[str]:
    """Worlds and methods that `pandas.read_csv`, as it is, would read as missing."""
    return [
        f"{column} {label!r}: readers of CSV take it for a missing value; name it otherwise"
        for column in ("world", "method")
        for label in scores[column].unique()
        if pd.read_csv(io.StringIO(f"label\n{label},\n"), usecols=["label"], index_col=False)["label"].isna().any()
    ]


def read_benches(directory: str | Path) -> tuple[BenchRecord, ...]:
    """Every bench that was written to a folder, in the order of `BENCHES`; none where there is no folder.

    Raises
    ------
    InputError
        A file that `write_bench` has not written.
    """
    pairs = [[Path(directory) / f"{name}.{ending}" for ending in ("csv", "json")] for name in BENCHES]
    return tuple(
        _record(*(path.read_text(encoding="utf-8") for path in pair))
        for pair in pairs
        if all(path.is_file() for path in pair)
    )


def checkout_commit(root: Path = CHECKOUT) -> str:
    """The commit of the checkout that this package runs from, in twelve digits; empty where it runs from none.

    A linked worktree and a branch whose commit git has packed away are read too.
    """
    git = root / ".git"
    if git.is_file():
        git = root / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    if not (git / "HEAD").is_file():
        return ""
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref: "):
        return head[:12]
    branch, shared = head.removeprefix("ref: "), git / "commondir"
    common = git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git
    if (common / branch).is_file():
        return (common / branch).read_text(encoding="utf-8").strip()[:12]
    packed = common / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line[:12] for line in lines if line.endswith(f" {branch}")), "")


def _record(scores: str, head: str) -> BenchRecord:
    """A bench from the texts of its files."""
    try:
        values = json.loads(head)
        frame = pd.read_csv(io.StringIO(scores), keep_default_na=False, na_values=[""])
        frame["estimand"] = frame["estimand"].fillna("")
        return BenchRecord(name=values.pop("bench"), scores=frame, **values)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"not the files of a bench ({type(error).__name__}: {error})") from error


def _six_digits(scores: pd.DataFrame) -> str:
    """The scores as CSV, numbers to six digits."""
    numbers = scores.select_dtypes("float64").columns
    return csv_text(scores.assign(**{name: [float(f"{value:.6g}") for value in scores[name]] for name in numbers}))


def bench_markdown(record: BenchRecord) -> str:
    """A bench as a page of Markdown: what was done, how to do it again, and one row a world and method.

    Parameters
    ----------
    record : BenchRecord

    Returns
    -------
    str
    """
    shown = bench_display(bench_table(record.scores))
    lines = [
        f"# {record.title}",
        "",
        f"{record.about} {NOTE}",
        "",
        record.words.replace(record.command, f"`{record.command}`"),
        "",
        READING,
        "",
        *("| " + " | ".join(cells) + " |" for cells in (shown.columns, ["---"] * shown.shape[1], *shown.to_numpy())),
    ]
    return "\n".join(lines) + "\n"
