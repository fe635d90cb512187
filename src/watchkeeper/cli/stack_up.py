"""`watchkeeper stack up`."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.app.stack.servers import running_stack
from watchkeeper.cli.stack_render import asked, stack_options, write


@click.command()
@stack_options
def up(
    workspace: Path,
    environments: Sequence[str],
    watchkeeper: str,
    prometheus: str,
    alertmanager: str,
    interval: str,
) -> None:
    """Write the files, run both servers from the programs on this machine, and end them on Ctrl-C.

    Run it beside `watchkeeper up`, whose metrics are scraped and to which alerts come back.
    """
    project, settings = asked(workspace, watchkeeper, prometheus, alertmanager, interval)
    written = write(project, workspace, environments, settings)
    with running_stack(Path(written.folder), settings) as servers:
        click.echo(f"Prometheus {servers.prometheus.version()} on {servers.prometheus.url}", err=True)
        click.echo(f"Alertmanager {servers.alertmanager.version()} on {servers.alertmanager.url}", err=True)
        click.echo(f"scraping http://{watchkeeper}/metrics; Ctrl-C ends both", err=True)
        _wait_for_the_end()


def _wait_for_the_end() -> None:
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    signal.sigwait(ends)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)
