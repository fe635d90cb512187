"""`watchkeeper monitor list`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from watchkeeper.app.index.indexing import asked_index
from watchkeeper.app.registry.records import read_record
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.execution_text import KEY_SHOWN, window_cell
from watchkeeper.cli.index_report import line_of_progress
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.nearest import nearest
from watchkeeper.core.values import Execution, Status
from watchkeeper.core.windows import Window, parse_utc

HEAD = ("key", "schedule", "window", "revision", "status", "rows", "violations", "reason")


@click.command("list")
@click.option("--monitor", metavar="NAME", help="Only executions of this monitor.")
@click.option("--for", "environment", metavar="ENV", help="Only executions of this environment.")
@click.option(
    "--status",
    type=click.Choice([each.value for each in Status], case_sensitive=False),
    help="Only executions that ended so.",
)
@workspace_option
@json_option
def list_(
    monitor: str | None, environment: str | None, status: str | None, workspace: Path, as_json: bool
) -> None:
    """Print every execution, the newest last; exit code 1 when the newest of a schedule has violations.

    What is in the columns key, schedule and window can be typed after `watchkeeper monitor show`. With
    filters, the newest is that of those shown.
    """
    opened = open_workspace(workspace)
    with line_of_progress() as report, asked_index(opened.folder, opened.store, report) as index:
        known = index.rows("executions", ("scheduled_at", "schedule", "revision"))
    _check("monitor", monitor, (row["monitor"] for row in known))
    _check("environment", environment, (row["environment"] for row in known))
    wanted = {"monitor": monitor, "environment": environment, "status": status}
    found = [row for row in known if all(value in (None, row[name]) for name, value in wanted.items())]
    empty = "no execution is like that" if known else "no monitor has run yet"
    whole = [read_record(opened.store, row["object"], Execution) for row in found if as_json]
    answer(whole, as_json, lambda: table(HEAD, [_row(row) for row in found], empty))
    newest = {row["schedule"]: row for row in found}
    sys.exit(1 if any(row["violations"] for row in newest.values()) else 0)


def _check(what: str, name: str | None, known: Iterable[str]) -> None:
    names = sorted(set(known))
    if name is not None and names and name not in names:
        raise InputError(f"list executions of {what} {name}: want {', '.join(names)}{nearest(name, names)}")


def _row(row: Mapping[str, Any]) -> tuple[object, ...]:
    window = Window(parse_utc(row["window_start"]), parse_utc(row["window_end"]))
    return (
        row["key"][:KEY_SHOWN],
        row["schedule"],
        window_cell(window),
        row["revision"],
        row["status"],
        f"{row['rows']:,}",
        row["violations"],
        row["reason"],
    )
