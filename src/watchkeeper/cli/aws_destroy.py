"""`watchkeeper aws destroy`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.aws.destroying import Destroyed, destroy
from watchkeeper.cli.aws_options import chosen, scope_options
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.core.errors import Refused


@click.command("destroy")
@scope_options
@click.option(
    "--records", is_flag=True, help="The buckets too: captures, models, baselines and the audit log."
)
@click.option("--yes", metavar="PROJECT", help="The project's name, in the place of the question.")
@workspace_option
@json_option
def destroy_(
    environments: tuple[str, ...],
    central: bool,
    only: str | None,
    records: bool,
    yes: str | None,
    workspace: Path,
    as_json: bool,
) -> None:
    """Remove the stacks, what was made last first.

    Buckets, keys, images and logs stay, as the audit log and the baselines are evidence; --records removes
    the buckets with every version of every object. Interrupted, it goes on where it was when it is run
    again.
    """
    landscape, choice = chosen(workspace, environments, central, only)
    name = landscape.project.name
    what = "stacks and records" if records else "stacks"
    said = yes or click.prompt(f"Type {name} to remove the {what} of {', '.join(choice.scopes)}", err=True)
    if said != name:
        raise Refused(f'destroy {name}: want its name to be sure, got "{said}"; nothing was removed')
    with progress_bars(quiet=as_json) as report:
        done = destroy(landscape, choice, report, records=records)
    answer(done, as_json, lambda: _text(done))


def _text(done: Destroyed) -> str:
    lines = [f"removed {stack}" for stack in done.stacks] or ["no stack was there"]
    lines += [f"removed bucket {bucket} with all versions" for bucket in done.emptied]
    lines += [f"kept bucket {bucket}" for bucket in done.kept]
    return "\n".join(lines)
