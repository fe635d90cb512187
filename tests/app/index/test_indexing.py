"""The index says what the records say, however it came to be, and can be thrown away at any time."""

from __future__ import annotations

import random
import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from watchkeeper.adapters.local.index import SqliteIndex
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.index.indexing import (
    FILE,
    asked_index,
    bring_up_to_date,
    checked_index,
    fresh_index,
    rebuilt_index,
    trend,
)
from watchkeeper.app.registry.records import create_record
from watchkeeper.core.errors import IntegrityError, Refused
from watchkeeper.core.rules import Action, Alert, AlertState, Severity
from watchkeeper.core.values import Execution, Progress, Sample, Status, labels_of
from watchkeeper.core.windows import Window, hour_folder, month_start

START = month_start("2020-01")
HOUR = timedelta(hours=1)


def quiet(_: Progress) -> None:
    """Progress that nobody looks at."""


def execution(number: int, value: float = 1.0, environment: str = "prod") -> Execution:
    at = START + number * HOUR
    labels = labels_of(project="p", environment=environment, endpoint=f"p-{environment}")
    return Execution(
        key=f"{number:08d}",
        schedule=f"p-{environment}-data-quality",
        monitor="data-quality",
        environment=environment,
        endpoint=f"p-{environment}",
        window=Window(at - HOUR, at),
        scheduled_at=at,
        status=Status.COMPLETED,
        reason="fine",
        rows=50,
        judgements=(),
        samples=(
            Sample("watchkeeper_monitor_rows", labels, 50.0, at),
            Sample("watchkeeper_model_quality_rmse", labels, value, at),
        ),
        inputs=(),
    )


def alert(number: int) -> Alert:
    at = START + number * HOUR
    return Alert(
        name="Degraded",
        fingerprint=f"{number:016x}",
        labels=(),
        state=AlertState.FIRING,
        severity=Severity.CRITICAL,
        action=Action.REVIEW,
        notify=(),
        summary="it is",
        value=1.0,
        active_at=at,
        fired_at=at,
    )


def record(store: FolderStore, made: Execution | Alert, revision: int = 1) -> None:
    if isinstance(made, Alert):
        create_record(store, f"alerts/prod/{made.fingerprint}.json", made)
        return
    folder = f"executions/{made.schedule}/{hour_folder(made.scheduled_at)}/"
    own = folder if revision == 1 else f"{folder}revision-{revision}/"
    create_record(store, f"{own}execution.json", made)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path)
    for number in range(30):
        record(store, execution(number, value=float(number)))
        record(store, execution(number, environment="dev"))
    for number in range(7):
        record(store, alert(number))
    record(store, execution(5, value=99.0), revision=2)
    return store


def test_deleted_and_made_anew_it_gives_the_same_answers(store: FolderStore, tmp_path: Path) -> None:
    index = fresh_index(tmp_path, store, quiet)
    before, points = index.dump(), trend(index, "model_quality_rmse", None, environment="prod")
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    again = fresh_index(tmp_path, store, quiet)
    assert (again.dump(), trend(again, "model_quality_rmse", None, environment="prod")) == (before, points)
    assert [len(rows) for rows in before.values()] == [61, 122, 7]


@pytest.mark.parametrize("seed", range(5))
def test_filled_bit_by_bit_in_any_order_it_is_the_same(tmp_path: Path, seed: int) -> None:
    chance, store = random.Random(seed), FolderStore(tmp_path / "records")
    made: list[Execution | Alert] = [execution(number) for number in range(20)]
    made += [alert(number) for number in range(5)]
    chance.shuffle(made)
    for each in made:
        record(store, each)
        if chance.random() < 0.3:
            fresh_index(tmp_path, store, quiet)
    ours = fresh_index(tmp_path, store, quiet).dump()
    rebuilt_index(tmp_path / "anew", store, quiet)
    assert ours == SqliteIndex(tmp_path / "anew" / FILE).dump()


def test_each_record_is_read_once(store: FolderStore, tmp_path: Path) -> None:
    assert bring_up_to_date(fresh_index(tmp_path, store, quiet), store, quiet).added == 0
    record(store, execution(31))
    assert bring_up_to_date(fresh_index(tmp_path, store, quiet), store, quiet).added == 0
    state = rebuilt_index(tmp_path, store, quiet)
    assert (state.executions, state.alerts, state.added) == (62, 7, 69)


def test_a_trend_has_of_each_window_what_was_said_last(store: FolderStore, tmp_path: Path) -> None:
    points = trend(fresh_index(tmp_path, store, quiet), "model_quality_rmse", None, environment="prod")
    assert [point.value for point in points] == [float(n) if n != 5 else 99.0 for n in range(30)]
    late: datetime = START + 20 * HOUR
    since = trend(
        fresh_index(tmp_path, store, quiet), "watchkeeper_model_quality_rmse", late, environment="prod"
    )
    assert [point.value for point in since] == [float(n) for n in range(21, 30)]


@pytest.mark.parametrize("fault", ["DELETE FROM alerts", "UPDATE executions SET status = 'Failed'"])
def test_an_index_that_somebody_changed_is_found(store: FolderStore, tmp_path: Path, fault: str) -> None:
    fresh_index(tmp_path, store, quiet)
    assert checked_index(tmp_path, store, quiet).equal
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute(fault)
    connection.close()
    found = checked_index(tmp_path, store, quiet)
    assert (found.equal, len(found.differing), found.records) == (False, 1, 68)


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00 broken"])
def test_a_file_that_is_no_index_is_made_anew(store: FolderStore, tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert len(fresh_index(tmp_path, store, quiet).rows("alerts", ("since",))) == 7


def test_one_of_another_version_is_made_anew(store: FolderStore, tmp_path: Path) -> None:
    fresh_index(tmp_path, store, quiet)
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("DROP TABLE samples")
    connection.close()
    assert trend(fresh_index(tmp_path, store, quiet), "monitor_rows", None)


def test_a_record_that_cannot_be_read_stops_it_and_what_was_read_stays(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    record(store, execution(1))
    store.write("alerts/prod/broken.json", b"{}")
    with pytest.raises(IntegrityError, match=r"read record alerts/prod/broken\.json"):
        fresh_index(tmp_path, store, quiet)
    assert len(SqliteIndex(tmp_path / FILE).rows("executions", ("key",))) == 1


def test_two_revisions_of_a_window_are_two_rows(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    record(store, execution(1))
    record(store, replace(execution(1), status=Status.VIOLATIONS), revision=10)
    rows = fresh_index(tmp_path, store, quiet).rows("executions", ("revision",))
    assert [(row["revision"], row["status"]) for row in rows] == [
        (1, "Completed"),
        (10, "CompletedWithViolations"),
    ]


def test_to_look_is_not_to_write(store: FolderStore, tmp_path: Path) -> None:
    before = sorted(path for path in tmp_path.rglob("*"))
    with asked_index(tmp_path, store, quiet) as index:
        assert len(index.rows("executions", ("key",))) == 61
    assert sorted(path for path in tmp_path.rglob("*")) == before
    with pytest.raises(Refused, match=r"there is none; `watchkeeper index rebuild` makes one"):
        checked_index(tmp_path, store, quiet)


def test_an_index_that_is_there_is_used_and_brought_up_to_date(store: FolderStore, tmp_path: Path) -> None:
    rebuilt_index(tmp_path, store, quiet)
    record(store, execution(31))
    with asked_index(tmp_path, store, quiet) as index:
        assert index.path == tmp_path / FILE
        assert len(index.rows("executions", ("key",))) == 62


def test_a_record_that_is_gone_is_gone_from_the_index(store: FolderStore, tmp_path: Path) -> None:
    rebuilt_index(tmp_path, store, quiet)
    shutil.rmtree(tmp_path / "executions" / "p-dev-data-quality")
    index = fresh_index(tmp_path, store, quiet)
    assert [len(rows) for rows in index.dump().values()] == [31, 62, 7]
    assert checked_index(tmp_path, store, quiet).equal
