"""The command `watchkeeper`: one module per command group, loaded by name when it is called."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType

import click

from watchkeeper import __version__
from watchkeeper.cli.by_name import ByName, Named
from watchkeeper.core.errors import (
    InputError,
    IntegrityError,
    Interrupted,
    PlatformError,
    Refused,
    WatchkeeperError,
)

COMMANDS: Mapping[str, Named] = MappingProxyType(
    {
        "rehearse": Named(
            "watchkeeper.cli.rehearse:rehearse", "Let months of data travel through the whole loop."
        ),
        "init": Named("watchkeeper.cli.init:init", "Make a new project folder."),
        "config": Named("watchkeeper.cli.config:config", "Check and show the project file."),
        "doctor": Named("watchkeeper.cli.doctor:doctor", "Say what is missing here, and how to mend it."),
        "data": Named("watchkeeper.cli.data:data", "Show where the rows come from."),
        "train": Named("watchkeeper.cli.train:train", "Train a model and register it."),
        "models": Named("watchkeeper.cli.models:models", "List, approve and promote model versions."),
        "up": Named("watchkeeper.cli.up:up", "Serve the endpoints and their metrics."),
        "serve": Named("watchkeeper.cli.serve:serve", "Be the container of a SageMaker endpoint."),
        "batch": Named("watchkeeper.cli.batch:batch", "Score files of rows."),
        "capture": Named("watchkeeper.cli.capture:capture", "Bring in what models were asked elsewhere."),
        "traffic": Named("watchkeeper.cli.traffic:traffic", "Send requests to an endpoint."),
        "labels": Named("watchkeeper.cli.labels:labels", "Bring labels, and show which are still awaited."),
        "schema": Named("watchkeeper.cli.schema:schema", "Show the columns that models were made for."),
        "baseline": Named(
            "watchkeeper.cli.baseline:baseline", "Suggest, compare and approve what models are judged by."
        ),
        "monitor": Named("watchkeeper.cli.monitor:monitor", "Run monitors and show their executions."),
        "explain": Named(
            "watchkeeper.cli.explain:explain_command", "Show what each column added to a prediction."
        ),
        "analyze": Named("watchkeeper.cli.analyze:analyze", "Be the container of a Model Monitor job."),
        "alerts": Named("watchkeeper.cli.alerts:alerts", "Show alerts and the decisions on them."),
        "incidents": Named("watchkeeper.cli.incidents:incidents", "Show incidents, and say what they were."),
        "stack": Named("watchkeeper.cli.stack:stack", "Write and run Prometheus and Alertmanager beside us."),
        "retrain": Named("watchkeeper.cli.retrain:retrain", "Show retrains, and approve or reject them."),
        "index": Named("watchkeeper.cli.index:index", "Make the index of records anew, or check it."),
        "aws": Named("watchkeeper.cli.aws:aws", "Put the project on AWS, and look after it there."),
        "backup": Named("watchkeeper.cli.backup:backup", "Write a workspace into one file."),
        "restore": Named("watchkeeper.cli.backup:restore_", "Make a workspace of a backup."),
        "gc": Named("watchkeeper.cli.gc:gc", "Show and take away what is kept no longer."),
        "audit": Named("watchkeeper.cli.audit:audit", "Show and verify the audit log."),
    }
)

_SUMMARY = """Keep watch over machine-learning models in production.

Exit code 0: fine. 1: the answer is "no" (violations, refused, invalid). 2: wrong usage or input.
3: a target failed, and trying again may help. 130: interrupted.
"""


def main() -> None:
    """Run the command line and exit with its code; an error of ours is one message, no traceback."""
    command = click.version_option(__version__, prog_name="watchkeeper")(
        ByName("watchkeeper", _SUMMARY, COMMANDS)
    )
    try:
        sys.exit(_run(command))
    except WatchkeeperError as error:
        click.echo(f"watchkeeper: {error}", err=True)
        sys.exit(exit_code(error))


def _run(command: click.Command) -> int:
    """The exit code of a command that came to its end. Click alone would end with 1 after Ctrl-C."""
    try:
        return command.main(prog_name="watchkeeper", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as stopped:
        if isinstance(stopped.__cause__, KeyboardInterrupt):
            raise Interrupted("interrupted") from None
        click.echo("Aborted!", err=True)  # a question that nobody answered
        return 1


def exit_code(error: WatchkeeperError) -> int:
    """The code a command ends with after an error."""
    match error:
        case Refused() | IntegrityError():
            return 1
        case InputError():
            return 2
        case PlatformError():
            return 3
        case Interrupted():
            return 130  # as shells have it: 128 and the number of SIGINT
    return 3
