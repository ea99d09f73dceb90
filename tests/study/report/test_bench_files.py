"""A bench's files: there and back, one line of how it was made, and a page of the results."""

import json

import pandas as pd
import pytest

from analysis import InputError
from analysis.cohort.reading.examples import synthetic_folder
from analysis.study.report.bench_files import FOLDER, bench_markdown, checkout_commit, read_benches, write_bench
from analysis.truth.bench.benches import BENCHES


def scores():
    rows = [
        ("no effect", "naive cut", "bias away from zero", 1 / 3, 0.01, 500, "effect", 0.0, 0.0),
        ("no effect", "naive cut", "root mean squared error", 0.4, 0.01, 500, "effect", 0.0, float("nan")),
        ("no effect", "naive cut", "type-I error", 0.3, 0.02, 500, "effect", 0.0, 0.05),
        ("no effect", "range", "failed", 0.0, 0.0, 500, "", float("nan"), 0.0),
    ]
    names = ["world", "method", "score", "value", "std_error", "n", "estimand", "target", "wanted"]
    return pd.DataFrame(rows, columns=names)


def test_what_is_written_is_read_again(tmp_path):
    paths = write_bench(scores(), tmp_path / "new", name="markers", n_replicates=500, seed=7)
    assert [path.name for path in paths] == ["markers.csv", "markers.json", "markers.md"]
    (record,) = read_benches(tmp_path / "new")
    pd.testing.assert_frame_equal(record.scores, scores(), rtol=1e-5)
    assert (record.n_replicates, record.seed) == (500, 7)
    assert record.command == "python -m analysis bench markers --replicates 500 --seed 7"
    assert len(paths[1].read_text(encoding="utf-8").splitlines()) == 1
    before = [path.read_bytes() for path in paths]
    assert [
        path.read_bytes() for path in write_bench(scores(), tmp_path, name="markers", n_replicates=500, seed=7)
    ] == before


def test_a_plain_reader_finds_no_label_missing(tmp_path):
    folder = synthetic_folder() / FOLDER
    for name in BENCHES:
        frame = pd.read_csv(folder / f"{name}.csv")  # pandas takes words such as "null" and "NA" for missing
        assert not frame[["world", "method", "score"]].isna().any(axis=None), name
        assert set(BENCHES[name].null_worlds) <= set(frame["world"])


def test_a_label_that_readers_take_for_missing_is_refused(tmp_path):
    for label in ("null", "NA", "None", ""):
        with pytest.raises(InputError, match=f"world {label!r}: readers of CSV take it for a missing value"):
            write_bench(scores().assign(world=label), tmp_path, name="markers")


def test_the_committed_pages_are_those_of_the_committed_scores():
    folder = synthetic_folder() / FOLDER
    for record in read_benches(folder):
        assert (folder / f"{record.name}.md").read_text(encoding="utf-8") == bench_markdown(record)


def test_the_page_has_a_row_for_what_is_judged_and_the_command(tmp_path):
    write_bench(scores(), tmp_path, name="markers", seed=7)
    page = bench_markdown(*read_benches(tmp_path))
    assert (
        "| no effect | naive cut | effect: 0.000 | 0.333 (0.010) | – | 30.0% (2.0%) | biased; rejects too often |"
        in page
    )
    assert "`python -m analysis bench markers --replicates" in page
    assert "| range |" not in page


def test_the_commit_is_read_wherever_git_has_it(tmp_path):
    commit, git, branch = "0123456789abcdef" + 24 * "0", tmp_path / "main" / ".git", "refs/heads/main"
    (git / "refs" / "heads").mkdir(parents=True)
    assert checkout_commit(tmp_path / "main") == ""
    (git / "HEAD").write_text(f"ref: {branch}\n", encoding="utf-8")
    assert checkout_commit(tmp_path / "main") == ""  # no commit yet
    (git / "packed-refs").write_text(f"# pack-refs with: peeled\n{commit} {branch}\n", encoding="utf-8")
    assert checkout_commit(tmp_path / "main") == "0123456789ab"
    (git / branch).write_text("fedcba9876543210\n", encoding="utf-8")  # a later commit
    assert checkout_commit(tmp_path / "main") == "fedcba987654"
    linked = git / "worktrees" / "other"
    linked.mkdir(parents=True)
    (linked / "HEAD").write_text(f"ref: {branch}\n", encoding="utf-8")
    (linked / "commondir").write_text("../..\n", encoding="utf-8")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".git").write_text(f"gitdir: {linked}\n", encoding="utf-8")
    assert checkout_commit(tmp_path / "other") == "fedcba987654"
    (git / "HEAD").write_text(f"{commit}\n", encoding="utf-8")
    assert checkout_commit(tmp_path / "main") == "0123456789ab"  # no branch


def test_no_folder_holds_no_bench_and_another_file_is_refused(tmp_path):
    assert read_benches(tmp_path / "none") == ()
    (tmp_path / "markers.csv").write_text("world\n", encoding="utf-8")
    (tmp_path / "markers.json").write_text(json.dumps({"title": "x"}), encoding="utf-8")
    with pytest.raises(InputError, match="not the files of a bench"):
        read_benches(tmp_path)


def test_a_bench_without_a_name_is_refused(tmp_path):
    with pytest.raises(InputError, match="no bench 'marker'"):
        write_bench(scores(), tmp_path, name="marker")
