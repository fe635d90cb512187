"""Asked again and again, it says what reading everything says."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.app.index.test_indexing import START, execution
from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.app.registry.executions import Exposures, exposed
from watchkeeper.app.registry.records import create_record
from watchkeeper.core.values import VERDICTS, Status
from watchkeeper.core.windows import time_folder

SCHEDULE = "p-prod-data-quality"


def put(store: MemoryStore, hour: int, status: Status, environment: str, value: float) -> None:
    """An execution of a window, as its next revision."""
    made = replace(execution(hour, value=value, environment=environment), status=status)
    if status not in VERDICTS:
        made = replace(made, samples=made.samples[:1])  # figures come with a verdict
    base = f"executions/{made.schedule}/{time_folder(made.scheduled_at)}/"
    revision = sum(key.endswith("/execution.json") for key in store.list(base)) + 1
    folder = base if revision == 1 else f"{base}revision-{revision}/"
    create_record(store, f"{folder}execution.json", made)


@pytest.mark.parametrize("seed", range(20))
def test_round_after_round_it_is_what_reading_everything_is(seed: int) -> None:
    chance, store = random.Random(seed), MemoryStore()
    held, hour = Exposures(store), 0
    verdicts, silences = [Status.COMPLETED, Status.VIOLATIONS], [Status.NO_TRAFFIC, Status.AWAITING_LABELS]
    for step in range(80):
        if step % 20 == 0:  # stretches in which hardly any window gets a verdict
            statuses = [*verdicts, *silences] if chance.random() < 0.5 else silences
        hour += chance.choice([0, 1, 1, 2, 30, 1500] if chance.random() < 0.1 else [0, 1, 1])
        back = chance.choice([0, 0, 0, 1, 3])  # a window of before gets another revision
        put(
            store,
            max(hour - back, 0),
            chance.choice(statuses),
            chance.choice(["prod"] * 9 + ["dev"]),
            float(step),
        )
        now = START + timedelta(hours=hour, minutes=5)
        assert held.read(now) == exposed(store), step


def test_only_the_days_since_the_newest_verdict_are_listed() -> None:
    store, held = MemoryStore(), None
    asked: list[str] = []

    class Watched(MemoryStore):
        def list(self, prefix: str) -> list[str]:
            asked.append(prefix)
            return [key for key in store.objects if key.startswith(prefix)]

        def read(self, key: str) -> bytes:
            return store.read(key)

    for hour in range(24 * 30):
        put(store, hour, Status.COMPLETED, "prod", float(hour))
    held = Exposures(Watched())
    held.read(START + timedelta(days=30))
    asked.clear()
    held.read(START + timedelta(days=30))
    assert asked == [
        "executions/*/2020/01/30/",
        "executions/*/2020/01/31/",
        f"executions/{SCHEDULE}/2020/01/30/",
        f"executions/{SCHEDULE}/2020/01/31/",
    ]


def test_a_schedule_that_the_project_has_not_is_seen_when_it_runs() -> None:
    store = MemoryStore()
    held = Exposures(store, (SCHEDULE,))
    assert held.read(START) == ()
    put(store, 5, Status.COMPLETED, "dev", 1.0)
    put(store, 6, Status.COMPLETED, "prod", 2.0)
    assert held.read(START + timedelta(hours=6)) == exposed(store)
    assert len(exposed(store)) == 4
