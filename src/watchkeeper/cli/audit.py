"""`watchkeeper audit`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from watchkeeper.app.setup.audit import log, verify_log
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.audit import AuditEntry, Verification


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
@workspace_option
@json_option
def list_(workspace: Path, as_json: bool) -> None:
    """Print every entry, oldest first."""
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
