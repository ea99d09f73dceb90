"""The command line: ``python -m analysis VERB``. Nothing heavy is imported before a verb runs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from analysis import errors
from analysis.cohort.remedies import remedies_for

if TYPE_CHECKING:
    from analysis.study.plan import StudyPlan
    from analysis.study.report import StudyResults

BUILD = Path("build")
LOG = "errors.log"
READING = ("sep", "decimal", "encoding", "sheet", "limits", "thousands")

Failures = Sequence[errors.PackageFault | errors.PartFailed]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; ``sys.argv`` when None.

    Returns
    -------
    int
        0 when all went well; 1 when something given cannot be used, a file cannot be written, or a part failed in a way
        that this package did not foresee (all on stderr; of the last, tracebacks go to a log).
    """
    options = _parser().parse_args(arguments)
    code = 1
    failed: Failures = []
    with suppress(OSError):  # no folder, no log
        (_log_folder(options) / LOG).unlink(missing_ok=True)
    try:
        with errors.collected() as caught, remedies_for("command line" if options.verb == "plan" else "plan"):
            code = errors.guarded(f"python -m analysis {options.verb}", partial(options.run, options))
        failed = [warning for warning in caught if isinstance(warning, errors.PartFailed)]
        errors.warn_all(warning for warning in caught if not isinstance(warning, errors.PartFailed))
    except errors.InputError as error:
        faults = f"{len(error.problems)} faults:" if len(error.problems) > 1 else "1 fault:"
        print(faults, *(f"  - {problem}" for problem in error.problems), sep="\n", file=sys.stderr)
    except errors.PackageFault as fault:
        failed = [fault]
    if failed:
        _log(failed, _log_folder(options) / LOG)
    return 1 if failed else code


def _log(failed: Failures, path: Path) -> None:
    """One line for each failure, and their tracebacks in a log; on stderr where no log can be written."""
    from analysis.present.canvas import replace_file

    for failure in failed:
        print(failure, file=sys.stderr)
    details = "\n".join(f"{failure}\n\n{failure.details}" for failure in failed)
    try:
        print(f"tracebacks: {replace_file(path, details)}; please report them", file=sys.stderr)
    except errors.NotWritten:
        print(details, file=sys.stderr)


def _log_folder(options: argparse.Namespace) -> Path:
    """Where a verb's log goes: beside what it writes."""
    return _directory(options) if options.verb in ("report", "figures") else BUILD


def _directory(options: argparse.Namespace) -> Path:
    """Where to write: as asked for, else build/, or build/NAME for a plan NAME.toml."""
    if options.output:
        return Path(options.output)
    folder = BUILD / options.plan.stem if options.plan else BUILD
    return folder / "only" if options.verb == "report" and options.only else folder


def _parser() -> argparse.ArgumentParser:
    """The verbs and their options."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis",
        description="An illustrative survival-analysis lab: a synthetic immunotherapy cohort by serum magnesium, or"
        " your own.",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")

    _add_studies(verbs)
    _add_plans(verbs)
    _add_checks(verbs)
    return parser


Verbs = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def _add_studies(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """The verbs that carry out a study."""
    about = {"report": "run a study: figures, tables and one report.html", "figures": "draw every figure again"}
    for name, run in (("report", _report), ("figures", _figures)):
        verb = verbs.add_parser(name, help=about[name])
        verb.add_argument("--plan", type=Path, help="a study plan of your own (default: the synthetic cohort's)")
        verb.add_argument("--output", type=Path, help="folder to write to (default: build, or build/NAME for a plan)")
        verb.set_defaults(run=run)
        if name == "report":
            words = "these sections alone, in seconds: survival, models, cohort, ... (to a folder 'only' of its own)"
            verb.add_argument("--only", nargs="+", metavar="SECTION", default=(), help=words)


def _add_plans(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """The verbs on plans."""
    plan = verbs.add_parser("plan", help="write a commented plan for a cohort file, or the schema of plans for editors")
    parts = plan.add_subparsers(required=True, metavar="new | schema")
    new = parts.add_parser("new", help="guess a plan from a file's columns")
    new.add_argument("file", type=Path, help="a CSV, Parquet or Excel file")
    new.add_argument("--output", type=Path, help="the plan to write (default: NAME_plan.toml here)")
    new.add_argument("--sep", help="what separates the fields of a text file (default: found)")
    new.add_argument("--decimal", default=".", help='the decimal mark: "." (default) or ","')
    new.add_argument("--encoding", help="of a text file, such as cp1252 (default: UTF-8)")
    new.add_argument("--sheet", help="of an Excel file with several")
    new.add_argument("--limits", default="error", help='values such as "<0.5": error (default), bound or missing')
    new.add_argument("--thousands", default="", help='what separates thousands, as in "1,284" (default: nothing)')
    new.set_defaults(run=_plan_new)
    schema = parts.add_parser("schema", help="write the JSON schema by which editors complete and check plans")
    schema.add_argument("--output", type=Path, default=Path("plan.schema.json"), help="(default: plan.schema.json)")
    schema.set_defaults(run=_plan_schema)
    validate = verbs.add_parser("validate", help="say all that is wrong with a plan and its cohort")
    validate.add_argument("plan", type=Path, help="a study plan")
    validate.set_defaults(run=_validate)


def _add_checks(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """The verbs that look at what was made, and make the synthetic data again."""
    check = verbs.add_parser("check", help="run the study of a report again and list what changed; exit code 1 if any")
    check.add_argument("directory", type=Path, help="a folder that report wrote")
    check.add_argument("--tolerance", type=float, default=1e-8, help="relative, of numbers (default: 1e-8)")
    check.set_defaults(run=_check)
    bench = verbs.add_parser("bench", help="score methods on many simulated cohorts whose truth is known (minutes)")
    bench.add_argument("name", help="markers, confounding, missing, measurement, moving or hazards")
    bench.add_argument("--replicates", type=int, help="cohorts of each world (default: the bench's own number)")
    bench.add_argument("--seed", type=int, help="of all cohorts (default: the bench's own)")
    bench.add_argument("--output", type=Path, default=BUILD / "bench", help="folder to write to (default: build/bench)")
    bench.set_defaults(run=_bench)
    simulate = verbs.add_parser("simulate", help="write the synthetic cohort again, byte for byte")
    simulate.add_argument("--output", type=Path, default=Path("data/synthetic"), help="folder to write to")
    simulate.set_defaults(run=_simulate)


def _report(options: argparse.Namespace) -> int:
    """The report; with the notebooks when it is the synthetic cohort's."""
    from concurrent.futures import ThreadPoolExecutor

    from joblib import cpu_count, parallel_config

    from analysis.study import outputs
    from analysis.study.blocks import recorded

    alone = bool(options.plan or options.only)
    directory, notebooks = _directory(options), () if alone else outputs.notebook_paths()
    with _Progress("report", len(notebooks)) as progress, ThreadPoolExecutor(max_workers=2) as pool:
        pages = zip(notebooks, outputs.start_notebooks(notebooks, directory / "notebooks", pool), strict=True)
        results = _results(options.plan, progress, only=options.only)
        made = (recorded(f"The notebook {path.stem}", page.result)[0] for path, page in pages)
        written = [progress.step_with(path) for path in made if path is not None]
        with parallel_config(n_jobs=cpu_count()):
            files = outputs.write_outputs(
                results, directory, others=tuple(written), companions=not options.only, progress=progress.step
            )
    print(f"{len(files)} files written; open {directory / 'report.html'}")
    return 0


def _figures(options: argparse.Namespace) -> int:
    """The figures alone."""
    from joblib import cpu_count, parallel_config

    from analysis.study.outputs import write_figures

    directory = _directory(options)
    with _Progress("figures", 0) as progress:
        results = _results(options.plan, progress)
        with parallel_config(n_jobs=cpu_count()):
            files, _ = write_figures(results, directory, progress=progress.step)
    print(f"{len(files)} files written to {directory / 'figures'}")
    return 0


def _results(plan: Path | None, progress: _Progress, *, only: Sequence[str] = ()) -> StudyResults:
    """A study carried out; its sections and its figures are steps."""
    from analysis.study.run import chosen_sections, load_plan, run_study

    progress.expect(len(chosen_sections(only)))
    results = run_study(load_plan(plan), only=only, progress=progress.step)
    progress.expect(len(results.figures))
    return results


def _plan_new(options: argparse.Namespace) -> int:
    """A commented plan beside the user's other files; never over one that is there."""
    from analysis.present.canvas import replace_file
    from analysis.study.plan import StudyPlan, new_plan

    path = _new_file(options.output or Path(f"{options.file.stem}_plan.toml"))
    with errors.collected():  # validate gives them, with the plan's units and codes
        text = new_plan(options.file, folder=path.parent, **{name: getattr(options, name) for name in READING})
    replace_file(path, text)
    print(*_taken(StudyPlan.from_toml(path)), sep="\n")
    print(f"{path} written; check every line, then: python -m analysis validate {path}")
    return 0


def _new_file(path: Path) -> Path:
    """A path at which nothing lies: a verb that writes one file never writes over another."""
    if path.exists():
        raise errors.PlanError(f"{path} is there already; move it, or name another with --output")
    return path


def _taken(plan: StudyPlan) -> list[str]:
    """What a new plan took for what, and how many events that makes, or what is still to be settled."""
    from analysis.study.overview import count_lines, plan_lines
    from analysis.study.prepare import prepare_study

    try:
        counts = count_lines(prepare_study(plan))
    except errors.InputError as error:
        counts = [f"to be settled: {problem}" for problem in error.problems]
    return [*plan_lines(plan), *counts]


def _plan_schema(options: argparse.Namespace) -> int:
    """The JSON schema of plans, for editors."""
    import json

    from analysis.present.canvas import replace_file
    from analysis.study.plan import plan_schema

    replace_file(_new_file(options.output), json.dumps(plan_schema(), indent=2) + "\n")
    print(f"{options.output} written; the first line of a plan beside it: #:schema {options.output.name}")
    return 0


def _validate(options: argparse.Namespace) -> int:
    """All that is wrong with a plan and its cohort, then what is merely suspicious."""
    from analysis.study.models import not_estimable
    from analysis.study.overview import count_lines, first_rows
    from analysis.study.plan import StudyPlan
    from analysis.study.prepare import prepare_study
    from analysis.study.report import sparse_levels

    study = prepare_study(StudyPlan.from_toml(options.plan))
    warnings = not_estimable(study)
    missing = any(isinstance(warning, errors.NotComputed) for warning in warnings)
    sparse = [caution.text for caution in sparse_levels(study) if caution.raised]
    for note in (*study.notes, *warnings, *sparse):
        print(f"note: {note}")
    print(*count_lines(study), "first rows as read:", first_rows(study), sep="\n")
    verdict = "all but the models named above can be run" if missing else "nothing wrong"
    print(f"{options.plan}: {verdict}. {len(study.cohort)} rows")
    return 0


def _check(options: argparse.Namespace) -> int:
    """What an earlier report would say today."""
    from analysis.study.outputs import SOFTWARE, find_drift
    from analysis.study.report.sections import SECTIONS

    with _Progress("check", len(SECTIONS)) as progress:
        drift = find_drift(options.directory, tolerance=options.tolerance, progress=progress.step)
    for row in drift.to_dict("records"):
        where = ", ".join(str(row[part]) for part in ("table", "row", "column") if row[part] != "")
        print(f"{where}: {row['before'] or 'nothing'} is now {row['now'] or 'nothing'}")
    changed = int((drift["table"] != SOFTWARE).sum())
    print(f"{options.directory}: {changed or 'no'} changes beyond {options.tolerance:g}")
    return 1 if changed else 0


def _bench(options: argparse.Namespace) -> int:
    """A known-truth bench, on all cores."""
    from joblib import parallel_config

    from analysis.study.report import write_bench
    from analysis.truth.bench import run_bench

    sizes = {"n_replicates": options.replicates, "seed": options.seed}
    with _Progress("bench", 2) as progress, parallel_config(n_jobs=-1):
        scores = run_bench(options.name, **sizes, progress=progress.step)
    files = write_bench(scores, options.output, name=options.name, **sizes)
    print(f"{len(files)} files written to {options.output}; read {files[-1]}")
    return 0


def _simulate(options: argparse.Namespace) -> int:
    """The synthetic cohort's files."""
    from analysis.study.synthetic_data import write_synthetic

    with _Progress("simulate", 1) as progress:
        files = write_synthetic(options.output)
        progress.step("files")
    print(f"{len(files)} files written to {options.output}")
    return 0


class _Progress:
    """A bar on stderr, on a terminal only and after two seconds; at its end, where the time went."""

    def __init__(self, title: str, total: int) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, desc=title, delay=2, disable=None, leave=False)
        self._times: dict[str, float] = {}
        self._last = time.perf_counter()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Close the bar and name the five longest steps, unless something stopped them."""
        self._bar.close()
        if kind is not None:
            return
        longest = sorted(self._times.items(), key=lambda step: -step[1])[:5]
        total = sum(self._times.values())
        steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in longest)
        print(f"{total:.1f} s in all; longest: {steps}", file=sys.stderr)

    def expect(self, more: int) -> None:
        """Add steps that were not known at the start."""
        self._bar.total += more
        self._bar.refresh()

    def step(self, name: str) -> None:
        """Count one step, and the time since the last."""
        now = time.perf_counter()
        self._times[name] = self._times.get(name, 0.0) + now - self._last
        self._last = now
        self._bar.set_postfix_str(name, refresh=False)
        self._bar.update()

    def step_with(self, path: Path) -> Path:
        """Count a file as a step, and give it back."""
        self.step(path.name)
        return path
