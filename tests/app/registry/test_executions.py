"""Executions on record: their order, their revisions, their place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.render import made_up
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.app.registry.executions import exposed, recorded
from watchkeeper.app.registry.records import create_record
from watchkeeper.core.values import Execution
from watchkeeper.core.windows import hour_folder

REVISIONS = 11


@pytest.fixture
def judged_often() -> tuple[MemoryStore, Execution]:
    """A window that was judged eleven times, each time with one row more."""
    store, first = MemoryStore(), made_up.execution("data-quality", "2020-01", 1)
    base = f"executions/{first.schedule}/{hour_folder(first.scheduled_at)}/"
    for number in range(1, REVISIONS + 1):
        folder = base if number == 1 else f"{base}revision-{number}/"
        samples = tuple(replace(each, value=float(number)) for each in first.samples)
        create_record(store, f"{folder}execution.json", replace(first, rows=number, samples=samples))
    return store, first


def test_the_tenth_revision_comes_after_the_second(judged_often: tuple[MemoryStore, Execution]) -> None:
    found = recorded(judged_often[0])
    assert [each.revision for each in found] == list(range(1, REVISIONS + 1))
    assert [each.execution.rows for each in found] == list(range(1, REVISIONS + 1))
    assert found[-1].folder.endswith(f"/revision-{REVISIONS}/")


def test_the_newest_revision_is_exposed(judged_often: tuple[MemoryStore, Execution]) -> None:
    assert {sample.value for sample in exposed(judged_often[0])} == {float(REVISIONS)}
