"""How often the rules that ship with us speak when nothing is wrong, and how often on the HDB rehearsal.

Usage: alert_noise.py [WINDOWS [ROWS]] [--rehearsal FOLDER] (default: 1,000 windows of 50 rows). Calm: rows of
the same distribution that the model and its baselines were made from, hour after hour, on ten endpoints with
all four monitors; a window counts once, whatever monitors look at it. Pages are notifications of severity
critical, tickets those of severity warning, counted as the receiver gets them: an incident once, and again
when an alert joins it. Goal: at most 2 pages and 10 tickets for 1,000 windows.
With --rehearsal, the same is counted in a workspace that `watchkeeper rehearse` left.
Prints its figures as one JSON object on the last line.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path

from fleet import HOUR, JOBS, START, Load, fleet, opened, traffic

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.app.alerts.delivering import notifications
from watchkeeper.app.registry.artefacts import load_version
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.executions import exposed
from watchkeeper.app.registry.records import RememberingStore
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import Target
from watchkeeper.app.watching.agenda import Agenda
from watchkeeper.app.watching.jobs import side_by_side
from watchkeeper.app.watching.rules import RuleWatch
from watchkeeper.core.incidents import NotificationStatus
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Sample, labels_of

ENDPOINTS = 10
GOAL = {"critical": 2, "warning": 10}  # for 1,000 windows


def watched(target: Target, hours: int) -> None:
    """Every window of every monitor, and after each hour the rules, until their waits are over."""
    clock, store = target.clock, target.store
    if not isinstance(clock, MovedClock) or not isinstance(store, RememberingStore):
        raise TypeError("want the fleet's own target")
    agenda = Agenda(target)
    watches = [RuleWatch(target, name) for name in target.project.environments]
    with side_by_side(partial(opened, target.folder), target, JOBS) as runs:
        for hour in range(1, hours + 1):
            clock.move_to(START + hour * HOUR)
            store.look_again()
            for ran in runs(agenda.take(clock.now())):
                if ran.refused:
                    raise SystemExit(ran.refused)
            for minutes in (5, 6):  # when group_wait is over
                clock.move_to(START + hour * HOUR + timedelta(minutes=minutes))
                for watch in watches:
                    watch.run([*exposed(store, watch.environment), *healthy(target, watch.environment)])
            print(f"hour {hour}", flush=True)


def healthy(target: Target, environment: str) -> list[Sample]:
    """What an endpoint exposes that is well."""
    labels = labels_of(
        project=target.project.name, environment=environment, endpoint=target.project.endpoint(environment)
    )
    values = {"in_flight_requests": 0.0, "errors_5xx_ratio": 0.0, "capture_coverage_ratio": 1.0}
    now = target.clock.now()
    return [Sample(f"watchkeeper_endpoint_{name}", labels, value, now) for name, value in values.items()]


def told(store: Store, environments: tuple[str, ...]) -> dict[str, object]:
    """Notifications by severity, and by incident."""
    found = [
        dict(each.group)
        for name in environments
        for each in notifications(store, name)
        if each.status is NotificationStatus.FIRING
    ]
    return {
        "pages": sum(each["severity"] == "critical" for each in found),
        "tickets": sum(each["severity"] == "warning" for each in found),
        "by_incident": dict(Counter(each["incident"] for each in found)),
    }


def calm(windows: int, rows: int) -> dict[str, object]:
    hours = -(-windows // ENDPOINTS)
    with tempfile.TemporaryDirectory() as name:
        target = fleet(Path(name), ENDPOINTS, with_rules=True)
        version = catalogue(target.store).versions[0]
        model = load_version(target.store, version.version, version.digest)
        for number, environment in enumerate(target.project.environments):
            traffic(target, model, environment, Load(hours, number, rows))
        started = time.perf_counter()
        watched(target, hours)
        found = told(target.store, target.project.environments)
        return {"windows": hours * ENDPOINTS, "rows": rows, **found, "seconds": time.perf_counter() - started}


def main() -> None:
    arguments = sys.argv[1:]
    rehearsed = None
    if "--rehearsal" in arguments:
        place = arguments.index("--rehearsal")
        folder = Path(arguments[place + 1])
        rehearsed = told(FolderStore(folder.resolve()), (load_project(folder).environments[-1],))
        del arguments[place : place + 2]
    sizes = [int(each) for each in arguments] + [1000, 50][len(arguments) :]
    windows = calm(*sizes)
    print(json.dumps({"calm": windows, "goal_per_1000": GOAL, "rehearsal": rehearsed}))


if __name__ == "__main__":
    main()
