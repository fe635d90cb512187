"""`watchkeeper monitor list`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from watchkeeper.app.registry.executions import Recorded, recorded
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.execution_text import KEY_SHOWN, window_cell
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.nearest import nearest
from watchkeeper.core.values import Execution, Status

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
    known = recorded(open_workspace(workspace).store)
    _check("monitor", monitor, (each.execution.monitor for each in known))
    _check("environment", environment, (each.execution.environment for each in known))
    found = [each for each in known if _wanted(each.execution, monitor, environment, status)]
    empty = "no execution is like that" if known else "no monitor has run yet"
    answer(tuple(each.execution for each in found), as_json, lambda: table(HEAD, _rows(found), empty))
    newest = {each.execution.schedule: each.execution for each in found}
    sys.exit(1 if any(execution.violations for execution in newest.values()) else 0)


def _check(what: str, name: str | None, known: Iterable[str]) -> None:
    names = sorted(set(known))
    if name is not None and names and name not in names:
        raise InputError(f"list executions of {what} {name}: want {', '.join(names)}{nearest(name, names)}")


def _wanted(each: Execution, monitor: str | None, environment: str | None, status: str | None) -> bool:
    pairs = ((monitor, each.monitor), (environment, each.environment), (status, each.status.value))
    return all(asked is None or asked == got for asked, got in pairs)


def _rows(found: Sequence[Recorded]) -> list[tuple[object, ...]]:
    return [
        (
            each.execution.key[:KEY_SHOWN],
            each.execution.schedule,
            window_cell(each.execution.window),
            each.revision,
            each.execution.status,
            f"{each.execution.rows:,}",
            len(each.execution.violations),
            each.execution.reason,
        )
        for each in found
    ]
