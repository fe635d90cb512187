"""Mutes and Alertmanager's silences, brought together: ours are put there, theirs are found and shown.

A silence is known to be a mute's by its record, and by the mute's id in its comment where a process died
before the record was written. One that somebody ended there ends the mute; one that somebody made there is
no mute: nobody has confirmed it, and who made it is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from watchkeeper.app.alerts.muting import mute_spans, unmute
from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.app.setup.targets import Books
from watchkeeper.core.audit import Event
from watchkeeper.core.mutes import Mute, MuteSpan, MuteState
from watchkeeper.core.ports import Store
from watchkeeper.core.silences import Silence, SilenceMatcher
from watchkeeper.core.values import Actor

OUTSIDER = Actor("unknown", "alertmanager")
SYNC = Actor("mute-sync", "service")


class SilenceServer(Protocol):
    """An Alertmanager, as far as silences go. Raises PlatformError when it does not answer."""

    def silences(self) -> tuple[Silence, ...]: ...

    def silence(self, wanted: Silence) -> str:
        """Make one like this, whose own id does not count; the id that it has then."""

    def expire(self, silence: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Silenced:
    """A mute's silence. A mute has another when Alertmanager has lost the first."""

    mute: str
    silence: str
    time: datetime


@dataclass(frozen=True, slots=True)
class FoundSilence:
    """A silence that was made outside, as it was when it was found."""

    silence: Silence
    time: datetime


@dataclass(frozen=True, slots=True)
class FoundEnd:
    """When a silence made outside was seen to be over."""

    silence: str
    time: datetime


def found_silences(store: Store, environment: str) -> tuple[FoundSilence, ...]:
    """The silences that were made outside and that go on, as of the last time anybody looked."""
    over = {each.silence for each in read_records(store, _key(environment), FoundEnd, "/over.json")}
    found = read_records(store, _key(environment), FoundSilence, "/found.json")
    return tuple(each for each in found if each.silence.id not in over)


def sync_silences(books: Books, environment: str, server: SilenceServer) -> tuple[str, ...]:
    """Bring an environment's mutes and the server's silences together; what was done, a line each.

    Raises PlatformError when the server does not answer; what was done until then is on record.
    """
    known = {each.id: each for each in server.silences()}
    ours = {
        each.silence: each for each in read_records(books.store, _key(environment), Silenced, "/ours.json")
    }
    lines: list[str] = []
    for span in mute_spans(books.store, environment):
        own = [each.silence for each in ours.values() if each.mute == span.mute.id]
        lines += _settle(books, server, span, [known[name] for name in own if name in known])
    ids = {f"watchkeeper mute {span.mute.id}" for span in mute_spans(books.store, environment)}
    theirs = {
        name: each
        for name, each in known.items()
        if name not in ours and not any(text in each.comment for text in ids)
    }
    return (*lines, *_find(books, environment, theirs))


def _settle(books: Books, server: SilenceServer, span: MuteSpan, own: list[Silence]) -> Iterator[str]:
    """One mute: silenced while it mutes, not silenced any more when it is over."""
    mute, state = span.mute, span.state(books.clock.now())
    if state is MuteState.ACTIVE:
        if not own:
            silence = _made(server, span)
            _record(books, mute, silence)
            yield f"mute {mute.id} is silence {silence}"
        elif all(each.over for each in own):
            why = f"silence {own[-1].id} was ended in Alertmanager"
            unmute(books, mute.environment, mute.id, OUTSIDER, why)
            yield f"mute {mute.id} is over: {why}"
    elif state is MuteState.OVER:
        for each in own:
            if not each.over:
                server.expire(each.id)
                yield f"silence {each.id} is over, as mute {mute.id} is"


def _made(server: SilenceServer, span: MuteSpan) -> str:
    """The silence of a mute: the one that is there under its id already, or a new one."""
    mute = span.mute
    mark = f"watchkeeper mute {mute.id}"
    for each in server.silences():
        if mark in each.comment and not each.over:
            return each.id
    labels = {"environment": mute.environment, **dict(mute.matchers)}
    wanted = Silence(
        id="",
        matchers=tuple(SilenceMatcher(name, value) for name, value in labels.items()),
        starts_at=span.begins_at or mute.time,
        ends_at=span.ends_at,
        created_by=mute.actor.name,
        comment=f"{mute.why} ({mark})",
    )
    return server.silence(wanted)


def _record(books: Books, mute: Mute, silence: str) -> None:
    now = books.clock.now()
    key = f"{_key(mute.environment)}{silence}/ours.json"
    create_record(books.store, key, Silenced(mute.id, silence, now))
    books.trail.append(Event("mute.silenced", f"mute {mute.id}", SYNC, now, mute.why, after=silence))


def _find(books: Books, environment: str, theirs: Mapping[str, Silence]) -> Iterator[str]:
    """Silences made outside: on record and in the audit log when first seen, and when they are over."""
    now, before = (
        books.clock.now(),
        {each.silence.id: each for each in found_silences(books.store, environment)},
    )
    here = {"project": books.project.name, "environment": environment}
    for name, each in theirs.items():
        if not each.over and name not in before and each.may_touch(here):
            create_record(books.store, f"{_key(environment)}{name}/found.json", FoundSilence(each, now))
            said = f"made in Alertmanager as {each.created_by!r}: {each.comment}"
            books.trail.append(Event("silence.found", _meant(each), OUTSIDER, now, said, after=name))
            yield f"silence {name} on {_meant(each)} was made outside, as {each.created_by!r}"
    for name, found in before.items():
        if name not in theirs or theirs[name].over:
            create_record(books.store, f"{_key(environment)}{name}/over.json", FoundEnd(name, now))
            books.trail.append(Event("silence.over", _meant(found.silence), OUTSIDER, now, "", before=name))
            yield f"silence {name}, made outside, is over"


def _meant(silence: Silence) -> str:
    return ", ".join(str(each) for each in silence.matchers)


def _key(environment: str) -> str:
    return f"silences/{environment}/"
