"""What a check of a deployed project is given, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from watchkeeper.adapters.aws.answers import Answers
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.aws.target import target_of
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.check import Finding
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.decisions import Decision
from watchkeeper.core.values import Actor, Progress

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check found; `missing` is what cannot be said yet, and `mend` how it can be."""

    finding: Finding
    found: str
    mend: str = ""


def fine(found: str) -> Seen:
    return Seen(Finding.FINE, found)


def unsettled(found: str, mend: str) -> Seen:
    """Nothing is wrong; somebody has to do something before this can be seen."""
    return Seen(Finding.MISSING, found, mend)


def wrong(found: str, mend: str) -> Seen:
    return Seen(Finding.WRONG, found, mend)


@dataclass(frozen=True, slots=True)
class Effort:
    """What a validation is asked: how many rows are sent, how long captures are waited for, in seconds."""

    environment: str
    rows: int = 600
    patience: float = 900.0


@dataclass(frozen=True, slots=True)
class Sent:
    """The requests of this validation: their ids, since when, and how many rows they carried."""

    ids: frozenset[str]
    since: datetime
    rows: int


@dataclass(slots=True)
class Visit:
    """A deployed environment under validation; `sent` and `decision` are what checks leave to others."""

    landscape: Landscape
    effort: Effort
    folder: Path
    report: Report = field(default=lambda _: None)
    sent: Sent | None = None
    decision: Decision | None = None

    @property
    def environment(self) -> str:
        return self.effort.environment

    @property
    def endpoint(self) -> str:
        return self.landscape.project.endpoint(self.environment)

    @property
    def sampling(self) -> int:
        """Which percentage of its requests the environment captures."""
        settings = self.landscape.project.environment(self.environment)
        return settings.environments[self.environment].capture.sampling

    @property
    def answers(self) -> Answers:
        """What is kept of AWS's answers; nothing is, where nobody asked for them."""
        return self.landscape.account.answers or Answers()

    @property
    def actor(self) -> Actor:
        return self.landscape.account.actor

    def target(self) -> Target:
        return target_of(self.landscape, self.environment, self.folder)

    def client(self, service: str) -> Any:
        """A service of the environment's account."""
        return self.landscape.account_of(self.environment).client(service)

    def central(self, service: str) -> Any:
        """A service of the central account."""
        return self.landscape.account_of(CENTRAL).client(service)

    def serving(self) -> int | None:
        """The version that the records say is served."""
        held = catalogue(self.landscape.central_store()).serving(self.environment)
        return held.version if held else None


CheckFunction = Callable[[Visit], Seen]
MARGIN = timedelta(minutes=5)  # between AWS's clock and ours
