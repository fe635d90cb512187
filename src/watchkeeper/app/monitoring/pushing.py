"""What monitors expose, pushed to where nobody can scrape it from."""

from __future__ import annotations

from collections.abc import Sequence

from watchkeeper.adapters.local.remote_write import RemoteWrite
from watchkeeper.app.monitoring.overdue import overdue_samples
from watchkeeper.app.registry.executions import exposed
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.values import Sample, newest


def receivers_of(project: Project) -> dict[str, tuple[RemoteWrite, ...]]:
    """Where the metrics of each environment are pushed."""
    return {
        name: tuple(
            RemoteWrite(each.url, each.token or "")
            for each in project.environment(name).telemetry.remote_write
        )
        for name in project.environments
    }


def pushed_samples(books: Books, environment: str, live: Sequence[Sample] = ()) -> tuple[Sample, ...]:
    """What an environment exposes now: its newest verdicts, schedules that are late, and what is `live`."""
    late = overdue_samples(books.store, books.project, books.clock.now())
    found = newest([*exposed(books.store, environment), *late, *live])
    return tuple(
        sample for sample in found if dict(sample.labels).get("environment", environment) == environment
    )
