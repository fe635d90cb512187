"""`watchkeeper aws deploy`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.aws.deploying import Deployed, deploy
from watchkeeper.cli.aws_options import chosen, scope_options
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.cli.progress import progress_bars


@click.command("deploy")
@scope_options
@workspace_option
@json_option
def deploy_(
    environments: tuple[str, ...], central: bool, only: str | None, workspace: Path, as_json: bool
) -> None:
    """Make each stack what the project file says, in order; what is so already is left alone.

    It stops where images, a model or an approval are wanted first, with exit code 0 and the command that goes
    on. Interrupted, it goes on where it was when it is run again.
    """
    landscape, choice = chosen(workspace, environments, central, only)
    with progress_bars(quiet=as_json) as report:
        done = deploy(landscape, choice, report)
    answer(done, as_json, lambda: _text(done))


def _text(done: Deployed) -> str:
    rows = [(stage.scope, stage.layer, stage.outcome, stage.stack) for stage in done.stages]
    lines = [table(("scope", "layer", "", "stack"), rows, "nothing to deploy")]
    lines += [f"{each.reason}\n  next: {each.command}" for each in done.waiting]
    return "\n".join(lines)
