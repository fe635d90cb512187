"""Decisions on firing alerts, recorded before anything is done about them."""

from __future__ import annotations

from collections.abc import Sequence

from watchkeeper.app.registry.ledger import Ledger
from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.app.retraining.retrains import expire_unanswered, retrains
from watchkeeper.core.audit import Event
from watchkeeper.core.decisions import Decision, Past, decide
from watchkeeper.core.ports import Store
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Actor

DECIDER = Actor("decision-policy", "service")


def decisions(store: Store, environment: str) -> tuple[Decision, ...]:
    """An environment's decisions, oldest first."""
    return read_records(store, f"decisions/{environment}/", Decision)


def decide_on(ledger: Ledger, environment: str, alerts: Sequence[Alert]) -> tuple[Decision, ...]:
    """Decide on each firing alert that has no decision yet; each is on record when this returns.

    What waited too long for an answer has ended before, so that a firing that goes on may ask again.
    """
    expire_unanswered(ledger, environment)
    now, policy = ledger.clock.now(), ledger.project.retrain_policy(environment)
    past = past_of(ledger.store, environment)
    made = []
    for alert in alerts:
        decision = decide(alert, past, policy, now, environment)
        if decision is None:
            continue
        key = f"decisions/{environment}/{now:%Y%m%dT%H%M%SZ}-{decision.id}.json"
        create_record(ledger.store, key, decision)
        why = "; ".join(decision.reasons)
        subject = f"{alert.name} in {environment}"
        ledger.trail.append(
            Event(f"decision.{decision.kind.lower()}", subject, DECIDER, now, why, after=decision.id)
        )
        past = past_of(ledger.store, environment)
        made.append(decision)
    return tuple(made)


def past_of(store: Store, environment: str) -> Past:
    """What an environment decided, and what became of it."""
    found = retrains(store, environment)
    return Past(
        decisions=decisions(store, environment),
        under_way=tuple(each.decision.id for each in found if not each.over),
        fruitless=tuple(each.decision.id for each in found if each.fruitless),
    )
