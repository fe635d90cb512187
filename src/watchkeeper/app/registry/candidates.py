"""Versions tried beside the one that serves: canaries and shadows, on record from start to end."""

from __future__ import annotations

from datetime import datetime

from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.ports import Store, Trail
from watchkeeper.core.values import Actor, Candidate, CandidateKind, TrialEnd, TrialOutcome

_BEGIN, _END = "/candidate.json", "/end.json"


def candidates(store: Store, environment: str) -> tuple[Candidate, ...]:
    """Every candidate the environment has tried, oldest first."""
    found = read_records(store, f"candidates/{environment}/", Candidate, _BEGIN)
    return tuple(sorted(found, key=lambda each: each.number))


def open_candidate(store: Store, environment: str) -> Candidate | None:
    """What the environment is trying now, if anything."""
    ended = {end.number for end in read_records(store, f"candidates/{environment}/", TrialEnd, _END)}
    under_way = [each for each in candidates(store, environment) if each.number not in ended]
    return under_way[-1] if under_way else None


def begin(target: Target, candidate: Candidate) -> Candidate:
    """Try it out: recorded before it is done, its record written once it serves.

    Raises PlatformError, nothing being tried, when the endpoint cannot take it.
    """
    event = Event(
        action=f"endpoint.{candidate.kind}",
        subject=candidate.endpoint,
        actor=candidate.actor,
        time=candidate.time,
        after=f"{described(candidate)} {candidate.digest}",
    )
    target.trail.append(event)
    try:
        target.host.try_out(candidate)
    except PlatformError as error:
        target.trail.append(
            Event(f"{event.action}-failed", event.subject, event.actor, event.time, str(error))
        )
        raise
    create_record(target.store, f"{_folder(candidate)}{_BEGIN}", candidate)
    return candidate


def end(store: Store, trail: Trail, candidate: Candidate, ended: TrialEnd) -> TrialEnd:
    """Put the end of a trial on record, with its reason in the audit log."""
    trail.append(
        Event(
            action=f"endpoint.{candidate.kind}-{ended.outcome}",
            subject=candidate.endpoint,
            actor=ended.actor,
            time=ended.time,
            why=ended.why,
            before=described(candidate),
        )
    )
    create_record(store, f"{_folder(candidate)}{_END}", ended)
    return ended


def ended_by(candidate: Candidate, outcome: TrialOutcome, why: str, actor: Actor, time: datetime) -> TrialEnd:
    """The end of that trial as a value."""
    return TrialEnd(candidate.number, candidate.environment, outcome, why, time, actor)


def described(candidate: Candidate) -> str:
    """In the words of lists and the audit log: `model v3 as a canary for 10%`."""
    share = f" for {candidate.weight}%" if candidate.kind is CandidateKind.CANARY else ""
    return f"model v{candidate.version} as a {candidate.kind}{share}"


def _folder(candidate: Candidate) -> str:
    return f"candidates/{candidate.environment}/{candidate.number:06d}"
