"""`watchkeeper data fetch`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import click

from watchkeeper.adapters.sources.datagov import Api
from watchkeeper.app.setup.fetching import fetch_data
from watchkeeper.cli.by_name import load_named
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.cli.sources import VARIABLE, data_option
from watchkeeper.cli.targets import target_option

PutsThere = Callable[[Path, Path | None, bool], None]
ON_AWS = "watchkeeper.cli.aws_data:put_there"


@click.command("fetch")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), default=Path("hdb-resale.csv.gz"))
@click.option("--url", default=Api().url, show_default=True, help="The publisher's API.")
@click.option(
    "--key", envvar="DATAGOV_API_KEY", show_envvar=True, help="A key of yours, for more requests a minute."
)
@target_option
@data_option
@workspace_option
@json_option
def fetch_(
    out: Path, url: str, key: str | None, target: str, path: Path | None, workspace: Path, as_json: bool
) -> None:
    """Copy HDB's resale prices from data.gov.sg into OUT, CSV or CSV.gz.

    It slows down when it is asked to. Interrupted, it goes on where it was when it is run again. With
    --target aws the rows of the project's source, or of --data, are put into the bucket under their digest.
    """
    if target == "aws":
        cast(PutsThere, load_named(ON_AWS))(workspace, path, as_json)
        return
    with progress_bars(quiet=as_json) as report:
        done = fetch_data(out, replace(Api(), url=url, key=key), report)
    text = f"{done.rows:,} rows, {done.first} to {done.last}, in {done.file}, digest {done.digest[:12]}"
    answer(done, as_json, lambda: f"{text}\nnext: export {VARIABLE}={done.file}")
