"""A process that tells of alerts until all is told, and kills itself before one of its writes.

Run as `python -m tests.app.alerts.telling FOLDER CHANGES WRITES`: the metric of the workspace's project goes
up and down until so many changes of alerts are on record; before write number WRITES the process is gone
(0: never). Started again it goes on where the records end.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.local.trail import FolderTrail
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.memory.endpoint import MemoryEndpointHost
from watchkeeper.adapters.memory.tracking import MemoryTracker
from watchkeeper.app.alerts.alerting import alert_history, evaluate_rules
from watchkeeper.app.alerts.delivering import Dispatcher
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.values import Sample, labels_of
from watchkeeper.core.windows import parse_utc

START = parse_utc("2020-05-01T00:00:00Z")
RATIO = "watchkeeper_model_quality_rmse_baseline_ratio"
LABELS = labels_of(project="demo", environment="prod", endpoint="demo-prod")


@dataclass(frozen=True, slots=True)
class DeadlyStore(FolderStore):
    """A folder before whose n-th creation the process is killed."""

    left: list[int] = field(default_factory=list)

    def create(self, key: str, data: bytes) -> None:
        if self.left and (count := self.left.pop()):
            if count == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            self.left.append(count - 1)
        FolderStore.create(self, key, data)


def main(folder: Path, changes: int, writes: int) -> None:
    """Go on from what is on record: what was recorded last is told before anything new happens."""
    clock, store = MovedClock(START), DeadlyStore(folder, [writes])
    target = Target(
        project=load_project(folder),
        folder=folder,
        store=store,
        clock=clock,
        trail=FolderTrail(FolderStore(folder), clock),
        tracker=MemoryTracker(),
        host=MemoryEndpointHost(),
    )
    history = alert_history(store, "prod")
    clock.move_to(history[-1].since if history else START)
    dispatcher = Dispatcher(target, "prod")
    dispatcher.run()
    for number in range(len(history), changes):
        clock.move_to(START + timedelta(minutes=number + 1))
        value = 2.0 if number % 2 == 0 else 1.0
        evaluate_rules(target, "prod", [Sample(RATIO, LABELS, value, clock.now())])
        dispatcher.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
