"""`watchkeeper data fetch --target aws`."""

from __future__ import annotations

from pathlib import Path

from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.app.aws.landscape import open_landscape
from watchkeeper.app.aws.training import put_data
from watchkeeper.app.retraining.train import dataset_of
from watchkeeper.app.setup.project import load_project
from watchkeeper.cli.output import answer
from watchkeeper.cli.sources import source_request


def put_there(workspace: Path, path: Path | None, as_json: bool) -> None:
    """Put the rows of the project's source into the bucket."""
    project = load_project(workspace)
    landscape = open_landscape(project)
    rows = dataset_of(project, source_request(path))
    stored = put_data(landscape.central_store(), rows, landscape.account.actor, WallClock())
    text = f"{stored.rows:,} rows in {stored.key}, digest {stored.digest[:12]}"
    answer(stored, as_json, lambda: f"{text}\nnext: watchkeeper train --target aws --wait")
