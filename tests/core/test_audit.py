"""The audit log finds whatever was done to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from watchkeeper.core.audit import AuditEntry, Event, Head, chain, read_entry, settle, verify
from watchkeeper.core.values import Actor

START = datetime(2020, 1, 1, tzinfo=UTC)
texts = st.text(max_size=12)
events = st.builds(
    Event,
    action=texts,
    subject=texts,
    actor=st.builds(Actor, name=texts, how=st.sampled_from(["os-user", "rehearsal"])),
    time=st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    why=texts,
    before=st.none() | texts,
    after=st.none() | texts,
)


@st.composite
def logs(draw: st.DrawFn, least: int = 1) -> tuple[list[bytes], Head]:
    head, lines = Head(), []
    for number, event in enumerate(draw(st.lists(events, min_size=least, max_size=8))):
        entry = chain(head, event, START + timedelta(seconds=number))
        lines.append(entry.line())
        head = Head(entry.number, entry.hash)
    return lines, head


@given(logs())
def test_an_untouched_log_is_verified(log: tuple[list[bytes], Head]) -> None:
    found = verify(*log)
    assert found.verified
    assert found.entries == len(log[0])
    assert found.head == log[1].hash


def test_an_empty_log_is_verified() -> None:
    assert verify([], Head()).verified


@given(logs(), st.data())
def test_any_changed_byte_is_found(log: tuple[list[bytes], Head], data: st.DataObject) -> None:
    lines, head = log
    place = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines[place]) - 1))
    byte = data.draw(st.integers(0, 255))
    assume(lines[place][at] != byte)
    changed = lines[place][:at] + bytes([byte]) + lines[place][at + 1 :]
    assert not verify([*lines[:place], changed, *lines[place + 1 :]], head).verified


@given(logs(), st.data())
def test_a_changed_entry_with_a_new_hash_is_found(log: tuple[list[bytes], Head], data: st.DataObject) -> None:
    lines, head = log
    place = data.draw(st.integers(0, len(lines) - 1))
    entry = read_entry(lines[place])
    forged = replace(entry, event=replace(entry.event, why=entry.event.why + "!")).sealed().line()
    assert not verify([*lines[:place], forged, *lines[place + 1 :]], head).verified


@given(logs(), st.data())
def test_a_removed_entry_is_found(log: tuple[list[bytes], Head], data: st.DataObject) -> None:
    lines, head = log
    place = data.draw(st.integers(0, len(lines) - 1))
    assert not verify(lines[:place] + lines[place + 1 :], head).verified


@given(logs(least=2), st.data())
def test_a_cut_tail_is_found(log: tuple[list[bytes], Head], data: st.DataObject) -> None:
    lines, head = log
    assert not verify(lines[: data.draw(st.integers(0, len(lines) - 1))], head).verified


@given(logs(), events, st.data())
def test_an_inserted_entry_is_found(log: tuple[list[bytes], Head], event: Event, data: st.DataObject) -> None:
    lines, head = log
    place = data.draw(st.integers(0, len(lines)))
    before = read_entry(lines[place - 1]).hash if place else Head().hash
    inserted = AuditEntry(place + 1, event, START, before).sealed().line()
    assert not verify([*lines[:place], inserted, *lines[place:]], head).verified


@given(logs(least=2), st.data())
def test_reordered_entries_are_found(log: tuple[list[bytes], Head], data: st.DataObject) -> None:
    lines, head = log
    order = data.draw(st.permutations(range(len(lines))))
    assume(order != list(range(len(lines))))
    assert not verify([lines[i] for i in order], head).verified


@given(logs(least=2), logs())
def test_a_log_that_was_wholly_rewritten_does_not_fit_its_head(
    log: tuple[list[bytes], Head], other: tuple[list[bytes], Head]
) -> None:
    assume(log[0] != other[0])
    assert not verify(other[0], log[1]).verified


@given(logs(), events)
def test_a_crash_while_appending_leaves_a_log_that_verifies(
    log: tuple[list[bytes], Head], event: Event
) -> None:
    lines, head = log
    entry = chain(head, event, START)
    pending = replace(head, pending=entry.hash)
    assert verify(lines, pending).verified, "killed before the entry was written"
    assert verify([*lines, entry.line()], pending).verified, "killed before the head was settled"
    assert settle(pending, entry) == Head(entry.number, entry.hash)
    assert settle(pending, read_entry(lines[-1])) == head


@given(logs())
def test_an_entry_survives_its_line(log: tuple[list[bytes], Head]) -> None:
    assert [read_entry(line).line() for line in log[0]] == log[0]


def test_a_fault_says_where_and_what() -> None:
    head, lines = Head(), []
    for number in range(3):
        entry = chain(head, Event("model.approve", f"v{number}", Actor("kim", "os-user"), START), START)
        lines.append(entry.line())
        head = Head(entry.number, entry.hash)
    assert "the log ends at entry 2, the head names entry 3" in verify(lines[:2], head).faults[0].reason
    assert (
        "entry 2 does not have the hash of its content"
        in verify([lines[0], lines[1].replace(b"v1", b"v9"), lines[2]], head).faults[0].reason
    )


BEFORE_ALL_TIME = (
    chain(Head(), Event("a", "b", Actor("kim", "os-user"), START), START)
    .line()
    .replace(b"2020-01-01T00:00:00Z", b"0001-01-01T00:00:00+10:00")
)


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 5000, BEFORE_ALL_TIME])
def test_what_is_no_entry_is_a_fault_and_no_crash(line: bytes) -> None:
    assert "entry 1 cannot be read" in verify([line], Head()).faults[0].reason
