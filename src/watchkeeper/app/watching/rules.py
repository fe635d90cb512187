"""One environment's rules, evaluated again and again: what fires is recorded, told and decided on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from watchkeeper.adapters.receivers import ALERTMANAGERS, RECEIVERS
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
    """Goes on from the alerts on record when it is made; one process at a time may run one.

    Where Prometheus evaluates, it does not: alerts come in by the door, which decides on them, and
    Alertmanager tells of them. What Alertmanager cannot reach is still told from here.
    """

    books: Books
    environment: str
    evaluates: bool = True
    dispatcher: Dispatcher = field(init=False)
    _open: tuple[Alert, ...] = field(init=False)

    def __post_init__(self) -> None:
        kinds = frozenset(RECEIVERS) - (frozenset() if self.evaluates else ALERTMANAGERS)
        self.dispatcher = Dispatcher(self.books, self.environment, kinds)
        self._open = open_alerts(self.books.store, self.environment)

    def run(self, samples: Sequence[Sample]) -> Round:
        """Evaluate now. A decision is on record before anybody is told of its alert."""
        if not self.evaluates:
            held = open_alerts(self.books.store, self.environment)
            return Round(Evaluation((), held), (), self.dispatcher.run())
        found = evaluate_rules(self.books, self.environment, samples, self._open)
        self._open = found.open
        made = decide_on(self.books, self.environment, found.open)
        return Round(found, made, self.dispatcher.run())
