"""`watchkeeper alerts mute`, `unmute` and `mutes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.alerts.muting import (
    MuteRequest,
    Preview,
    confirm_mute,
    mute_alerts,
    mute_spans,
    preview,
    unmute,
)
from watchkeeper.app.alerts.silences import FoundSilence, found_silences
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import OpenBooks, open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.mutes import Mute, MuteSpan, MuteState
from watchkeeper.core.windows import Duration, parse_utc

environment_option = click.option(
    "--for", "environment", metavar="ENV", required=True, help="The environment whose alerts they are."
)


@dataclass(frozen=True, slots=True)
class ListedMute:
    """One mute of a list, and where it stands."""

    span: MuteSpan
    state: MuteState


@dataclass(frozen=True, slots=True)
class MuteList:
    """Mutes, and silences that somebody made in Alertmanager, by environment."""

    mutes: tuple[ListedMute, ...]
    made_outside: tuple[tuple[str, FoundSilence], ...]


@click.command()
@click.argument("matchers", nargs=-1, metavar="LABEL=VALUE...")
@environment_option
@click.option("--until", metavar="WHEN", help="How long (2h, 3 days), or a time with a zone.")
@click.option("--why", default="", help="The reason. Everybody sees it.")
@click.option("--ticket", default="", help="Where it is being worked on.")
@click.option("--confirm", metavar="ID", help="Say yes, as a second person, to a mute that waits.")
@click.option("--yes", is_flag=True, help="Do not ask after the preview.")
@workspace_option
@json_option
def mute(
    matchers: Sequence[str],
    environment: str,
    until: str | None,
    why: str,
    ticket: str,
    confirm: str | None,
    yes: bool,
    workspace: Path,
    as_json: bool,
) -> None:
    """Tell nobody of the alerts that carry these labels, for a while.

    Shows what it would have hidden in the last seven days, and asks. `alertname=NAME` is a rule's; a mute
    without one, and any where approval is required, waits for a second person (--confirm). Muted rules go
    on being evaluated, and what was hidden is told in one summary at the end.
    """
    books = _books(workspace)
    if confirm is not None:
        said = confirm_mute(books, environment, confirm, os_user())
        answer(said, as_json, lambda: f"mute {said.id} begins now, until {said.ends_at:%Y-%m-%d %H:%M} UTC")
        return
    if until is None:
        raise click.UsageError("want --until, how long or until when")
    request = MuteRequest(
        environment, _labels(matchers), _end(until, books.clock.now()), why, os_user(), ticket
    )
    seen = preview(books, request)
    if not as_json:
        click.echo(_preview(seen))
    if not yes:
        click.confirm("Mute them?", abort=True, err=True)
    made = mute_alerts(books, seen)
    answer(made, as_json, lambda: _said(made))


@click.command("unmute")
@click.argument("named", metavar="ID")
@environment_option
@click.option("--why", required=True, help="The reason, for the audit log.")
@workspace_option
@json_option
def unmute_(named: str, environment: str, why: str, workspace: Path, as_json: bool) -> None:
    """End the mute ID (the beginning of its id is enough) before its time."""
    ended = unmute(_books(workspace), environment, named, os_user(), why)
    answer(ended, as_json, lambda: f"mute {ended.id} is over; what it hid is told with the next evaluation")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@workspace_option
@json_option
def mutes(everything: bool, workspace: Path, as_json: bool) -> None:
    """Print the mutes of each environment that are active, or wait for a second person.

    Silences that were made in Alertmanager stand among them as `made outside`: nobody has confirmed them.
    """
    opened, project, now = open_workspace(workspace), load_project(workspace), WallClock().now()
    listed = [
        ListedMute(span, span.state(now))
        for name in project.environments
        for span in mute_spans(opened.store, name)
        if everything or span.state(now) is not MuteState.OVER
    ]
    outside = [(name, each) for name in project.environments for each in found_silences(opened.store, name)]
    head = ("mute", "environment", "what", "state", "until", "who", "why", "ticket")
    rows = [*(_row(each) for each in listed), *(_outside(*each) for each in outside)]
    found = MuteList(tuple(listed), tuple(outside))
    answer(found, as_json, lambda: table(head, rows, "nothing is muted"))


def _books(workspace: Path) -> OpenBooks:
    opened = open_workspace(workspace)
    return OpenBooks(load_project(workspace), opened.store, WallClock(), opened.trail)


def _labels(texts: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise InputError(f"mute alerts: want LABEL=VALUE, such as alertname=DriftPersists, got {text}")
        found[name] = value
    return found


def _end(text: str, now: datetime) -> datetime:
    try:
        return Duration.parse(text).after(now)
    except ValueError:
        pass
    try:
        return parse_utc(text)
    except ValueError:
        raise InputError(
            f'mute alerts until {text}: want how long, such as "2h", or a time such as 2026-01-31T08:00:00Z'
        ) from None


def _preview(seen: Preview) -> str:
    mute = seen.mute
    rows = [
        (
            incident.id,
            ", ".join(dict.fromkeys(alert.name for alert in incident.alerts)),
            dict(incident.group)["severity"],
            f"{incident.started_at:%Y-%m-%d %H:%M}",
            f"{incident.ended_at:%Y-%m-%d %H:%M}" if incident.ended_at else "goes on",
        )
        for incident in seen.incidents
    ]
    head = ("incident", "what", "severity", "began", "ended")
    lines = [
        f"would mute, in {mute.environment}, until {mute.ends_at:%Y-%m-%d %H:%M} UTC:",
        *(f"  {name} = {value}" for name, value in mute.matchers),
        f"rules that it may silence: {', '.join(seen.rules) or 'none as they stand'}",
        f"it would have hidden {len(seen.alerts)} alerts of the last 7 days, {len(rows)} whole incidents:",
        table(head, rows, "nothing"),
    ]
    if mute.needs_second:
        lines.append("it waits for a second person, who says `watchkeeper alerts mute --confirm ID`")
    return "\n".join(lines)


def _said(made: Mute) -> str:
    if made.needs_second:
        return f"mute {made.id} waits: `watchkeeper alerts mute --confirm {made.id} --for {made.environment}`"
    return f"muted as {made.id} until {made.ends_at:%Y-%m-%d %H:%M} UTC"


def _outside(environment: str, each: FoundSilence) -> tuple[object, ...]:
    silence = each.silence
    return (
        silence.id[:12],
        environment,
        ", ".join(str(matcher) for matcher in silence.matchers),
        "made outside",
        f"{silence.ends_at:%Y-%m-%d %H:%M}",
        f"“{silence.created_by}”",
        silence.comment,
        "–",
    )


def _row(each: ListedMute) -> tuple[object, ...]:
    mute = each.span.mute
    return (
        mute.id,
        mute.environment,
        ", ".join(f"{name}={value}" for name, value in mute.matchers),
        each.state,
        f"{each.span.ends_at:%Y-%m-%d %H:%M}",
        mute.actor.name,
        mute.why,
        mute.ticket or "–",
    )
