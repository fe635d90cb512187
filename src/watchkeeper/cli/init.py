"""`watchkeeper init`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.init import init as make
from watchkeeper.cli.output import answer, json_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--template", default="resale-price", show_default=True, help="What the new project starts as.")
@json_option
def init(folder: Path, template: str, as_json: bool) -> None:
    """Make a project in FOLDER from a template."""
    made = make(folder, template)
    answer(
        made,
        as_json,
        lambda: f"made {', '.join(made.files)} in {folder}\nnext: watchkeeper train --workspace {folder}",
    )
