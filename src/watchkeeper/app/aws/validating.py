"""A deployed project held against what its makers could not see: a checklist, each line timed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from watchkeeper.adapters.aws.answers import Answers
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.aws import checks_running, checks_standing, checks_watching
from watchkeeper.app.aws.checks import CheckFunction, Seen, Visit, wrong
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.setup.check import Check, Finding
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.core.values import Actor, Progress

CHECKS: Mapping[str, CheckFunction] = (
    MappingProxyType(  # in their order; docs/explanation/unproved.md names them
        {
            "identity": checks_standing.identity,
            "stacks": checks_standing.stacks,
            "records": checks_standing.records,
            "images": checks_standing.pushed_images,
            "pipeline": checks_standing.pipeline,
            "package": checks_standing.package,
            "tracking": checks_standing.tracking,
            "endpoint": checks_standing.endpoint,
            "guardrails": checks_standing.guardrails,
            "candidate": checks_standing.candidate,
            "traffic": checks_running.traffic,
            "captures": checks_running.captures,
            "monitor": checks_running.monitor,
            "alert": checks_running.alert,
            "retrain": checks_running.retrain,
            "schedules": checks_watching.schedules,
            "metrics": checks_watching.metrics,
            "alarms": checks_watching.alarms,
            "topics": checks_watching.topics,
            "prometheus": checks_watching.prometheus,
            "collector": checks_watching.collector,
            "trail": checks_watching.trail,
            "prices": checks_standing.prices,
        }
    )
)


@dataclass(frozen=True, slots=True)
class TimedCheck:
    """A line of the checklist, and how long looking took, in seconds."""

    check: Check
    seconds: float


@dataclass(frozen=True, slots=True)
class Validation:
    """The whole checklist of one environment."""

    environment: str
    time: datetime
    actor: Actor
    checks: tuple[TimedCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; what is missing was not there to be looked at."""
        return all(each.check.finding is not Finding.WRONG for each in self.checks)


def validate(visit: Visit) -> Validation:
    """CheckFunction at everything in order, whatever is found, and put the checklist on record.

    Requests are really sent and captured; nothing is trained, decided or told. Raises WatchkeeperError when
    the checklist itself cannot be kept.
    """
    found, now = [], WallClock().now()
    for number, (name, look) in enumerate(CHECKS.items()):
        visit.report(Progress("validate", number, len(CHECKS), name))
        started = time.monotonic()
        seen = _looked(visit, look)
        check = Check(name, seen.finding, seen.found, seen.mend)
        found.append(TimedCheck(check, round(time.monotonic() - started, 3)))
    visit.report(Progress("validate", len(CHECKS), len(CHECKS)))
    done = Validation(visit.environment, now, visit.actor, tuple(found))
    _keep(visit, done)
    return done


def export(answers: Answers, folder: Path) -> tuple[Path, ...]:
    """Write each answer to a file of its own, as samples for tests of handlers."""
    store = FolderStore(folder)
    for name, said in sorted(answers.held.items()):
        text = json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False)
        store.write(f"{name}.json", f"{text}\n".encode())
    return tuple(store.path(key) for key in store.list(""))


def _looked(visit: Visit, look: CheckFunction) -> Seen:
    try:
        return look(visit)
    except WatchkeeperError as error:
        return wrong(str(error), "the message says what was asked of AWS, and what it answered")


def _keep(visit: Visit, done: Validation) -> None:
    target = visit.target()
    create_record(target.store, f"validations/{visit.environment}/{done.time:%Y%m%dT%H%M%S.%fZ}.json", done)
    faults = [each.check.what for each in done.checks if each.check.finding is Finding.WRONG]
    open_ = [each.check.what for each in done.checks if each.check.finding is Finding.MISSING]
    why = f"wrong: {', '.join(faults) or 'nothing'}; not seen: {', '.join(open_) or 'nothing'}"
    target.trail.append(Event("aws.validate", visit.environment, visit.actor, done.time, why))
