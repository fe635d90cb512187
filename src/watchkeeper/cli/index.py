"""`watchkeeper index`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from watchkeeper.app.index.indexing import IndexCheck, IndexState, checked_index, rebuilt_index
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.index_report import line_of_progress
from watchkeeper.cli.output import answer, json_option, workspace_option


@click.group()
def index() -> None:
    """The index of records: lists and trends are answered from it, and it may be thrown away."""


@index.command()
@workspace_option
@json_option
def rebuild(workspace: Path, as_json: bool) -> None:
    """Throw the index away and make it anew from the records."""
    opened = open_workspace(workspace)
    with line_of_progress() as report:
        state = rebuilt_index(opened.folder, opened.store, report)
    answer(state, as_json, lambda: _state(state))


@index.command()
@workspace_option
@json_option
def check(workspace: Path, as_json: bool) -> None:
    """Hold the index against one made anew beside it; exit code 1 when they differ."""
    opened = open_workspace(workspace)
    with line_of_progress() as report:
        found = checked_index(opened.folder, opened.store, report)
    answer(found, as_json, lambda: _check(found))
    sys.exit(0 if found.equal else 1)


def _state(state: IndexState) -> str:
    return f"indexed {state.executions:,} executions and {state.alerts:,} changes of alerts"


def _check(found: IndexCheck) -> str:
    if found.equal:
        return f"the index says what its {found.records:,} records say"
    return f"the index differs in {', '.join(found.differing)}; `watchkeeper index rebuild` makes it anew"
