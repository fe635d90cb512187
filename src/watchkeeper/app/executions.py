"""Executions on record, and the samples they exposed."""

from __future__ import annotations

from watchkeeper.app.records import read_records
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Execution, Sample


def executions(store: Store) -> tuple[Execution, ...]:
    """Every execution on record, in order of time and schedule."""
    found = read_records(store, "executions/", Execution, "/execution.json")
    return tuple(sorted(found, key=lambda execution: (execution.scheduled_at, execution.schedule)))


def samples(store: Store, environment: str | None = None) -> tuple[Sample, ...]:
    """What the executions, of one environment or of all, exposed as metrics, in order of time."""
    chosen = [e for e in executions(store) if environment in (None, e.environment)]
    return tuple(
        sorted((s for execution in chosen for s in execution.samples), key=lambda sample: sample.time)
    )
