"""What an environment came to since the last digest, for who reads it once a day or a week."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from watchkeeper.app.alerts.alerting import alert_history
from watchkeeper.app.alerts.muting import mute_spans
from watchkeeper.app.registry.executions import executions_between, newest_revisions
from watchkeeper.app.retraining.retrains import RetrainState, retrains
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.incidents import Digest, Incident, incidents
from watchkeeper.core.mutes import MuteState
from watchkeeper.core.values import VERDICTS, Execution, Status
from watchkeeper.core.windows import utc_text
from watchkeeper.render.markdown import plain
from watchkeeper.render.text import count

SOON = timedelta(days=1)  # before a mute ends
AWAITED = timedelta(days=92)  # windows that are looked at for labels that are still awaited
DRIFT = "baseline_drift_check"
_MOST = 20  # lines of a part


def drift_page(books: Books, environment: str, since: datetime, until: datetime) -> str:
    """What drifted in an environment in a span of time, and what its monitors said, as a page in Markdown.

    Empty when no monitor ran.
    """
    recent = _windows(books, environment, since, until)
    if not recent:
        return ""
    parts = [
        *([f"> {plain(books.project.classification)}"] if books.project.classification else []),
        f"# Drift in {plain(books.project.endpoint(environment))}",
        f"{utc_text(since)} to {utc_text(until)}",
        f"## Columns that drifted\n\n{_lines(list(_drift(recent))) or 'None.'}",
        f"## Verdicts\n\n{_lines(list(_verdicts(recent)))}",
    ]
    return "\n\n".join(parts) + "\n"


def _windows(books: Books, environment: str, since: datetime, until: datetime) -> tuple[Execution, ...]:
    """Each window of an environment's schedules that was due in between, by its newest revision."""
    project = books.project
    schedules = [
        f"{project.endpoint(environment)}-{name}" for name in project.environment(environment).monitors
    ]
    return newest_revisions(executions_between(books.store, schedules, since, until))


def digest_of(books: Books, environment: str, since: datetime, waiting: Mapping[str, int]) -> Digest:
    """The digest of an environment from `since` to now; `waiting` counts what each outlet has not been told.

    Windows count by the time they were due, each by its newest revision.
    """
    now = books.clock.now()
    every = _windows(books, environment, min(since, now - AWAITED), now)
    recent = [each for each in every if since < each.scheduled_at]
    alerts = incidents(alert_history(books.store, environment))
    parts = [
        ("Open incidents", _open(alerts)),
        ("Incidents that ended", _ended(alerts, since)),
        ("Waiting for an answer", _unanswered(books, environment)),
        ("Verdicts", _verdicts(recent)),
        ("Drift", _drift(recent)),
        ("Awaiting labels", _awaiting(every)),
        ("Mutes about to end", _mutes(books, environment, now)),
        ("Not delivered yet", [f"{plain(name)}: {number}" for name, number in waiting.items()]),
    ]
    told = [f"## {title}\n\n{_lines(lines)}" for title, found in parts if (lines := list(found))]
    quiet = "Nothing ran, fired, or waits for anybody."
    head = f"{utc_text(since)} to {utc_text(now)}, {plain(books.project.name)}, {plain(environment)}"
    marked = [plain(books.project.classification)] if books.project.classification else []
    title = f"[digest] {books.project.endpoint(environment)}: {_in_short(alerts, recent)}"
    return Digest(title, "\n\n".join([*marked, head, *(told or [quiet])]) + "\n", since)


def _in_short(alerts: Sequence[Incident], recent: Sequence[Execution]) -> str:
    going = sum(each.ended_at is None for each in alerts)
    violations = sum(each.status is Status.VIOLATIONS for each in recent)
    windows = f"{violations} of {count(len(recent), 'window')} with violations"
    return f"{count(going, 'open incident')}, {windows if recent else 'no windows'}"


def _lines(found: Sequence[str]) -> str:
    more = [f"- and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return "\n".join([*(f"- {each}" for each in found[:_MOST]), *more])


def _open(alerts: Sequence[Incident]) -> Iterator[str]:
    for each in alerts:
        if each.ended_at is None:
            yield f"`{each.id}` {_names(each)}, since {utc_text(each.started_at)}"


def _ended(alerts: Sequence[Incident], since: datetime) -> Iterator[str]:
    for each in alerts:
        if each.ended_at is not None and each.ended_at > since:
            yield f"`{each.id}` {_names(each)}, {utc_text(each.started_at)} to {utc_text(each.ended_at)}"


def _names(incident: Incident) -> str:
    return plain(", ".join(dict.fromkeys(alert.name for alert in incident.alerts)))


def _unanswered(books: Books, environment: str) -> Iterator[str]:
    for each in retrains(books.store, environment):
        if each.state is RetrainState.WAITING:
            until = each.decision.expires_at
            late = f", until {utc_text(until)}" if until else ""
            yield f"retrain `{each.decision.id}` for {plain(each.decision.alert)}{late}"
    for span in mute_spans(books.store, environment):
        if span.state(books.clock.now()) is MuteState.WAITING:
            yield f"mute `{span.mute.id}` by {plain(span.mute.actor.name)}: a second person's word"


def _verdicts(recent: Sequence[Execution]) -> Iterator[str]:
    for schedule, found in groupby(sorted(recent, key=_schedule), key=_schedule):
        runs = list(found)
        counts = ", ".join(f"{number} {name}" for name, number in _counted(runs) if number)
        last = max(runs, key=lambda each: each.scheduled_at)
        yield f"`{schedule}`: {counts}; the last {last.status}, {plain(last.reason)}"


def _schedule(execution: Execution) -> str:
    return execution.schedule


def _counted(runs: Sequence[Execution]) -> list[tuple[str, int]]:
    return [
        ("without violations", sum(each.status is Status.COMPLETED for each in runs)),
        ("with violations", sum(each.status is Status.VIOLATIONS for each in runs)),
        ("without a verdict", sum(each.status not in VERDICTS for each in runs)),
    ]


def _drift(recent: Sequence[Execution]) -> Iterator[str]:
    """Each feature with the windows in which it drifted, the most often first."""
    drifted: dict[str, list[Execution]] = {}
    for execution in recent:
        for name in dict.fromkeys(each.subject for each in execution.violations if each.check == DRIFT):
            drifted.setdefault(name, []).append(execution)
    for name, found in sorted(drifted.items(), key=lambda each: -len(each[1])):
        yield f"{plain(name)}: {len(found)} windows, the last {found[-1].window}"


def _awaiting(every: Sequence[Execution]) -> Iterator[str]:
    for each in every:
        if each.status is Status.AWAITING_LABELS:
            expected = [f"{found.metric} about {found.value:,.6g}" for found in each.estimates]
            yield f"`{each.schedule}`, {each.window}: {plain('; '.join([each.reason, *expected]))}"


def _mutes(books: Books, environment: str, now: datetime) -> Iterator[str]:
    for span in mute_spans(books.store, environment):
        if span.state(now) is MuteState.ACTIVE and span.ends_at <= now + SOON:
            meant = ", ".join(f"{name}={value}" for name, value in span.mute.matchers)
            yield f"`{span.mute.id}` {plain(meant)}, until {utc_text(span.ends_at)}: {plain(span.mute.why)}"
