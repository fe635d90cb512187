"""What the watch does beside schedules and rules, each in a thread of its own: what is slow delays itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from watchkeeper.adapters.local.alertmanager import AlertmanagerApi
from watchkeeper.adapters.local.remote_write import RemoteWrite
from watchkeeper.adapters.sources.dataset import Dataset
from watchkeeper.app.alerts.mirroring import Mirror
from watchkeeper.app.alerts.silences import sync_silences
from watchkeeper.app.monitoring.pushing import receivers_of, samples_to_push
from watchkeeper.app.registry.executions import Exposures
from watchkeeper.app.setup.targets import Target
from watchkeeper.app.watching.retraining import Retrainer
from watchkeeper.core.errors import InputError, PlatformError

Report = Callable[[str], None]


class SideJob(Protocol):
    """What is done again and again, at least `pause` seconds apart; `doing` names it in messages."""

    @property
    def doing(self) -> str: ...
    @property
    def pause(self) -> float: ...

    def run(self) -> None:
        """Do once what there is to do now."""


def side_jobs(
    target: Target, report: Report, stop: threading.Event, rows: Callable[[], Dataset] | None
) -> tuple[SideJob, ...]:
    """Those that the project asks for, and retrains where there are rows to learn from."""
    project = target.project
    found: list[SideJob] = []
    if rows is not None:
        found.append(Retrainer(target, rows, report, stop))
    servers = {
        name: AlertmanagerApi(url)
        for name in project.environments
        if (url := project.environment(name).notifications.alertmanager_url)
    }
    if servers:
        found.append(Silences(target, report, servers))
    if shelved := [name for name in project.environments if project.environment(name).knowledge_base]:
        found.append(Mirrors(report, [Mirror(target, name, target.folder) for name in shelved]))
    if receivers := {name: each for name, each in receivers_of(project).items() if each}:
        found.append(Pushes(target, report, receivers))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Silences:
    """Brings each environment's mutes and its Alertmanager's silences together."""

    target: Target
    report: Report
    servers: Mapping[str, AlertmanagerApi]
    doing: str = "bring mutes and silences together"
    pause: float = 1.0

    def run(self) -> None:
        for environment, server in self.servers.items():
            for line in sync_silences(self.target, environment, server):
                self.report(f"{environment}: {line}")


@dataclass(frozen=True, slots=True)
class Mirrors:
    """Puts into the knowledge base what it has not got."""

    report: Report
    mirrors: Sequence[Mirror]
    doing: str = "mirror pages"
    pause: float = 30.0

    def run(self) -> None:
        for mirror in self.mirrors:
            for each in mirror.run():
                if not each.delivery.delivered:
                    self.report(f"{mirror.environment}: could not put {each.page}: {each.delivery.reason}")


@dataclass(slots=True)
class Pushes:
    """Pushes each environment's metrics to its receivers; what is wrong with one is said until it changes."""

    target: Target
    report: Report
    receivers: Mapping[str, Sequence[RemoteWrite]]
    doing: str = "push metrics"
    pause: float = 0.0
    _held: Exposures = field(init=False)
    _failing: dict[tuple[str, str], str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._held = Exposures(self.target.store)

    def run(self) -> None:
        try:
            live = self.target.host.samples()
        except PlatformError:  # which the evaluation of the rules has told
            live = ()
        found = samples_to_push(self.target, self._held, live)
        for environment, receivers in self.receivers.items():
            for receiver in receivers:
                place = environment, receiver.url
                try:
                    receiver.push(found[environment], self.target.clock.now())
                    self._failing.pop(place, None)
                except (InputError, PlatformError) as error:
                    if self._failing.get(place) != str(error):
                        self.report(f"{environment}: {error}")
                    self._failing[place] = str(error)
