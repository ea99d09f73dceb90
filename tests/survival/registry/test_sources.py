"""Sources that are counted where they lie: as the frame they hold, fault for fault, by no more than its library."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import CohortError, Endpoint, InputError, RowsDropped, SuspiciousValues, event_counts
from tests.survival.registry.test_from_counts import LATE, PLAIN, attempt, cohorts
from tests.test_sharing import cluster

duckdb = pytest.importorskip("duckdb")
dask = pytest.importorskip("dask")
quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


def as_parquet(rows: pd.DataFrame, folder: Path) -> Path:
    """One file."""
    rows.to_parquet(folder / "rows.parquet", row_group_size=7)
    return folder / "rows.parquet"


def as_folder(rows: pd.DataFrame, folder: Path) -> Path:
    """Two files in folders of their own, the columns in another order, beside a file that is no Parquet."""
    (folder / "year=2024").mkdir()
    rows.iloc[::2].to_parquet(folder / "a [1].parquet")
    rows.iloc[1::2, ::-1].to_parquet(folder / "year=2024" / "b.parquet")
    (folder / "readme.txt").write_text("rows")
    return folder


def as_relation(rows: pd.DataFrame, folder: Path) -> object:
    """A relation of DuckDB over the frame."""
    return duckdb.from_df(rows)


def as_arrow(rows: pd.DataFrame, folder: Path) -> object:
    """A table of pyarrow."""
    import pyarrow as pa

    return pa.Table.from_pandas(rows)


def as_dask(rows: pd.DataFrame, folder: Path) -> object:
    """A frame of dask in two partitions."""
    from dask import dataframe

    return dataframe.from_pandas(rows, npartitions=2)


SOURCES = [as_parquet, as_folder, as_relation, as_arrow, as_dask]
everywhere = pytest.mark.parametrize("kept_as", SOURCES)
Source = Callable[[pd.DataFrame, Path], object]


@pytest.fixture(autouse=True)
def one_thread():
    """Dask without a pool of its own."""
    with dask.config.set(scheduler="synchronous"):
        yield


@quiet
@everywhere
@settings(deadline=None, max_examples=12)
@given(rows=cohorts(), endpoint=st.sampled_from([PLAIN, LATE]), by=st.sampled_from([None, "arm"]))
def test_every_source_counts_as_its_frame_does(
    kept_as: Source, rows: pd.DataFrame, endpoint: Endpoint, by: str | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = kept_as(rows, tmp_path_factory.mktemp("source"))
    found, wanted = attempt(event_counts, source, endpoint, by=by), attempt(event_counts, rows, endpoint, by=by)
    if isinstance(wanted, tuple):
        assert found == wanted
        return
    pd.testing.assert_frame_equal(found, wanted)


@everywhere
@pytest.mark.parametrize("kind", ["boolean", "Int64", "float"])
def test_rows_left_out_are_told_with_their_reason(kept_as: Source, kind: str, tmp_path: Path) -> None:
    rows = pd.DataFrame({"time": [0.0, 2, 3, 4], "event": [0, 1, None, 1], "arm": ["b", "a", "a", None]})
    source = kept_as(rows.assign(event=rows["event"].astype(kind)), tmp_path)
    with (
        pytest.warns(RowsDropped, match="2 of 4 rows dropped: 1 for missing event, 1 for missing arm"),
        pytest.warns(SuspiciousValues, match="time column 'time': 1 row censored at time 0, kept"),
    ):
        counts = event_counts(source, PLAIN, by="arm")
    assert counts.to_numpy().tolist() == [["a", 0, 1, 0, 0], ["a", 2, 0, 1, 0], ["b", 0, 1, 0, 1]]


BAD = {
    "negative times": ({"time": [-1.0, -3, 2, 4]}, PLAIN, r"time column 'time': negative values \(-3, -1\) in 2 rows"),
    "infinite times": ({"time": [np.inf, 3, 2, 4]}, PLAIN, "time column 'time': infinite values in 1 row"),
    "events of 2": ({"event": [1, 2, 2, 0]}, PLAIN, "event column 'event': 2 in 2 rows; it must hold 0 and 1"),
    "all at zero": ({"time": 0.0}, PLAIN, "every follow-up time is 0; nobody was followed"),
    "nothing left": ({"time": np.nan}, PLAIN, "no rows left: 4 dropped for missing time"),
    "late": ({"entry": [0, 2.0, 1, 9]}, LATE, "entry is at or after 'time' in 2 rows"),
    "late by rounding": ({"entry": [0, 0, 0.3, 0], "time": [1, 2, 0.1 + 0.2, 4]}, LATE, "by rounding only at time 0.3"),
    "negative entry": ({"entry": [0, -1.0, 1, 2]}, LATE, "entry column 'entry': negative values in 1 row"),
    "infinite entry": ({"entry": [0, np.inf, 1, 2]}, LATE, "entry column 'entry': infinite values in 1 row"),
    "text": ({"time": list("abcd")}, PLAIN, "time column 'time': holds .*, not numbers"),
    "text events": ({"event": ["yes", "no"] * 2}, PLAIN, "event column 'event': holds .*, not numbers"),
    "no column": ({}, Endpoint("tme", "event"), "no column 'tme'; did you mean 'time'"),
    "two faults": ({"time": [-1.0, 3, 2, 4], "event": [7, 1, 1, 1]}, PLAIN, "(?s)negative.*'event': 7 in 1 row"),
}


@pytest.mark.parametrize("kept_as", [as_parquet, as_folder, as_relation, as_dask])
@pytest.mark.parametrize("case", BAD)
def test_faults_are_told_with_their_number(kept_as: Source, case: str, tmp_path: Path) -> None:
    columns, endpoint, words = BAD[case]
    rows = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": [1, 0, 1, 0], "entry": 0.0}).assign(**columns)
    with pytest.raises(CohortError, match=words):
        event_counts(kept_as(rows, tmp_path), endpoint)


@pytest.mark.parametrize("kept_as", [as_parquet, as_relation, as_dask])
def test_a_measurement_is_no_stratum(kept_as: Source, tmp_path: Path) -> None:
    rows = pd.DataFrame({"time": 1.0, "event": 1, "age": np.arange(40.0)})
    with pytest.raises(CohortError, match="column 'age' holds 40 different numbers: a measurement"):
        event_counts(kept_as(rows, tmp_path), PLAIN, by="age")


@everywhere
def test_names_with_quotes_and_words_of_sql(kept_as: Source, tmp_path: Path) -> None:
    rows = pd.DataFrame({'days "raw"': [1, 2], "select": [True, False], "a'b; --": [0.0, 1], "group by": ["x", "y"]})
    endpoint = Endpoint('days "raw"', "select", entry="a'b; --")
    wanted = event_counts(rows, endpoint, by="group by")
    pd.testing.assert_frame_equal(event_counts(kept_as(rows, tmp_path), endpoint, by="group by"), wanted)


@pytest.mark.parametrize("kept_as", [as_parquet, as_relation, as_arrow, as_dask])
def test_strata_keep_the_order_of_their_categories(kept_as: Source, tmp_path: Path) -> None:
    arm = pd.Categorical(["low", "high", "mid"], categories=["low", "mid", "high", "none"])
    rows = pd.DataFrame({"time": [1, 2, 3.0], "event": 1, "arm": arm})
    counts = event_counts(kept_as(rows, tmp_path), PLAIN, by="arm")
    assert list(counts["stratum"].cat.categories) == ["low", "mid", "high", "none"]


def test_words_coded_as_they_came_up_are_sorted(tmp_path: Path) -> None:
    import pyarrow as pa

    arm = pa.array(["mid", "low", "high"]).dictionary_encode()
    counts = event_counts(pa.table({"time": [1, 2, 3], "event": [1, 1, 0], "arm": arm}), PLAIN, by="arm")
    assert list(counts["stratum"].cat.categories) == ["high", "low", "mid"]


def test_whole_and_fractional_times_in_one_folder_are_not_rounded(tmp_path: Path) -> None:
    pd.DataFrame({"time": [5], "event": [1]}).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame({"time": [5.5], "event": [1]}).to_parquet(tmp_path / "2.parquet")
    assert event_counts(str(tmp_path), PLAIN)["time"].tolist() == [0.0, 5.0, 5.5]


def test_a_file_that_lacks_a_column_is_named(tmp_path: Path) -> None:
    pd.DataFrame({"time": [5], "event": [1]}).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame({"time": [5.5]}).to_parquet(tmp_path / "2.parquet")
    with pytest.raises(CohortError, match=r"no column 'event' in 1 of 2 files \(.*2.parquet, ...\)"):
        event_counts(tmp_path, PLAIN)


def test_paths_that_hold_no_rows(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "cohort.csv").write_text("time,event\n1,1\n")
    (tmp_path / "broken.parquet").write_text("time,event\n1,1\n")
    for path, words in (
        ("none.parquet", "no file or folder"),
        ("empty", r"holds no \*.parquet file"),
        ("cohort.csv", "is not Parquet; read it with read_cohort"),
        ("broken.parquet", "cannot read it"),
    ):
        with pytest.raises(CohortError, match=words):
            event_counts(tmp_path / path, PLAIN)


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(InputError, match="dict is no source of rows"):
        event_counts({"time": [1], "event": [1]}, PLAIN)
    with pytest.raises(InputError, match="by='event' is the event of the endpoint"):
        event_counts(pd.DataFrame({"time": [1], "event": [1]}), PLAIN, by="event")


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = as_parquet(pd.DataFrame({"time": [1], "event": [1]}), tmp_path)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(InputError, match=r"install the extra magnesium-survival\[registry\]"):
        event_counts(path, PLAIN)


def test_a_frame_needs_neither_duckdb_nor_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("duckdb", "dask"):
        monkeypatch.setitem(sys.modules, name, None)
    assert len(event_counts(pd.DataFrame({"time": [1], "event": [1]}), PLAIN)) == 2


def test_the_connection_of_a_relation_is_left_as_it_was() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE rows AS SELECT 1.5::DECIMAL(6, 2) AS time, true AS event")
        counts = event_counts(connection.table("rows"), PLAIN)
        assert connection.sql("SHOW TABLES").fetchall() == [("rows",)]
    assert counts["time"].tolist() == [0.0, 1.5]


@quiet
def test_a_cluster_of_two_workers_counts_as_the_frame_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    entry = rng.integers(0, 4, 90)
    rows = pd.DataFrame({"time": entry + rng.integers(1, 9, 90), "event": rng.integers(0, 2, 90), "entry": entry})
    rows["arm"] = pd.Categorical(rng.choice(["low", "high"], 90), categories=["low", "high"])
    rows.loc[::7, "event"] = np.nan
    with cluster(tmp_path), dask.config.set(scheduler=None):
        found = event_counts(as_dask(rows, tmp_path), LATE, by="arm")
    pd.testing.assert_frame_equal(found, event_counts(rows, LATE, by="arm"))
