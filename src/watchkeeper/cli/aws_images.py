"""`watchkeeper aws images`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.aws.building import Pushed, build_images, push_images
from watchkeeper.app.aws.landscape import open_landscape
from watchkeeper.app.setup.project import load_project
from watchkeeper.cli.output import answer, json_option, table, workspace_option
from watchkeeper.cli.progress import progress_bars

_ENGINES = click.Choice(["auto", "docker", "podman", "codebuild"])


@click.group("images", context_settings={"help_option_names": ["-h", "--help"]})
def images() -> None:
    """Build our images, and push them by digest."""


@images.command()
@click.option("--with", "engine", type=_ENGINES, default="auto", show_default=True, help="What builds them.")
@workspace_option
@json_option
def build(engine: str, workspace: Path, as_json: bool) -> None:
    """Build analyzer, serving and training from this checkout, tagged by its commit."""
    project = load_project(workspace)
    with progress_bars(quiet=as_json) as report:
        built = build_images(project, engine, report)
    answer(built, as_json, lambda: "\n".join(f"built {each}" for each in built.tags))


@images.command()
@click.option("--with", "engine", type=_ENGINES, default="auto", show_default=True, help="What pushes them.")
@click.option(
    "--mirror", multiple=True, metavar="IMAGE", help="Another's image, copied into the registry too."
)
@workspace_option
@json_option
def push(engine: str, mirror: tuple[str, ...], workspace: Path, as_json: bool) -> None:
    """Build what is not built, push it into the registry of the central account, and note each digest.

    Templates and the pipeline name images by digest; the next `aws deploy` takes the new ones.
    """
    landscape = open_landscape(load_project(workspace))
    with progress_bars(quiet=as_json) as report:
        pushed = push_images(landscape, engine, mirror, report)
    answer(pushed, as_json, lambda: _text(pushed))


def _text(pushed: Pushed) -> str:
    rows = [(image.name, image.number, image.commit, image.uri) for image in pushed.images]
    return table(("image", "number", "commit", "uri"), rows, "no image") + "\nnext: watchkeeper aws deploy"
