"""`watchkeeper monitor run`: on a window of an endpoint, or on files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import click
from click.core import ParameterSource

from watchkeeper.cli.by_name import load_named
from watchkeeper.cli.output import json_option, workspace_option

FORMS: Mapping[str, str] = MappingProxyType(
    {
        "window": "watchkeeper.cli.monitor_run_window:run_window",
        "files": "watchkeeper.cli.monitor_run_files:run_files",
    }
)  # each loads what it needs alone: files are judged without a project

LINE_LIMIT_MB = 64


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was typed after `monitor run`."""

    monitor: str
    environment: str | None
    moment: str | None
    inputs: tuple[str, ...]
    baseline: str | None
    out: Path
    schema: int | None
    header: bool | None
    mode: str
    engine: str
    workers: int | None
    min_rows: int
    start: str | None
    end: str | None
    sensitive: tuple[str, ...]
    examples: int
    line_limit: int
    workspace: Path
    as_json: bool


@click.command("run")
@click.argument("monitor")
@click.option("--for", "environment", help="The environment whose endpoint is judged.")
@click.option(
    "--at", "moment", metavar="TIME", help="With --for: a time of its schedule (default: the last)."
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="PATH",
    help="A file or folder to judge: CSV, Parquet, JSON, captures, gzipped or not. May be repeated.",
)
@click.option(
    "--baseline",
    metavar="PATH",
    help="What files are judged by: data, or a folder with statistics.json and constraints.json. "
    "Without it, they are described and constraints suggested.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("monitor-output"),
    show_default=True,
    help="With --input: the folder for the answer.",
)
@click.option(
    "--schema", type=int, metavar="N", help="With --input: the workspace's schema version that gives types."
)
@click.option(
    "--header/--no-header",
    default=None,
    help="Whether CSV files begin with their columns' names (default: seen by the first line).",
)
@click.option(
    "--mode",
    type=click.Choice(["correct", "compatible"]),
    default="correct",
    envvar="WATCHKEEPER_MODE",
    show_default=True,
    show_envvar=True,
    help="With --input: whose arithmetic and files.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Where it runs.",
)
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="With --input: at once (default: all cores)."
)
@click.option(
    "--min-rows",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="With --input: below it there is no verdict.",
)
@click.option("--start", metavar="TIME", help="With --input and --end: only captures from this time.")
@click.option("--end", metavar="TIME", help="With --input and --start: only captures before this time.")
@click.option(
    "--sensitive",
    multiple=True,
    metavar="COLUMN",
    help="With --input: a column whose values are written nowhere. May be repeated.",
)
@click.option(
    "--examples",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    metavar="N",
    help="With --input: example rows of each violation.",
)
@click.option(
    "--line-limit",
    type=click.IntRange(1),
    default=LINE_LIMIT_MB,
    show_default=True,
    metavar="MB",
    help="With --input: a longer line of text is refused and counted, the others are read.",
)
@workspace_option
@json_option
def run(**typed: Any) -> None:
    """Run MONITOR on files, or on the window of one time of its schedule.

    With --input, data-quality judges files: no project is needed, and the answer is a folder of files.
    With --for, a monitor of the project judges what an endpoint captured.
    Exit code 1 when there are violations, or no verdict.
    """
    options = RunOptions(**typed)
    if bool(options.inputs) == (options.environment is not None):
        raise click.UsageError("want --input PATH or --for ENV, one of them")
    form = "files" if options.inputs else "window"
    _check_form(click.get_current_context(), form)
    judge = cast(Callable[[RunOptions], int], load_named(FORMS[form]))
    sys.exit(judge(options))


def _check_form(context: click.Context, form: str) -> None:
    """Refuse what was typed and the form would not look at. A variable may be set for the other form."""
    for option in context.command.params:
        name = option.name or ""
        own = name in _OF_BOTH or (name in _OF_WINDOWS) == (form == "window")
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE and not own:
            raise click.UsageError(f"{option.opts[0]} means nothing with {_SAYS[form]}")


_OF_BOTH = frozenset({"monitor", "workspace", "as_json"})
_OF_WINDOWS = frozenset({"environment", "moment"})
_SAYS: Mapping[str, str] = MappingProxyType({"window": "--for", "files": "--input"})
