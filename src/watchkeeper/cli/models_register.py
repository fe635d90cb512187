"""`watchkeeper models register`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.adapters.local.actor import os_user
from watchkeeper.app.registry.external import register_external
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.targets import open_target
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, workspace_option


@click.command("register")
@click.argument("file", type=click.Path(path_type=Path))
@workspace_option
@json_option
def register_(file: Path, workspace: Path, as_json: bool) -> None:
    """Put a version on record that is served elsewhere, to watch what it answers.

    FILE has rows of it, its answers in the column prediction: CSV (also gzipped), Parquet or JSON Lines.
    """
    target = open_target(load_project(workspace), open_workspace(workspace).folder)
    made = register_external(target, file, os_user())
    said = f"model v{made.version} is on record, served elsewhere, under schema v{made.schema_version}"
    answer(made, as_json, lambda: said)
