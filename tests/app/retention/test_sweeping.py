"""What is kept no longer goes, is on record, and takes nothing with it that is held, in use or history."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.app.index.test_indexing import execution, record
from tests.app.loop import ANA, quiet, write_project
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.memory.trail import MemoryTrail
from watchkeeper.app.alerts.alerting import evaluate_rules
from watchkeeper.app.alerts.holding import Hold, hold
from watchkeeper.app.alerts.incident_stories import known_incidents
from watchkeeper.app.index.indexing import bring_up_to_date, checked_index, fresh_index, rebuilt_index, trend
from watchkeeper.app.registry.executions import exposed
from watchkeeper.app.registry.history import COLUMNS, extend_history, history, put_together
from watchkeeper.app.registry.history_keys import parts
from watchkeeper.app.registry.records import read_records
from watchkeeper.app.retention.sweeping import Expired, Sweep, expired, sweep
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.setup.sections import Kept
from watchkeeper.app.setup.workspace import OpenBooks
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.values import Sample, Status, labels_of
from watchkeeper.core.windows import hour_folder, month_start

NOW = month_start("2020-03")
DAY = timedelta(days=1)
RETAIN = "retain: {captures: 20 days, executions: 30 days, history: 12 months, audit: 400 days}\n"
RATIO = "watchkeeper_model_quality_rmse_baseline_ratio"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return load_project(write_project(tmp_path / "project", ("receivers:\n", f"{RETAIN}receivers:\n")))


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Sixty days, an execution and a capture file at the beginning of each, up to 29 February."""
    store = FolderStore(tmp_path / "work")
    for day in range(60):
        record(store, execution(24 * day, value=float(day)))
        store.create(_capture(month_start("2020-01") + day * DAY), b"x" * 10)
    return store


def _capture(time: datetime, endpoint: str = "p-prod") -> str:
    return f"captures/prod/schema-v1/{endpoint}/AllTraffic/{hour_folder(time)}/x.jsonl"


def planned(store: FolderStore, project: Project, now: datetime = NOW) -> dict[Kept, Expired]:
    return {each.kind: each for each in expired(store, project, now)}


def swept(store: FolderStore, project: Project, now: datetime = NOW) -> tuple[Sweep, ...]:
    trail = MemoryTrail(MovedClock(now))
    return sweep(store, trail, expired(store, project, now), (ANA, now), quiet)


def test_looking_changes_nothing_and_says_what_would_go(store: FolderStore, project: Project) -> None:
    before = list(store.list(""))
    found = planned(store, project)
    assert list(store.list("")) == before
    captures = found[Kept.CAPTURES]
    assert (len(captures.keys), captures.bytes, captures.keep) == (40, 400, "20 days")
    assert (captures.oldest, captures.newest) == (month_start("2020-01"), month_start("2020-01") + 39 * DAY)
    assert len(found[Kept.EXECUTIONS].keys) == 30
    assert found[Kept.HISTORY].keys == ()
    assert (found[Kept.AUDIT].keys, found[Kept.AUDIT].note) == ((), "the log is one chain: it is kept whole")


def test_an_hour_is_kept_to_its_end(store: FolderStore, project: Project) -> None:
    at = month_start("2020-01") + DAY
    early = planned(store, project, at + 20 * DAY + timedelta(minutes=59))
    assert _capture(at) not in early[Kept.CAPTURES].keys
    late = planned(store, project, at + 20 * DAY + timedelta(hours=1))
    assert _capture(at) in late[Kept.CAPTURES].keys


def test_what_went_is_on_record_and_its_metrics_are_in_the_history(
    store: FolderStore, project: Project, tmp_path: Path
) -> None:
    before = trend(fresh_index(tmp_path, store, quiet), "model_quality_rmse", None)
    shown = exposed(store)
    done = swept(store, project)
    assert [each.kind for each in done] == [Kept.CAPTURES, Kept.EXECUTIONS]
    assert read_records(store, "sweeps/", Sweep) == done
    assert len(store.list("captures/")) == 20
    assert len(store.list("executions/")) == 30
    assert exposed(store) == shown
    index = fresh_index(tmp_path, store, quiet)
    assert trend(index, "model_quality_rmse", None) == before
    assert bring_up_to_date(index, store, quiet).added == 0
    assert checked_index(tmp_path, store, quiet).equal
    rebuilt_index(tmp_path, store, quiet)
    assert trend(fresh_index(tmp_path, store, quiet), "model_quality_rmse", None) == before
    assert swept(store, project) == ()


def test_of_each_schedule_the_newest_windows_stay_however_old(store: FolderStore, project: Project) -> None:
    swept(store, project, NOW + 3650 * DAY)
    assert len(store.list("executions/")) == 10
    silent = FolderStore(store.root.with_name("silent"))
    for day in range(30):
        made = execution(24 * day)
        record(silent, made if day == 3 else replace(made, status=Status.NO_TRAFFIC))
    swept(silent, project, NOW + 3650 * DAY)
    assert len(silent.list("executions/")) == 27  # back to the newest verdict, which is still exposed
    assert any(sample.metric == "watchkeeper_model_quality_rmse" for sample in exposed(silent))


def test_what_belongs_to_an_incident_that_goes_on_or_is_held_stays(
    store: FolderStore, project: Project
) -> None:
    old = execution(24)
    clock = MovedClock(old.scheduled_at)
    books = OpenBooks(project, store, clock, MemoryTrail(clock))
    labels = labels_of(project="demo", environment="prod", endpoint="demo-prod", schedule=old.schedule)
    evaluate_rules(books, "prod", [Sample(RATIO, labels, 1.9, clock.now())])
    (incident,) = known_incidents(store, "prod")
    own, capture = (
        f"executions/{old.schedule}/{hour_folder(old.scheduled_at)}/execution.json",
        _capture(old.window.start),
    )
    store.create(capture, b"x")

    def going() -> bool:
        found = planned(store, project)
        gone = {own in found[Kept.EXECUTIONS].keys, capture in found[Kept.CAPTURES].keys}
        assert len(gone) == 1
        return gone.pop()

    assert not going()  # it goes on
    assert planned(store, project)[Kept.EXECUTIONS].held == 1
    clock.move_to(old.scheduled_at + DAY)
    evaluate_rules(books, "prod", [Sample(RATIO, labels, 1.0, clock.now())])
    assert going()
    hold(books, "prod", incident, Hold(incident.id, True, ANA, clock.now(), "an inquiry"))
    assert not going()
    with pytest.raises(Refused, match="it is held already"):
        hold(books, "prod", incident, Hold(incident.id, True, ANA, clock.now(), "again"))
    hold(books, "prod", incident, Hold(incident.id, False, ANA, clock.now(), "it is over"))
    assert going()


def test_killed_in_the_middle_the_next_one_finishes(
    store: FolderStore, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = FolderStore.remove
    left = [25]

    def dies(self: FolderStore, key: str) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        removed(self, key)

    monkeypatch.setattr(FolderStore, "remove", dies)
    with pytest.raises(KeyboardInterrupt):
        swept(store, project)
    monkeypatch.undo()
    assert len(read_records(store, "sweeps/", Sweep)) == 1  # said before it was done
    swept(store, project, NOW + timedelta(seconds=1))
    assert (len(store.list("captures/")), len(store.list("executions/"))) == (20, 29)
    assert history(store)["execution"].n_unique() == 60


def test_the_history_is_parquet_by_month_and_has_each_sample_once(store: FolderStore) -> None:
    assert extend_history(store) == 60
    assert extend_history(store) == 0
    assert [key.split("/")[1] for key in parts(store)] == ["month=2020-01", "month=2020-02"]
    frame = history(store)
    assert (frame.height, dict(frame.schema)) == (120, COLUMNS)
    record(store, execution(5, value=7.0))
    record(store, execution(24, value=8.0), revision=2)
    assert extend_history(store) == 2
    assert len(parts(store)) == 3
    assert put_together(store, "2020-02") == 2
    assert len(parts(store)) == 2
    frame = history(store)
    assert frame.height == 124
    said = frame.filter(metric="watchkeeper_model_quality_rmse", window_end=execution(24).window.end)
    assert sorted(said.select("revision", "value").rows()) == [(1, 1.0), (2, 8.0)]
    (key,) = [key for key in parts(store) if "2020-01" in key]
    assert pl.read_parquet(io.BytesIO(store.read(key))).height == 66  # any reader of Parquet reads it


def test_old_months_of_history_go_when_it_is_not_for_ever(
    store: FolderStore, project: Project, tmp_path: Path
) -> None:
    swept(store, project)
    later = month_start("2021-02")
    assert [key.split("/")[1] for key in planned(store, project, later)[Kept.HISTORY].keys] == [
        "month=2020-01"
    ]
    swept(store, project, later)
    assert [key.split("/")[1] for key in parts(store)] == ["month=2020-02"]
    points = trend(fresh_index(tmp_path, store, quiet), "model_quality_rmse", None)
    assert min(point.window_end for point in points) > month_start("2020-02") - DAY


@pytest.mark.parametrize("keep", ["90 dayz", "for ever", "yes"])
def test_how_long_is_a_duration_or_for_ever(tmp_path: Path, keep: str) -> None:
    with pytest.raises(InputError, match=r"retain\.captures"):
        load_project(write_project(tmp_path, ("receivers:\n", f"retain: {{captures: {keep}}}\nreceivers:\n")))
