"""`watchkeeper gc`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.retention.sweeping import Expired, expired, sweep
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.cli.progress import progress_bars


@dataclass(frozen=True, slots=True)
class Collected:
    """What is older than the project keeps it, and whether it is gone."""

    gone: bool
    kinds: tuple[Expired, ...]


@click.command()
@click.option("--apply", "go", is_flag=True, help="Take it away; without this it is only shown.")
@click.option("--yes", is_flag=True, help="Do not ask before.")
@workspace_option
@json_option
def gc(go: bool, yes: bool, workspace: Path, as_json: bool) -> None:
    """Show what is older than `retain` of the project file keeps it, and take it away with --apply.

    Baselines, models and the audit log stay, and so does what belongs to an incident that goes on or is held
    (`watchkeeper incidents hold`). Metrics go into the history first, where `monitor trend` finds them.
    """
    opened, project, clock = open_workspace(workspace), load_project(workspace), WallClock()
    found = expired(opened.store, project, clock.now())
    if not as_json:
        click.echo(_text(found))
    if go and any(each.keys for each in found):
        if not yes:
            click.confirm("This cannot be undone. Take it away?", abort=True, err=True)
        with progress_bars(quiet=as_json) as report:
            sweep(opened.store, opened.trail, found, (os_user(), clock.now()), report)
    answer(Collected(go, found), as_json, lambda: _said(found, go))


def _text(found: Sequence[Expired]) -> str:
    rows = [
        (
            each.kind,
            each.keep,
            f"{len(each.keys):,}",
            f"{each.bytes / 1e6:,.1f}",
            f"{each.oldest:%Y-%m-%d}" if each.oldest else "–",
            f"{each.newest:%Y-%m-%d}" if each.newest else "–",
            each.held or "–",
            each.note,
        )
        for each in found
    ]
    return table(("kind", "kept", "older", "MB", "from", "to", "held back", ""), rows, "nothing is kept")


def _said(found: Sequence[Expired], go: bool) -> str:
    count = sum(len(each.keys) for each in found)
    if not count:
        return "nothing is older than it is kept"
    return (
        f"{count:,} objects are gone" if go else f"{count:,} objects would be gone; --apply takes them away"
    )
