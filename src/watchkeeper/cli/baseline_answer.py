"""`watchkeeper baseline approve` and `reject`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.registry.approval import Word, approve_baseline, reject_baseline
from watchkeeper.app.registry.baselines import (
    BaselineApproval,
    BaselineRecord,
    baseline_record,
    check_monitor,
)
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import Target, open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, workspace_option


@click.command()
@click.argument("monitor")
@click.argument("version", type=int)
@click.option("--for", "environment", required=True, help="The environment it may judge in.")
@click.option("--why", default="", help="The reason, for the audit log.")
@workspace_option
@json_option
def approve(monitor: str, version: int, environment: str, why: str, workspace: Path, as_json: bool) -> None:
    """Let baseline VERSION of MONITOR judge its model version in an environment.

    In one with `approval: required`, another person than the one who suggested it.
    """
    target, record = _found(workspace, monitor, version)
    said = approve_baseline(target, record, Word(environment, os_user(), why))
    answer(said, as_json, lambda: _text(said, record))


@click.command()
@click.argument("monitor")
@click.argument("version", type=int)
@click.option("--for", "environment", required=True, help="The environment it is rejected for.")
@click.option("--why", required=True, help="The reason, for the audit log.")
@workspace_option
@json_option
def reject(monitor: str, version: int, environment: str, why: str, workspace: Path, as_json: bool) -> None:
    """Say no to baseline VERSION of MONITOR for an environment; the one approved before it judges again."""
    target, record = _found(workspace, monitor, version)
    said = reject_baseline(target, record, Word(environment, os_user(), why))
    answer(said, as_json, lambda: _text(said, record))


def _found(workspace: Path, monitor: str, version: int) -> tuple[Target, BaselineRecord]:
    target = open_target(load_project(workspace), open_workspace(workspace).folder)
    return target, baseline_record(target.store, check_monitor(target.project, monitor), version)


def _text(said: BaselineApproval, record: BaselineRecord) -> str:
    return f"{record.name} is {said.status} for {said.environment}, says {said.actor}"
