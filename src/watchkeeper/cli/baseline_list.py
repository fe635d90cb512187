"""`watchkeeper baseline list` and `show`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.registry.baselines import (
    BaselineApproval,
    BaselineDetail,
    BaselineRecord,
    BaselineStanding,
    ChosenWindow,
    check_monitor,
    detail,
    standings,
)
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, table, workspace_option


@click.command("list")
@click.argument("monitor", required=False)
@workspace_option
@json_option
def list_(monitor: str | None, workspace: Path, as_json: bool) -> None:
    """Print every baseline, or those of MONITOR: its model, its approvals and where it judges."""
    project, store = load_project(workspace), open_workspace(workspace).store
    wanted = project.settings.monitors if monitor is None else (check_monitor(project, monitor),)
    found = tuple(each for each in standings(project, store) if each.baseline.monitor in wanted)
    head = ("monitor", "version", "model", "rows", *project.environments, "judges in", "from", "digest")
    answer(found, as_json, lambda: table(head, [_row(each) for each in found], "there is no baseline yet"))


@click.command()
@click.argument("monitor")
@click.argument("version", type=int)
@workspace_option
@json_option
def show(monitor: str, version: int, workspace: Path, as_json: bool) -> None:
    """Print one baseline of MONITOR: where its rows come from, what was left out, who approved it."""
    found = detail(load_project(workspace), open_workspace(workspace).store, monitor, version)
    answer(found, as_json, lambda: page(found))


def origin_lines(record: BaselineRecord) -> list[str]:
    """Where the rows come from, and each window that was asked for."""
    origin = record.origin
    named = f"{origin.kind} {origin.name}, digest {origin.digest[:12]}" if origin.name else origin.kind
    return [record.source, named, *(_window(each) for each in origin.windows)]


def page(found: BaselineDetail) -> str:
    """One baseline as text."""
    standing, record = found.standing, found.standing.baseline
    lines = [
        f"{record.name} for model v{record.model_version}, schema v{record.schema_version}, "
        f"digest {record.digest}",
        f"suggested {record.time:%Y-%m-%d %H:%M} by {record.suggested_by}, from {record.rows:,} rows",
        *origin_lines(record),
        *(f"{name}: {status}" for name, status in standing.approvals.items()),
        *(_word(each) for each in found.words),
        f"judges in {', '.join(standing.used_in) or 'no environment'}; its files are in {record.folder}",
    ]
    return "\n".join(lines)


def _row(each: BaselineStanding) -> tuple[object, ...]:
    record = each.baseline
    return (
        record.monitor,
        record.version,
        f"v{record.model_version}",
        f"{record.rows:,}",
        *each.approvals.values(),
        ", ".join(each.used_in) or "–",
        record.origin.kind,
        record.digest[:12],
    )


def _window(each: ChosenWindow) -> str:
    note = f" ({each.note})" if each.note else ""
    return f"  {each.window}: {f'{each.rows:,} rows' if each.used else 'left out'}{note}"


def _word(word: BaselineApproval) -> str:
    why = f": {word.why}" if word.why else ""
    return f"  {word.time:%Y-%m-%d %H:%M} {word.status} for {word.environment} by {word.actor}{why}"
