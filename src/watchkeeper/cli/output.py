"""How commands say their answer: one value, as JSON for machines or as text for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from watchkeeper.core.encoding import encode
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.windows import month_start, parse_utc

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """`--json`: the answer as the same JSON that the HTTP API gives."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")(command)


def workspace_option(command: F) -> F:
    """`--workspace`: the folder with the project file and the records."""
    return click.option(
        "--workspace",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        envvar="WATCHKEEPER_WORKSPACE",
        help="Folder with watchkeeper.yaml and the loop's records (default: this folder).",
    )(command)


def check_month(text: str, doing: str) -> str:
    """The text when it is a month. Raises InputError otherwise."""
    try:
        month_start(text)
    except ValueError as error:
        raise InputError(f"{doing}: {error}") from None
    return text


def read_moment(text: str, doing: str) -> datetime:
    """A month or a day as its beginning, else a time with a zone. Raises InputError for any other text."""
    try:
        if len(text) == len("YYYY-MM"):
            return month_start(text)
        return parse_utc(f"{text}T00:00:00Z" if len(text) == len("YYYY-MM-DD") else text)
    except ValueError as error:
        raise InputError(f"{doing}: {error}") from None


def printable(line: str, most: int = 300) -> str:
    """The text on one line, without what a terminal would obey, and cut when it is long."""
    plain = "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)
    return plain if len(plain) <= most else f"{plain[:most]}… ({len(plain):,} characters)"


def answer(value: object, as_json: bool, text: Callable[[], str]) -> None:
    """Print a value as JSON, or what `text` makes of it."""
    if as_json:
        click.echo(encode(value).decode(), nl=False)
    else:
        click.echo(text())


def table(head: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> str:
    """Rows in columns as wide as they need to be; `empty` when there are none."""
    if not rows:
        return empty
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:]])


def write_page(file: Path, text: str) -> None:
    """Write a page under a temporary name first, so that nobody sees half of it."""
    half = file.with_name(f".{file.name}.part")
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(file)
    except OSError as error:
        raise PlatformError(f"write {file}: {error.strerror or error}", retryable=True) from error
