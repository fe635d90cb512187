"""Which data a command works on: `--data`, else the environment, else what the project's source finds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from watchkeeper.adapters.sources.dataset import SourceRequest

F = TypeVar("F", bound=Callable[..., Any])

VARIABLE = "WATCHKEEPER_HDB_CSV"
OFFLINE = "WATCHKEEPER_OFFLINE"


def data_option(command: F) -> F:
    """`--data FILE`."""
    return click.option(
        "--data",
        "path",
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"Rows to use (default: what the project's source finds; of hdb ${VARIABLE}, else the "
        f"publisher's API, unless ${OFFLINE} is 1, else a look-alike).",
    )(command)


def source_request(path: Path | None, seed: int = 0) -> SourceRequest:
    """What to ask the project's source for."""
    named = os.environ.get(VARIABLE)
    return SourceRequest(
        path=path,
        environment_path=Path(named) if named else None,
        online=os.environ.get(OFFLINE) != "1",
        seed=seed,
    )
