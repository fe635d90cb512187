"""`watchkeeper audit`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import click

from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.by_name import load_named
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.cli.targets import target_option
from watchkeeper.core.audit import AuditEntry, Verification

ON_AWS = "watchkeeper.cli.audit_aws:show"


@click.group()
def audit() -> None:
    """Show and verify the audit log."""


@audit.command()
@workspace_option
@json_option
def verify(workspace: Path, as_json: bool) -> None:
    """Derive the whole chain anew.

    Exit code 1 when an entry was changed, removed, inserted, moved or cut off.
    """
    found = verify_log(open_workspace(workspace).trail)
    answer(found, as_json, lambda: _verdict(found))
    sys.exit(0 if found.verified else 1)


@audit.command("list")
@click.option(
    "--since", metavar="TIME", help="With --target aws: from this time on (default: seven days ago)."
)
@click.option("--until", metavar="TIME", help="With --target aws: before this time (default: now).")
@target_option
@workspace_option
@json_option
def list_(since: str | None, until: str | None, target: str, workspace: Path, as_json: bool) -> None:
    """Print every entry, oldest first.

    With --target aws, who did what by our own log, by CloudTrail's event history and by the trail's files, as
    one list. Exit code 1 when a file of the trail is not as it was delivered.
    """
    if target == "aws":
        show = cast(Callable[[Path, str | None, str | None, bool], int], load_named(ON_AWS))
        sys.exit(show(workspace, since, until, as_json))
    if since or until:
        raise click.UsageError("--since and --until go with --target aws")
    entries = log(open_workspace(workspace).trail)
    rows = [_row(entry) for entry in entries]
    answer(
        entries,
        as_json,
        lambda: table(("no", "time", "actor", "action", "subject", "hash"), rows, "no entry yet"),
    )


def _row(entry: AuditEntry) -> tuple[object, ...]:
    event = entry.event
    return (
        entry.number,
        f"{event.time:%Y-%m-%d %H:%M}",
        event.actor,
        event.action,
        event.subject,
        entry.hash[:12],
    )


def _verdict(found: Verification) -> str:
    if found.verified:
        return f"verified: {found.entries} entries, newest {found.head[:12]}"
    return "\n".join(["NOT verified", *(f"  {fault.reason}" for fault in found.faults)])
