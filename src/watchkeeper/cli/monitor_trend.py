"""`watchkeeper monitor trend`."""

from __future__ import annotations

from pathlib import Path

import click

from watchkeeper.app.index.indexing import Point, asked_index, trend
from watchkeeper.app.setup.alert_sections import KNOWN_METRICS
from watchkeeper.app.setup.section import unknown
from watchkeeper.app.setup.workspace import open_workspace
from watchkeeper.cli.index_report import line_of_progress
from watchkeeper.cli.output import answer, json_option, read_moment, table, workspace_option
from watchkeeper.core.errors import InputError
from watchkeeper.core.metrics import METRIC_PREFIX

_BAR = 24  # characters


@click.command("trend")
@click.argument("metric")
@click.option("--since", metavar="WHEN", help="Windows that end after this: a month, a day, or a time.")
@click.option("--for", "environment", metavar="ENV", help="One environment's alone.")
@click.option("--feature", metavar="NAME", help="One feature's alone.")
@workspace_option
@json_option
def trend_(
    metric: str,
    since: str | None,
    environment: str | None,
    feature: str | None,
    workspace: Path,
    as_json: bool,
) -> None:
    """Print METRIC by window, of each window what was said last.

    The prefix `watchkeeper_` may be left out. Exit code 2 for a metric that there is not.
    """
    name = metric.removeprefix(METRIC_PREFIX)
    if name not in KNOWN_METRICS:
        raise InputError(f"show the trend of {metric}: {unknown(name, KNOWN_METRICS, 'metric')}")
    moment = read_moment(since, f"show the trend of {metric} since {since}") if since else None
    opened = open_workspace(workspace)
    wanted = {key: value for key, value in (("environment", environment), ("feature", feature)) if value}
    with line_of_progress() as report, asked_index(opened.folder, opened.store, report) as index:
        points = trend(index, name, moment, **wanted)
    answer(points, as_json, lambda: _text(points))


def _text(points: tuple[Point, ...]) -> str:
    highest = max((abs(point.value) for point in points), default=0.0) or 1.0
    shared = set.intersection(*(set(point.labels) for point in points)) if points else set()
    rows = [
        (
            f"{point.window_end:%Y-%m-%d %H:%M}",
            f"{point.value:.6g}",
            "█" * round(_BAR * abs(point.value) / highest),
            ", ".join(f"{name} {value}" for name, value in point.labels if (name, value) not in shared),
        )
        for point in points
    ]
    return table(("window's end", "value", "", "of"), rows, "no window has this metric")
