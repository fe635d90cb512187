"""Labels imported: once or twice, whole or in parts, changed, of nobody; what a monitor makes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.loop import ANA, Loop, bring_to_prod, copied, model_of, new_loop, train_in
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.adapters.memory.trail import MemoryTrail
from watchkeeper.app.captures.label_import import (
    SAMPLE,
    Conflict,
    Delivery,
    LabelImport,
    Mismatch,
    Place,
    import_labels,
    no_report,
)
from watchkeeper.app.captures.labels import record_labels
from watchkeeper.app.monitoring.label_status import LabelState, StatusRequest, label_status
from watchkeeper.app.monitoring.run import run_monitor
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.replay.traffic import PlannedRequest
from watchkeeper.app.setup.audit import log
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.values import CaptureRecord, GroundTruth, Payload, Progress, Status
from watchkeeper.core.windows import month_start
from watchkeeper.readers.label_tables import truths_table
from watchkeeper.readers.labels import read_labels
from watchkeeper.render.records import (
    CaptureFolder,
    capture_key,
    capture_line,
    ground_truth_key,
    ground_truth_line,
)

NOW = datetime(2020, 2, 3, 9, 30, 15, 250000, tzinfo=UTC)
QUALITY = MonitorRun("model-quality", "prod", month_start("2020-07"))


def place(*captured: tuple[str, int]) -> Place:
    """An endpoint with captured requests, by id and rows."""
    store = MemoryStore()
    time = NOW - timedelta(days=20)
    lines = [
        capture_line(
            CaptureRecord(
                f"event-{id_}", id_, time, 1, 1,
                Payload("\n".join("A" * rows), "CSV", "text/csv"),
                Payload("\n".join("1" * rows), "CSV", "text/csv"),
            )
        )
        for id_, rows in captured
    ]  # fmt: skip
    if lines:
        store.create(capture_key(CaptureFolder("prod", 1, "p", "All"), time, "u"), b"".join(lines))
    return Place(store, MemoryTrail(MovedClock(NOW)), "prod", "p")


def bring(
    where: Place, *truths: tuple[str, tuple[float | str, ...]], at: datetime = NOW, **how: bool
) -> LabelImport:
    table = truths_table([GroundTruth(id_, labels) for id_, labels in truths])
    delivery = Delivery(table, "sales.csv", "d" * 64, at, ANA)
    return import_labels(where, replace(delivery, **how), no_report)  # type: ignore[arg-type]


def held(where: Place) -> dict[str, list[float]]:
    """The labels that count for a monitor that looks much later."""
    objects = [(key, where.store.read(key)) for key in where.store.list("ground-truth/")]
    found: dict[str, list[float]] = {}
    for id_, _, label, _ in read_labels(objects).frame.sort("_join_id", "_row").rows():
        found.setdefault(id_, []).append(float(label))
    return found


ids = st.sampled_from(["a", "b", "c", "d", "é", 'x"y'])
values = st.floats(-1e6, 1e6, allow_nan=False) | st.integers(0, 3).map(float)
truths = st.lists(st.tuples(ids, st.lists(values, min_size=1, max_size=3).map(tuple)), min_size=1, max_size=8)


@given(truths=truths)
def test_importing_twice_is_importing_once(truths: list[tuple[str, tuple[float, ...]]]) -> None:
    where = place(("a", 1), ("b", 2))
    first = bring(where, *truths)
    before = dict(where.store.objects)  # type: ignore[attr-defined]
    again = bring(where, *truths, at=NOW + timedelta(days=1))
    assert where.store.objects == before  # type: ignore[attr-defined]
    assert (again.stored, again.already, again.key) == (0, first.received, None)
    assert (again.unknown, again.mismatched) == (first.unknown, first.mismatched)
    assert held(where) == {id_: list(labels) for id_, labels in truths}


@given(truths=truths, cut=st.integers(0, 8), later=st.booleans())
def test_importing_parts_in_turn_is_importing_the_whole(
    truths: list[tuple[str, tuple[float, ...]]], cut: int, later: bool
) -> None:
    whole, parts = place(), place()
    bring(whole, *truths)
    for number, part in enumerate((truths[:cut], truths[cut:])):
        if part:
            bring(parts, *part, at=NOW + timedelta(minutes=number if later else 0))
    assert held(parts) == held(whole)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(turns=st.lists(truths, min_size=2, max_size=5))
def test_the_labels_brought_last_count_even_within_one_moment(
    turns: list[list[tuple[str, tuple[float, ...]]]],
) -> None:
    where = place()
    wanted: dict[str, list[float]] = {}
    for turn in turns:
        bring(where, *turn)
        wanted |= {id_: list(labels) for id_, labels in turn}
    assert held(where) == wanted


def test_new_labels_lie_in_the_hour_of_collection_in_the_contract_s_form() -> None:
    where = place(("a", 1), ("b", 2))
    done = bring(where, ("a", (1.0,)), ("b", (2.0, 3.0)))
    assert done.key is not None
    assert done.key.startswith("ground-truth/prod/p/2020/02/03/09/30-15-250-import-0001-")
    assert (done.labels, done.received, done.stored, done.already) == (3, 2, 2, 0)
    assert (done.unknown, done.mismatched, done.conflicting) == (0, 0, 0)
    assert where.store.read(done.key).splitlines()[0] == (
        b'{"groundTruthData":{"data":"1","encoding":"CSV"},"eventMetadata":{"eventId":"a",'
        b'"collectedTime":"2020-02-03T09:30:15Z"},"eventVersion":"0"}'
    )


@given(
    truths=st.dictionaries(
        st.text(min_size=1) | ids,
        st.lists(st.floats(allow_nan=False, allow_infinity=False) | values, min_size=1, max_size=2).map(
            tuple
        ),
        min_size=1,
    )
)
def test_lines_made_at_once_are_those_made_one_by_one(truths: dict[str, tuple[float, ...]]) -> None:
    where = place()
    done = bring(where, *truths.items())
    assert done.key is not None
    assert where.store.read(done.key) == b"".join(
        ground_truth_line(GroundTruth(id_, labels), NOW) for id_, labels in truths.items()
    )


def test_only_new_and_changed_labels_are_written_and_changes_are_shown() -> None:
    where = place(("a", 1), ("b", 2), ("c", 1))
    bring(where, ("a", (1.0,)), ("b", (2.0, 3.0)))
    done = bring(where, ("a", (1.0,)), ("b", (2.0, 4.0)), ("c", (5.0,)), at=NOW + timedelta(hours=1))
    assert (done.stored, done.already, done.conflicting) == (2, 1, 1)
    assert done.samples.conflicting == (Conflict("b", (2.0, 3.0), (2.0, 4.0)),)
    assert done.samples.stored == ("b", "c")
    assert done.key is not None
    assert where.store.read(done.key).count(b"\n") == 2
    assert held(where)["b"] == [2.0, 4.0]


def test_more_or_fewer_rows_than_on_record_are_a_change() -> None:
    where = place()
    bring(where, ("a", (1.0, 2.0)), ("b", (1.0,)))
    done = bring(where, ("a", (1.0,)), ("b", (1.0, 1.0)), at=NOW + timedelta(hours=1))
    assert (done.stored, done.conflicting) == (2, 2)


def test_a_text_on_record_is_another_label() -> None:
    where = place(("a", 1))
    line = b'{"groundTruthData":{"data":"withdrawn","encoding":"CSV"},"eventMetadata":{"eventId":"a"}}\n'
    where.store.create(ground_truth_key("prod", "p", NOW - timedelta(days=1), "u"), line)
    done = bring(where, ("a", (1.0,)))
    assert done.samples.conflicting == (Conflict("a", ("withdrawn",), (1.0,)),)


def test_a_change_inside_one_import_counts_as_conflicting_and_the_later_is_stored() -> None:
    where = place(("a", 1))
    done = bring(where, ("a", (1.0,)), ("a", (2.0,)))
    assert (done.received, done.labels, done.stored, done.conflicting) == (1, 2, 1, 1)
    assert done.samples.conflicting == (Conflict("a", (1.0,), (2.0,)),)
    assert held(where) == {"a": [2.0]}


def test_labels_collected_later_than_now_do_not_count_as_on_record() -> None:
    where = place(("a", 1))
    bring(where, ("a", (9.0,)), at=NOW + timedelta(days=1))
    assert bring(where, ("a", (1.0,))).stored == 1
    assert bring(where, ("a", (1.0,))).already == 1


def test_unknown_ids_are_counted_sampled_and_stored() -> None:
    where = place(("a", 1))
    strangers = [(f"stranger-{n}", (1.0,)) for n in range(7)]
    done = bring(where, ("a", (1.0,)), ("event-a", (1.0,)), *strangers)
    assert (done.stored, done.unknown) == (9, 8)
    assert done.samples.unknown == ("event-a", *(id_ for id_, _ in strangers[: SAMPLE - 1]))


def test_strict_refuses_unknown_ids_and_stores_nothing() -> None:
    where = place(("a", 1))
    with pytest.raises(Refused, match="got 1 others, such as b; nothing was stored"):
        bring(where, ("a", (1.0,)), ("b", (1.0,)), strict=True)
    assert where.store.list("ground-truth/") == []
    assert log(where.trail) == ()
    assert bring(where, ("a", (1.0,)), strict=True).stored == 1


def test_requests_with_another_number_of_labels_than_rows_are_counted() -> None:
    done = bring(place(("a", 1), ("b", 2)), ("a", (1.0, 2.0)), ("b", (1.0, 2.0)))
    assert (done.mismatched, done.samples.mismatched) == (1, (Mismatch("a", 2, 1),))


def test_captures_of_another_endpoint_do_not_count() -> None:
    where = replace(place(("a", 1)), endpoint="other")
    assert bring(where, ("a", (1.0,))).unknown == 1


def test_a_dry_run_says_the_same_and_stores_nothing() -> None:
    where = place(("a", 1))
    would = bring(where, ("a", (1.0,)), ("b", (1.0,)), dry_run=True)
    assert where.store.list("ground-truth/") == []
    assert log(where.trail) == ()
    done = bring(where, ("a", (1.0,)), ("b", (1.0,)))
    assert replace(would, dry_run=False, key=done.key) == done


def test_the_audit_log_says_what_was_imported() -> None:
    where = place(("a", 1))
    bring(where, ("a", (1.0,)), ("b", (1.0,)))
    bring(where, ("a", (1.0,)))
    bring(where, ("a", (1.0,)), silent=True)
    first, again = (entry.event for entry in log(where.trail))
    assert (first.action, first.subject, first.actor, first.time) == ("labels.import", "p", ANA, NOW)
    assert first.after == "d" * 64
    assert first.why == ("sales.csv: received 2, stored 2, already 0, conflicting 0, unknown 1, mismatched 0")
    assert "stored 0, already 1" in again.why


def test_progress_is_reported_to_its_end() -> None:
    steps: list[Progress] = []
    delivery = Delivery(truths_table([GroundTruth("a", (1.0,))]), "f", "d", NOW, ANA)
    import_labels(place(), delivery, steps.append)
    last = {step.step: (step.done, step.total) for step in steps}
    assert last == {"compare": (2, 2), "write": (1, 1)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    loop = new_loop(tmp_path_factory.mktemp("trained"))
    train_in(loop)
    bring_to_prod(loop)
    return loop


@pytest.fixture
def loop(trained: Loop, tmp_path: Path) -> Loop:
    return copied(trained, tmp_path)


@pytest.fixture
def sent(loop: Loop, trained: Loop) -> tuple[PlannedRequest, ...]:
    requests = loop.plan()
    loop.send(requests, model_of(trained))
    return requests


def of_loop(loop: Loop) -> Place:
    return Place(loop.store, loop.target.trail, "prod", "demo-prod")


def test_imported_labels_lead_to_the_verdict_that_recorded_ones_do(
    loop: Loop, sent: tuple[PlannedRequest, ...], tmp_path: Path
) -> None:
    other = copied(loop, tmp_path / "other")
    at = month_start("2020-06")
    done = bring(of_loop(loop), *((each.inference_id, each.truth.labels) for each in sent), at=at)
    assert (done.stored, done.unknown, done.mismatched) == (len(sent), 0, 0)
    record_labels(other.target, "prod", [each.truth for each in sent], at)
    imported, recorded = (run_monitor(each.target, QUALITY, ANA) for each in (loop, other))
    assert imported.status is Status.COMPLETED
    assert (imported.judgements, imported.samples) == (recorded.judgements, recorded.samples)
    assert loop.actions()[-2:] == ["labels.import", "monitor.execution"]


def status(loop: Loop, now: datetime, **asked: object) -> tuple[object, ...]:
    request = StatusRequest("prod", **asked)  # type: ignore[arg-type]
    found = label_status(loop.store, loop.target.project, request, now)
    rows = [
        (f"{each.window.start:%Y-%m}", each.rows, each.labelled, each.late, each.state)
        for each in found.windows
    ]
    return (*rows, found.unlabelled, found.unknown)


def test_the_status_follows_a_window_from_no_label_to_all(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    half, rest = sent[: len(sent) // 2], sent[len(sent) // 2 :]
    first = sum(each.rows for each in half)
    due, day = month_start("2020-07"), timedelta(days=1)
    assert status(loop, due - 20 * day) == (("2020-05", 60, 0, 0, LabelState.AWAITING), 60, 0)
    record_labels(loop.target, "prod", [each.truth for each in half], due - 15 * day)
    assert status(loop, due - 16 * day)[0] == ("2020-05", 60, 0, 0, LabelState.AWAITING), "not known yet"
    assert status(loop, due - 10 * day) == (("2020-05", 60, first, 0, LabelState.AWAITING), 60 - first, 0)
    nobody = GroundTruth("nobody", (1.0,))
    record_labels(loop.target, "prod", [*(each.truth for each in rest), nobody], due - 5 * day)
    assert status(loop, due) == (("2020-05", 60, 60, 0, LabelState.COMPLETE), 0, 1)
    found = label_status(loop.store, loop.target.project, StatusRequest("prod"), due)
    assert (found.windows[0].last_label, found.windows[0].due) == (due - 5 * day, due)
    assert (found.asked, found.windows[0].coverage, found.windows[0].requests) == (0.95, 1.0, len(sent))


def test_labels_after_the_monitor_was_due_are_late_as_the_monitor_says(
    loop: Loop, sent: tuple[PlannedRequest, ...]
) -> None:
    due = month_start("2020-07")
    record_labels(loop.target, "prod", [each.truth for each in sent], due)
    assert status(loop, due + timedelta(days=1)) == (("2020-05", 60, 0, 60, LabelState.LATE), 0, 0)
    assert run_monitor(loop.target, QUALITY, ANA).status is Status.AWAITING_LABELS


def test_a_span_shows_windows_without_traffic_too(loop: Loop, sent: tuple[PlannedRequest, ...]) -> None:
    assert sent
    span = {"start": month_start("2020-04"), "end": month_start("2020-07")}
    *windows, unlabelled, _ = status(loop, month_start("2020-06"), **span)
    assert [(each[0], each[4]) for each in windows] == [  # type: ignore[index]
        ("2020-04", LabelState.NO_TRAFFIC),
        ("2020-05", LabelState.AWAITING),
        ("2020-06", LabelState.NO_TRAFFIC),
    ]
    assert unlabelled == 60
    assert status(loop, month_start("2020-06"), start=month_start("2020-06")) == (0, 0)


def test_without_captures_there_are_no_windows(loop: Loop) -> None:
    record_labels(loop.target, "prod", [GroundTruth("nobody", (1.0,))], NOW)
    assert status(loop, NOW + timedelta(days=1)) == (0, 1)


@pytest.mark.parametrize("monitor", ["data-quality", "model-qualty"])
def test_a_monitor_without_labels_has_no_status(loop: Loop, monitor: str) -> None:
    with pytest.raises(InputError, match="want one of model-quality"):
        status(loop, NOW, monitor=monitor)
