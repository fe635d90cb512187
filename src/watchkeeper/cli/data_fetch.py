"""`watchkeeper data fetch`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from watchkeeper.adapters.sources.datagov import Api
from watchkeeper.app.setup.fetching import fetch_data
from watchkeeper.cli.output import answer, json_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.cli.sources import VARIABLE


@click.command("fetch")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), default=Path("hdb-resale.csv.gz"))
@click.option("--url", default=Api().url, show_default=True, help="The publisher's API.")
@click.option(
    "--key", envvar="DATAGOV_API_KEY", show_envvar=True, help="A key of yours, for more requests a minute."
)
@json_option
def fetch_(out: Path, url: str, key: str | None, as_json: bool) -> None:
    """Copy HDB's resale prices from data.gov.sg into OUT, CSV or CSV.gz.

    It slows down when it is asked to. Interrupted, it goes on where it was when it is run again.
    """
    with progress_bars(quiet=as_json) as report:
        done = fetch_data(out, replace(Api(), url=url, key=key), report)
    text = f"{done.rows:,} rows, {done.first} to {done.last}, in {done.file}, digest {done.digest[:12]}"
    answer(done, as_json, lambda: f"{text}\nnext: export {VARIABLE}={done.file}")
