"""`watchkeeper stack up`."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from watchkeeper.app.stack.servers import ALERTMANAGERS, running_stack
from watchkeeper.cli.stack_render import asked, stack_options, write
from watchkeeper.core.errors import InputError
from watchkeeper.render.compose import COMPOSE


@click.command()
@click.option(
    "--with",
    "means",
    type=click.Choice(["auto", "programs", "compose"]),
    default="auto",
    show_default=True,
    help="Programs on this machine, or Docker Compose; auto takes programs where they are.",
)
@stack_options
def up(
    means: str,
    workspace: Path,
    environments: Sequence[str],
    watchkeeper: str,
    prometheus: str,
    alertmanager: str,
    interval: str,
) -> None:
    """Write the files, run both servers, and end them on Ctrl-C; with Compose, Grafana too.

    Run it beside `watchkeeper up`, whose metrics are scraped and to which alerts come back.
    """
    project, settings = asked(workspace, watchkeeper, prometheus, alertmanager, interval)
    written = write(project, workspace, environments, settings)
    if means == "compose" or (means == "auto" and not _has_programs() and shutil.which("docker")):
        _compose(Path(written.folder))
    with running_stack(Path(written.folder), settings) as servers:
        click.echo(f"Prometheus {servers.prometheus.version()} on {servers.prometheus.url}", err=True)
        click.echo(f"Alertmanager {servers.alertmanager.version()} on {servers.alertmanager.url}", err=True)
        click.echo(f"scraping http://{watchkeeper}/metrics; Ctrl-C ends both", err=True)
        _wait_for_the_end()


def _has_programs() -> bool:
    return shutil.which("prometheus") is not None and any(map(shutil.which, ALERTMANAGERS))


def _compose(folder: Path) -> NoReturn:
    """Become `docker compose up`, which ends what it started on Ctrl-C."""
    command = ["docker", "compose", "--file", str(folder / COMPOSE), "up"]
    click.echo(f"running {' '.join(command)}", err=True)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the arguments are ours, and no shell is wanted
    except OSError as error:
        raise InputError(f"run {command[0]}: {error.strerror}; --with programs needs no engine") from None


def _wait_for_the_end() -> None:
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    signal.sigwait(ends)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)
