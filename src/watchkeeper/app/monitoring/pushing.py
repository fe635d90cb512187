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


def pushed_samples(
    books: Books, environment: str, live: Sequence[Sample] = (), held: Exposures | None = None
) -> tuple[Sample, ...]:
    """What an environment exposes now: its newest verdicts, schedules that are late, and what is `live`.

    `held` is for whoever asks again and again.
    """
    now, project = books.clock.now(), books.project
    schedules = [
        f"{project.endpoint(environment)}-{name}" for name in project.environment(environment).monitors
    ]
    verdicts = (held or Exposures(books.store)).read(schedules, now)
    found = newest([*verdicts, *overdue_samples(books.store, project, now, (environment,)), *live])
    return tuple(
        sample for sample in found if dict(sample.labels).get("environment", environment) == environment
    )
