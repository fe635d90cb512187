"""Retrains that wait for nobody: run by the watch, one at a time, as soon as they are decided or approved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from watchkeeper.adapters.local.lock import alone, held
from watchkeeper.adapters.sources.dataset import Dataset
from watchkeeper.app.retraining.interruption import settle
from watchkeeper.app.retraining.retrain import RETRAINER, RetrainJob
from watchkeeper.app.retraining.retrains import Retrain, retrains
from watchkeeper.app.setup.targets import Target
from watchkeeper.app.setup.workspace import LOCK
from watchkeeper.core.errors import IntegrityError, WatchkeeperError
from watchkeeper.core.values import Progress


@dataclass(slots=True)
class Retrainer:
    """Runs what the policy lets run without a person, and what a person approved and was interrupted.

    `rows` are asked for when there is something to learn. What stands in the way (a freeze, endpoints that
    cannot be reached, a source that does not answer) is reported once, and tried again each time. When `stop`
    is set a run ends after the trial it is at; it is interrupted then, and the next watch runs it again.
    """

    target: Target
    rows: Callable[[], Dataset]
    report: Callable[[str], None]
    stop: threading.Event
    doing: str = "run what was decided"
    pause: float = 1.0
    _reported: dict[str, str] = field(init=False, default_factory=dict)

    def run(self) -> None:
        """Run everything that may run now; nothing while another process works in the workspace.

        Raises IntegrityError when a record is not as it was written.
        """
        if held(self.target.folder / LOCK):
            return
        for environment in self.target.project.environments:
            for retrain in retrains(self.target.store, environment):
                if retrain.runnable:
                    self._one(retrain)

    def _one(self, retrain: Retrain) -> None:
        decision = retrain.decision
        try:
            with alone(self.target.folder / LOCK, f"run retrain {decision.id}"):
                done = settle(self.target, retrain, RetrainJob(self.rows(), RETRAINER, self._go_on))
        except KeyboardInterrupt:  # of `_go_on`
            return
        except IntegrityError:
            raise
        except WatchkeeperError as error:
            if self._reported.get(decision.id) != str(error):
                self.report(f"{decision.environment}: {error}")
            self._reported[decision.id] = str(error)
            return
        self.report(f"{decision.environment}: retrain {decision.id}: {done.outcome_reason or done.state}")

    def _go_on(self, _: Progress) -> None:
        if self.stop.is_set():
            raise KeyboardInterrupt
