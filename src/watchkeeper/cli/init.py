"""`watchkeeper init`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.app.init import init as make
from watchkeeper.cli.output import answer, json_option


def _tops(names: Sequence[str]) -> list[str]:
    """Files and folders of the new project itself."""
    tops = dict.fromkeys(name.partition("/")[0] + ("/" if "/" in name else "") for name in names)
    return sorted(tops, key=lambda name: name.endswith("/"))


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
        lambda: (
            f"made {', '.join(_tops(made.files))} in {folder}\nnext: watchkeeper train --workspace {folder}"
        ),
    )
