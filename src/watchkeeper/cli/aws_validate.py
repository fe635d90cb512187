"""`watchkeeper aws validate`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from watchkeeper.adapters.aws.answers import Answers
from watchkeeper.app.aws.checks import Effort, Visit
from watchkeeper.app.aws.landscape import open_landscape
from watchkeeper.app.aws.validating import Validation, export, validate
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.doctor import checks_text
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars


@click.command("validate")
@click.option("--env", "environment", metavar="ENV", help="The environment to look at (default: the first).")
@click.option(
    "--rows", type=click.IntRange(min=1), default=600, show_default=True, help="How many are asked about."
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=15.0,
    show_default=True,
    metavar="MINUTES",
    help="How long captures are waited for.",
)
@click.option(
    "--export",
    "exported",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write what AWS answered into this folder, accounts replaced.",
)
@workspace_option
@json_option
def validate_(
    environment: str | None, rows: int, patience: float, exported: Path | None, workspace: Path, as_json: bool
) -> None:
    """Send requests to a deployed environment, wait for their captures, run the monitors on them, and follow
    a test alert to the retrain that it would start; a checklist says what was seen, and how long it took.

    The requests are real ones and are captured as such, under ids that begin with "validate-". Nothing is
    trained, decided or told. What could not be seen yet is no fault, and the command that shows it stands
    beside it; exit code 1 when something is wrong.
    """
    project = load_project(workspace)
    effort = Effort(environment or project.environments[0], rows, 60 * patience)
    project.environment(effort.environment)
    answers = Answers() if exported else None
    landscape = open_landscape(project, answers)
    with progress_bars(quiet=as_json) as report:
        done = validate(Visit(landscape, effort, open_workspace(workspace).folder, report))
    if exported and answers:
        files = export(answers, exported)
        click.echo(f"{len(files)} answers written to {exported}", err=True)
    answer(done, as_json, lambda: _text(done))
    sys.exit(0 if done.ok else 1)


def _text(done: Validation) -> str:
    return checks_text(
        [replace(each.check, found=f"{each.check.found} ({each.seconds:.1f} s)") for each in done.checks]
    )
