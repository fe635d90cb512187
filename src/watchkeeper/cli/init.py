"""`watchkeeper init`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.app.setup.drafting import Rows
from watchkeeper.app.setup.init import BLANK, Initialised
from watchkeeper.app.setup.init import init as make
from watchkeeper.app.setup.project import FILE
from watchkeeper.cli.output import answer, json_option


def _tops(names: Sequence[str]) -> list[str]:
    """Files and folders of the new project itself."""
    tops = dict.fromkeys(name.partition("/")[0] + ("/" if "/" in name else "") for name in names)
    return sorted(tops, key=lambda name: name.endswith("/"))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--template", default="resale-price", show_default=True, help="What it starts as: resale-price or blank."
)
@click.option(
    "--rows",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Of blank: a CSV file to draft columns from.",
)
@click.option(
    "--time", default="month", show_default=True, metavar="COLUMN", help="Of rows: when, as YYYY-MM."
)
@click.option("--label", metavar="COLUMN", help="Of rows: the number that is to be predicted.")
@json_option
def init(folder: Path, template: str, rows: Path | None, time: str, label: str | None, as_json: bool) -> None:
    """Make a project in FOLDER from a template.

    `resale-price` is the worked example, `blank` one of your own: with --rows its columns and features are
    drafted from a file, whose numbers become features as they are and whose texts by their mean labels.
    """
    if (rows is None) != (label is None):
        raise click.UsageError("--rows and --label go together")
    made = make(folder, template, Rows(rows, time, label) if rows and label else None)
    answer(
        made, as_json, lambda: "\n".join([f"made {', '.join(_tops(made.files))} in {folder}", _next(made)])
    )


def _next(made: Initialised) -> str:
    if made.template != BLANK:
        return f"next: watchkeeper train --workspace {made.folder}"
    look = (
        f"name your columns in {Path(made.folder) / FILE}" if not made.drafted else "look at what was drafted"
    )
    return f"next: {look}, then watchkeeper train --workspace {made.folder}"
