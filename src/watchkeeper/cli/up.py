"""`watchkeeper up`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path

import click

from watchkeeper.app.project import load_project
from watchkeeper.app.serving import ServeRequest, serve_project
from watchkeeper.cli.output import workspace_option


@click.command()
@workspace_option
@click.option(
    "--project", type=click.Path(path_type=Path, exists=True), help="Project file, when not the workspace's."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="0 takes any free port."
)
@click.option("--rehearsal", is_flag=True, help="Believe each request's own time; end with the caller.")
def up(workspace: Path, project: Path | None, host: str, port: int, rehearsal: bool) -> None:
    """Serve every environment's endpoint, /metrics and the report until Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    click.echo(f"serving {workspace} on http://{host}:{port or '(any free port)'}", err=True)
    if rehearsal:
        threading.Thread(target=_end_with_input, name="end-with-input", daemon=True).start()
    serve_project(load_project(project or workspace), ServeRequest(workspace, host, port, rehearsal))


def _end_with_input() -> None:
    """A rehearsal that was killed closes our standard input: end as if asked to, captures shipped."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
