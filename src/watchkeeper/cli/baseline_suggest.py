"""`watchkeeper baseline suggest`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.baselines.making import BaselineFor
from watchkeeper.app.baselines.suggesting import suggest_baseline
from watchkeeper.app.baselines.windows import WindowChoice
from watchkeeper.app.registry.baselines import BaselineRecord
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.baseline_list import origin_lines
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.windows import Window, month_start, parse_utc


@click.command()
@click.argument("monitor")
@click.option("--for-model", "model", type=int, required=True, help="The model version it is to judge.")
@click.option(
    "--from-file",
    "file",
    type=click.Path(path_type=Path),
    help="CSV (also gzipped) or Parquet with the columns of the model's schema, the prediction included.",
)
@click.option(
    "--from-windows",
    "within",
    metavar="START..END",
    help="The windows of production from START until before END, months or times.",
)
@click.option("--env", "environment", help="The environment of --from-windows.")
@click.option(
    "--leave-out-violations/--no-leave-out-violations",
    default=True,
    show_default=True,
    help="Whether windows with violations of this monitor stay out.",
)
@workspace_option
@json_option
def suggest(
    monitor: str,
    model: int,
    file: Path | None,
    within: str | None,
    environment: str | None,
    leave_out_violations: bool,
    workspace: Path,
    as_json: bool,
) -> None:
    """Make a new baseline of MONITOR for a model version; it judges once it is approved.

    Without --from-file and --from-windows it is made again of the training run's rows.
    Exit code 1 when too few rows are left.
    """
    if (within is None) != (environment is None) or (file is not None and within is not None):
        raise click.UsageError(
            "want --from-file FILE, or --from-windows START..END with --env ENV, or neither"
        )
    target = open_target(load_project(workspace), open_workspace(workspace).folder)
    source: Path | WindowChoice | None = file
    if within is not None and environment is not None:
        source = WindowChoice(environment, _range(within), leave_out_violations)
    made = suggest_baseline(target, BaselineFor(monitor, model), source, os_user())
    answer(made, as_json, lambda: _text(made))


def _range(text: str) -> Window:
    start, dots, end = text.partition("..")
    try:
        if not dots:
            raise ValueError(f'want START..END, got "{text}"')
        return Window(_moment(start), _moment(end))
    except ValueError as error:
        raise InputError(f"suggest a baseline from the windows {text}: {error}") from None


def _moment(text: str) -> datetime:
    return month_start(text) if len(text) == len("YYYY-MM") else parse_utc(text)


def _text(made: BaselineRecord) -> str:
    lines = [f"{made.name} for model v{made.model_version}: {made.rows:,} rows", *origin_lines(made)]
    asks = f"watchkeeper baseline approve {made.monitor} {made.version} --for ENVIRONMENT"
    return "\n".join([*lines, f"it judges once it is approved: `{asks}`"])
