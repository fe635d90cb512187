"""What monitors expose, pushed to where nobody can scrape it from."""

from __future__ import annotations

from collections.abc import Sequence

from watchkeeper.adapters.local.remote_write import RemoteWrite
from watchkeeper.app.monitoring.overdue import overdue_samples
from watchkeeper.app.registry.executions import Exposures
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


def samples_to_push(
    books: Books, held: Exposures, live: Sequence[Sample] = ()
) -> dict[str, tuple[Sample, ...]]:
    """What each environment exposes now: newest verdicts, schedules that are late, and what is `live`."""
    now, project = books.clock.now(), books.project
    by_environment: dict[str, list[Sample]] = {name: [] for name in project.environments}
    for sample in newest([*held.read(now), *overdue_samples(books.store, project, now), *live]):
        of = dict(sample.labels).get("environment")
        if of in by_environment:
            by_environment[of].append(sample)
    return {name: tuple(found) for name, found in by_environment.items()}
