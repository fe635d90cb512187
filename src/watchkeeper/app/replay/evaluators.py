"""Who evaluates the rules of a rehearsal: we ourselves, or Prometheus and Alertmanager beside us."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.programs import free_ports
from watchkeeper.adapters.receivers import ALERTMANAGERS
from watchkeeper.app.alerts.alerting import Evaluation, evaluate_rules, evaluated, open_alerts
from watchkeeper.app.alerts.delivering import Dispatcher
from watchkeeper.app.alerts.door import DOOR_TOKEN, door_token, take_in
from watchkeeper.app.pages.summary import AlertPlace, StackCheck, StackSummary
from watchkeeper.app.setup.targets import Target
from watchkeeper.app.stack.files import stack_files, write_stack
from watchkeeper.app.stack.servers import RunningStack, running_stack
from watchkeeper.core.rules import Alert, AlertState, next_firing
from watchkeeper.core.values import Sample, newest
from watchkeeper.render.stack import StackSettings

FOLDER = "stack"
INTERVAL = 250  # milliseconds between two scrapes, and two evaluations
_PATIENCE = 20.0  # seconds that Alertmanager may take to send what Prometheus found
_POLL = 0.02  # seconds


class Evaluator(Protocol):
    """Evaluates the rules at the clock's time and tells receivers of what is found."""

    def evaluate(self, samples: Sequence[Sample]) -> Evaluation:
        """What changed since the last time, and what is open now; both are on record."""

    def tell(self) -> None:
        """Tell receivers what is due."""

    def next_due(self) -> datetime | None:
        """When there is something to do if nothing else happens; None when there is not."""

    def summary(self) -> StackSummary | None:
        """How the servers' answers compare with ours; None where there are none."""


REHEARSED = frozenset({"file", "webhook"})  # kinds that are told in a rehearsal: no mail, no ticket


@dataclass(slots=True)
class Embedded:
    """Our own evaluator and dispatcher."""

    target: Target
    environment: str
    dispatcher: Dispatcher = field(init=False)
    _open: tuple[Alert, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(self.target, self.environment, REHEARSED)

    def evaluate(self, samples: Sequence[Sample]) -> Evaluation:
        found = evaluate_rules(self.target, self.environment, samples, self._open)
        self._open = found.open
        return found

    def tell(self) -> None:
        self.dispatcher.run()

    def next_due(self) -> datetime | None:
        rules = self.target.project.rules(self.environment)
        firing = next_firing(rules, self._open)
        return min((each for each in (firing, self.dispatcher.next_due()) if each is not None), default=None)

    def summary(self) -> StackSummary | None:
        return None


@dataclass(slots=True)
class Stacked:
    """Prometheus evaluates, Alertmanager tells, and what both find comes back through the door.

    Ours evaluates the same samples beside them and keeps no record; what it finds is compared.
    """

    target: Target
    environment: str
    stack: RunningStack
    settings: StackSettings
    checks: list[StackCheck] = field(init=False, default_factory=list)
    _ours: tuple[Alert, ...] = field(init=False, default=())
    _dispatcher: Dispatcher = field(init=False)

    def __post_init__(self) -> None:
        self._dispatcher = Dispatcher(self.target, self.environment, REHEARSED - ALERTMANAGERS)

    def evaluate(self, samples: Sequence[Sample]) -> Evaluation:
        self._evaluate_ours(samples)
        self.stack.prometheus.settle(WallClock().now())
        found = self.stack.prometheus.alerts()
        theirs = [alert for alert in found if dict(alert.labels).get("environment") == self.environment]
        changed = self._from_the_door(_firing(theirs))
        held = open_alerts(self.target.store, self.environment)
        self.checks.append(
            StackCheck(
                time=self.target.clock.now(),
                embedded=tuple(sorted(map(_place, self._ours))),
                prometheus=tuple(sorted(map(_place, theirs))),
                door=tuple(sorted(map(_place, held))),
            )
        )
        return Evaluation(changed, held)

    def _evaluate_ours(self, samples: Sequence[Sample]) -> None:
        """Now, and as far ahead as Prometheus looks while it is waited for: one evaluation further on."""
        rules, now = self.target.project.rules(self.environment), self.target.clock.now()
        ahead = timedelta(milliseconds=self.settings.interval * self.settings.factor)
        for moment in (now, now + ahead):
            self._ours = evaluated(rules, newest(samples), self._ours, moment).open

    def _from_the_door(self, firing: frozenset[str]) -> tuple[Alert, ...]:
        """What came back, taken in as it comes until all that fires is known to fire, or patience ends."""
        deadline = time.monotonic() + _PATIENCE
        changed: list[Alert] = []
        while True:
            changed += take_in(self.target, self.environment, own_time=False)
            known = _firing(open_alerts(self.target.store, self.environment))
            if known == firing or time.monotonic() > deadline:
                return tuple(changed)
            time.sleep(_POLL)

    def tell(self) -> None:
        self._dispatcher.run()

    def next_due(self) -> datetime | None:
        return self._dispatcher.next_due()

    def summary(self) -> StackSummary | None:
        return StackSummary(
            prometheus=self.stack.prometheus.version(),
            alertmanager=self.stack.alertmanager.version(),
            factor=self.settings.factor,
            interval_seconds=self.settings.interval / 1000,
            checks=tuple(self.checks),
        )


def _firing(alerts: Sequence[Alert]) -> frozenset[str]:
    return frozenset(alert.fingerprint for alert in alerts if alert.state is AlertState.FIRING)


def _place(alert: Alert) -> AlertPlace:
    labels = dict(alert.labels)
    return AlertPlace(
        alert=alert.name,
        environment=labels.get("environment", ""),
        endpoint=labels.get("endpoint", ""),
        state=alert.state.value,
        fingerprint=alert.fingerprint,
    )


@contextlib.contextmanager
def evaluating(target: Target, environment: str, url: str, factor: float | None) -> Iterator[Evaluator]:
    """Who evaluates: ourselves without a `factor`, else a stack that scrapes our server at `url`."""
    if factor is None:
        yield Embedded(target, environment)
        return
    prometheus, alertmanager = free_ports(2)
    folder = target.folder / FOLDER
    door_token(target.folder)
    settings = StackSettings(
        token_file=str(target.folder / DOOR_TOKEN),
        watchkeeper=url.removeprefix("http://"),
        prometheus=f"127.0.0.1:{prometheus}",
        alertmanager=f"127.0.0.1:{alertmanager}",
        interval=INTERVAL,
        factor=factor,
    )
    write_stack(folder, stack_files(target.project, [environment], settings))
    with running_stack(folder, settings) as stack:
        yield Stacked(target, environment, stack, settings)
