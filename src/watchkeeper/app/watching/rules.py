"""One environment's rules, evaluated again and again: what fires is recorded, told and decided on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from watchkeeper.app.alerts.alerting import Evaluation, evaluate_rules, open_alerts
from watchkeeper.app.alerts.deciding import decide_on
from watchkeeper.app.alerts.delivering import Dispatcher, Receipt
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.decisions import Decision
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Sample


@dataclass(frozen=True, slots=True)
class Round:
    """What one evaluation led to."""

    evaluation: Evaluation
    decisions: tuple[Decision, ...]
    receipts: tuple[Receipt, ...]


@dataclass(slots=True)
class RuleWatch:
    """Goes on from the alerts on record when it is made; one process at a time may run one."""

    books: Books
    environment: str
    dispatcher: Dispatcher = field(init=False)
    _open: tuple[Alert, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(self.books, self.environment)
        self._open = open_alerts(self.books.store, self.environment)

    def run(self, samples: Sequence[Sample]) -> Round:
        """Evaluate now. A decision is on record before anybody is told of its alert."""
        found = evaluate_rules(self.books, self.environment, samples, self._open)
        self._open = found.open
        made = decide_on(self.books, self.environment, found.open)
        return Round(found, made, self.dispatcher.run())
