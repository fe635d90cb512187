"""`watchkeeper traffic replay`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from watchkeeper.adapters.local.client import EndpointClient
from watchkeeper.adapters.local.endpoint import LocalEndpointHost
from watchkeeper.app.registry.schemas import schemas
from watchkeeper.app.replay.faults import Fault, check_faults
from watchkeeper.app.replay.replaying import Asked, Pace, Replayed, TableColumns, replay, requests_of
from watchkeeper.app.setup.project import load_project
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.output import answer, json_option, workspace_option
from watchkeeper.cli.progress import progress_bars
from watchkeeper.core.errors import InputError


@click.command("replay")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--for", "environment", required=True, help="The environment whose endpoint is asked.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="N",
    help="So many a second (default: as fast as answers come).",
)
@click.option(
    "--callers",
    type=click.IntRange(min=1, max=256),
    default=4,
    show_default=True,
    help="How many ask at once.",
)
@click.option(
    "--think",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="A caller's pause after an answer.",
)
@click.option("--limit", type=click.IntRange(min=1), help="No more requests than this.")
@click.option("--repeat", type=click.IntRange(min=1), default=1, show_default=True, help="How often over.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    help="drop:COLUMN, scale:COLUMN:FACTOR, category:COLUMN:VALUE or empty:COLUMN. May be repeated.",
)
@click.option(
    "--share",
    type=click.FloatRange(min=0, max=1),
    default=1.0,
    show_default=True,
    help="Of the requests that get the faults.",
)
@click.option("--id", "id_", default="", metavar="COLUMN", help="Of a table: the inference id.")
@click.option(
    "--label", default="", metavar="COLUMN", help="Of a table: the label, sent after the last answer."
)
@click.option(
    "--label-delay",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="How late labels come.",
)
@click.option("--keep-ids", is_flag=True, help="Send the ids that are there, not new ones.")
@workspace_option
@json_option
def replay_(
    source: Path,
    environment: str,
    rate: float,
    callers: int,
    think: float,
    limit: int | None,
    repeat: int,
    faults: Sequence[str],
    share: float,
    id_: str,
    label: str,
    label_delay: float,
    keep_ids: bool,
    workspace: Path,
    as_json: bool,
) -> None:
    """Send the requests of SOURCE to an endpoint of the running server.

    SOURCE is capture files (JSON Lines, also gzipped), a folder of them, or a table (CSV, also gzipped,
    Parquet, JSON Lines) with a row for each request. Exit code 1 when a request had no answer, or a 5xx.
    """
    opened = open_workspace(workspace)
    project = load_project(workspace)
    known = schemas(opened.store)
    if not known:
        raise InputError(f"replay {source}: the workspace has no schema yet; train or register a model first")
    read = tuple(map(Fault.parse, faults))
    check_faults(read, known[-1])
    kept = keep_ids or bool(id_)
    requests = [
        each
        for _ in range(repeat)
        for each in requests_of(source, known[-1], TableColumns(id_, label), keep_ids=kept)
    ][:limit]
    pace = Pace(rate, callers, think, read, share, label_delay)
    client = EndpointClient(LocalEndpointHost(opened.folder.resolve() / "run" / "server.json").url())
    asked = Asked(client, project.endpoint(environment), known[-1])
    with progress_bars(quiet=as_json) as report:
        done = replay(asked, requests, pace, report)
    answer(done, as_json, lambda: _text(done))
    sys.exit(1 if done.failed else 0)


def _text(done: Replayed) -> str:
    statuses = ", ".join(f"{count:,} × {status}" for status, count in done.statuses.items())
    sent = f"{done.requests:,} requests to {done.endpoint} in {done.seconds:.1f} s"
    lines = [f"{sent}, {done.rate:,.0f} a second: {statuses}"]
    if done.p50 is not None and done.p95 is not None and done.p99 is not None:
        p50, p95, p99 = (1e3 * seconds for seconds in (done.p50, done.p95, done.p99))
        lines.append(
            f"  half were answered within {p50:.1f} ms, 95% within {p95:.1f} ms, 99% within {p99:.1f} ms"
        )
    if done.spoilt:
        lines.append(f"  faults were done to {done.spoilt:,} of them")
    if done.labels:
        lines.append(f"  labels of {done.labels:,} were brought")
    return "\n".join([*lines, *(f"  {each}" for each in done.problems)])
