"""`watchkeeper up`."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from watchkeeper.adapters.local.lock import held
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.endpoints.serving import ServeRequest, serve_project
from watchkeeper.app.retraining.retrains import Retrain, RetrainState, retrains
from watchkeeper.app.setup.project import Project, load_project
from watchkeeper.app.setup.workspace import LOCK
from watchkeeper.cli.output import workspace_option
from watchkeeper.serving.workers import end_with_input, is_worker


@click.command()
@workspace_option
@click.option(
    "--project", type=click.Path(path_type=Path, exists=True), help="Project file, when not the workspace's."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="0 takes any free port."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that share the port.",
)
@click.option("--rehearsal", is_flag=True, help="Believe each request's own time; end with the caller.")
def up(workspace: Path, project: Path | None, host: str, port: int, workers: int, rehearsal: bool) -> None:
    """Serve every environment's endpoint, /metrics and the report until Ctrl-C."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    )
    settings = load_project(project or workspace)
    if not is_worker():
        click.echo(f"serving {workspace} on http://{host}:{port or '(any free port)'}", err=True)
        if rehearsal:
            end_with_input()
        else:
            _mention_open_retrains(settings, workspace)
    serve_project(settings, ServeRequest(workspace, host, port, rehearsal, workers))


def _mention_open_retrains(settings: Project, workspace: Path) -> None:
    """Nothing runs them on its own: say so, with what a person may type."""
    if held(workspace / LOCK):  # somebody is at it
        return
    for environment in settings.environments:
        for retrain in retrains(FolderStore(workspace.resolve()), environment):
            if not retrain.over:
                click.echo(_mention(retrain), err=True)


def _mention(retrain: Retrain) -> str:
    decision = retrain.decision
    which = f"{decision.id} --for {decision.environment}"
    ends = "rejects" if retrain.state is RetrainState.WAITING else "cancels"
    return (
        f"retrain {decision.id} for {decision.environment} is {retrain.state}: "
        f"`watchkeeper retrain approve {which}` runs it, "
        f"`watchkeeper retrain reject {which} --why TEXT` {ends} it"
    )
