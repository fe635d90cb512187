"""`watchkeeper stack alarms`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.app.setup.project import load_project
from watchkeeper.app.stack.files import alarms_of
from watchkeeper.cli.output import answer, json_option, workspace_option


@click.command()
@workspace_option
@click.option("--for", "environments", multiple=True, help="An environment's alone; may be repeated.")
@click.option(
    "--namespace", default="Watchkeeper", show_default=True, help="Where monitors' metrics are put."
)
@json_option
def alarms(workspace: Path, environments: Sequence[str], namespace: str, as_json: bool) -> None:
    """Print the rules as CloudWatch alarms: a CloudFormation template, one alarm a rule and environment.

    Rules about what only our own server knows have none, and are named on stderr.
    """
    project = load_project(workspace)
    made = alarms_of(project, tuple(environments) or project.environments, namespace)
    if made.left_out and not as_json:
        click.echo(f"no alarm for {', '.join(made.left_out)}: CloudWatch has no such metric", err=True)
    answer(made, as_json, lambda: made.text.rstrip())
