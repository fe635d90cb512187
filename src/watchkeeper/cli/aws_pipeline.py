"""`watchkeeper aws pipeline show`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from watchkeeper.app.aws.landscape import open_landscape
from watchkeeper.app.aws.layers import known_outputs
from watchkeeper.app.aws.pipeline import pipeline_definition
from watchkeeper.app.aws.site import Site
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.app.setup.project import load_project
from watchkeeper.cli.output import workspace_option


@click.group("pipeline", context_settings={"help_option_names": ["-h", "--help"]})
def pipeline() -> None:
    """Print the training pipeline's definition."""


@pipeline.command()
@workspace_option
def show(workspace: Path) -> None:
    """Print the definition as it would be deployed, as JSON."""
    landscape = open_landscape(load_project(workspace))
    made = pipeline_definition(Site(landscape, CENTRAL, known_outputs(landscape)), landscape.central_store())
    click.echo(json.dumps(json.loads(made.text), indent=2, ensure_ascii=False))
