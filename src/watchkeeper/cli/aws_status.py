"""`watchkeeper aws status`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from watchkeeper.app.aws.status import AwsStatus, aws_status
from watchkeeper.cli.aws_options import chosen, scope_options
from watchkeeper.cli.output import answer, json_option, table, workspace_option


@click.command("status")
@scope_options
@workspace_option
@json_option
def status(
    environments: tuple[str, ...], central: bool, only: str | None, workspace: Path, as_json: bool
) -> None:
    """Look at every stack, and hold what each endpoint serves against what was approved.

    Exit code 1 when a stack is missing or broken, when an endpoint serves another version than the records
    say, or when other baselines judge it than the approved ones of what it serves.
    """
    landscape, choice = chosen(workspace, environments, central, only)
    found = aws_status(landscape, choice)
    answer(found, as_json, lambda: _text(found))
    sys.exit(0 if found.ok else 1)


def _text(found: AwsStatus) -> str:
    rows = [(each.scope, each.layer, each.status, each.reason or "–") for each in found.stacks]
    lines = [table(("scope", "layer", "status", "reason"), rows, "no stack was asked for")]
    for held in found.serving:
        serves = "waits for its first model" if held.recorded is None else f"serves v{held.recorded}"
        judged = f", judged by {held.baselines}" if held.deployed is not None else ""
        lines.append(f"{held.environment}: {serves}{judged}")
        lines += [f"  wrong: {fault}" for fault in held.faults]
    for each in found.unconfirmed:
        lines.append(f"{each.environment}: {each.address} has not confirmed to hear of {each.topic}")
    for alarm in found.quiet:
        until = f" until {alarm.until:%Y-%m-%d %H:%M} UTC" if alarm.until else ""
        lines.append(f"{alarm.environment}: alarm {alarm.alarm} tells nobody, {alarm.why}{until}")
    return "\n".join(lines)
