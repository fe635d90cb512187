"""A project file drafted from a file of rows: which columns there are, and what each may be for."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Role
from watchkeeper.core.windows import month_start
from watchkeeper.model.parsing import number
from watchkeeper.readers.gzipped import MAGIC

LOOKED_AT = 10_000  # rows
MOST_CATEGORIES = 100  # of a column whose values are learned one by one

_DOING = "draft a project from"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = frozenset(
    {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
)  # what YAML takes for no text


@dataclass(frozen=True, slots=True)
class Rows:
    """A CSV file with a header, gzipped or not, and which of its columns are the time and the label."""

    path: Path
    time: str
    label: str


@dataclass(frozen=True, slots=True)
class DraftColumn:
    """A column with its role, and the kind of the feature that is made from it; none when empty."""

    name: str
    role: Role
    kind: str = ""


def drafted(template: str, project: str, rows: Rows, folder: Path) -> str:
    """The template's text with the rows' file, columns and features in the place of its own.

    Raises InputError for a file that cannot be read, for a time column without months, a label that is
    no number, and rows that leave nothing to learn from.
    """
    columns = _columns(rows)
    if not any(column.role is Role.FEATURE and column.kind for column in columns):
        raise InputError(
            f"{_DOING} {rows.path}: want a column to learn from beside {rows.time}, {rows.label}"
        )
    blocks = {
        "  files": f'  files: ["{_reached(rows.path, folder)}"]\n',
        **column_blocks(project, columns),
    }
    return with_blocks(template, blocks)


def column_blocks(project: str, columns: Sequence[DraftColumn]) -> dict[str, str]:
    """The blocks of a project file that columns decide, by the key that each begins with."""
    (time,) = [column.name for column in columns if column.role is Role.TIME]
    (label,) = [column.name for column in columns if column.role is Role.LABEL]
    features = [column for column in columns if column.kind]
    return {
        "project": f"project: {project}\n",
        "  time": f"  time: {_name(time)}    # as YYYY-MM\n",
        "  label": f"  label: {_name(label)}\n",
        "  columns": "  columns:    # in their order on the wire, with their roles: drafted, look at them\n"
        + "".join(f"    {_name(column.name)}: {column.role}\n" for column in columns),
        "  features": "  features:    # what the model reads: drafted, look at them\n"
        + "".join(
            f"    - {{name: {_name(each.name)}, kind: {each.kind}, columns: [{_name(each.name)}]}}\n"
            for each in features
        ),
    }


def with_blocks(template: str, blocks: Mapping[str, str]) -> str:
    """The text with each block in the place of the template's own."""
    text = template
    for key, block in blocks.items():
        deeper = " " * (len(key) - len(key.lstrip()) + 1)
        before, _, after = re.split(rf"(?m)^({key}:.*\n(?:{deeper}+\S.*\n)*)", text, maxsplit=1)
        text = before + block + after
    return text


def project_name(folder: Path) -> str:
    """What a project in this folder is called: lower-case letters, digits and `-`.

    >>> project_name(Path("My Prices_2"))
    'my-prices-2'
    """
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return name if name[:1].isalpha() else f"project-{name}".strip("-")


def _columns(rows: Rows) -> list[DraftColumn]:
    header, *found = _read(rows.path)
    for what, name in (("time", rows.time), ("label", rows.label)):
        if name not in header:
            raise InputError(
                f'{_DOING} {rows.path}: want the {what} column "{name}", got {", ".join(header)}'
            )
    if not found:
        raise InputError(f"{_DOING} {rows.path}: want rows, got the header line only")
    values = {name: [row[place] for row in found if row[place]] for place, name in enumerate(header)}
    for text in values[rows.time] or [""]:
        _check(rows, rows.time, text, month_start)
    for text in values[rows.label] or [""]:
        _check(rows, rows.label, text, number)
    return [_column(rows, name, values[name]) for name in header]


def _check(rows: Rows, name: str, text: str, read: Callable[[str], object]) -> None:
    try:
        read(text)
    except ValueError as error:
        raise InputError(f'{_DOING} {rows.path}, column "{name}": {error}') from None


def _column(rows: Rows, name: str, values: Sequence[str]) -> DraftColumn:
    if name == rows.time:
        return DraftColumn(name, Role.TIME, "month")
    if name == rows.label:
        return DraftColumn(name, Role.LABEL)
    if values and all(map(_is_number, values)):
        return DraftColumn(name, Role.FEATURE, "number")
    if values and len(set(values)) <= MOST_CATEGORIES:
        return DraftColumn(name, Role.FEATURE, "mean_target")
    return DraftColumn(name, Role.TEXT)


def _is_number(text: str) -> bool:
    try:
        number(text)
    except ValueError:
        return False
    return True


def _read(path: Path) -> list[list[str]]:
    """The header and the first rows, all of its width."""
    try:
        with closing(_opened(path)) as file:
            reader = csv.reader(file, strict=True)
            return list(_rows(path, reader))
    except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{_DOING} {path}: want a CSV file with a header, in UTF-8: {error}") from None
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise InputError(f"{_DOING} {path}: there is no such file") from None
    except OSError as error:
        raise PlatformError(f"{_DOING} {path}: {error.strerror or error}", retryable=True) from error


def _rows(path: Path, reader: Iterator[list[str]]) -> Iterator[list[str]]:
    header = next(reader, [])
    if len(set(header)) != len(header) or not all(header):
        raise InputError(f"{_DOING} {path}: want a header with each column's name once, got {header}")
    yield header
    for row in islice((row for row in reader if row), LOOKED_AT):
        if len(row) != len(header):
            raise InputError(f"{_DOING} {path}: want {len(header)} fields in each row, got {len(row)}: {row}")
        yield row


def _opened(path: Path) -> TextIO:
    with path.open("rb") as file:
        packed = file.read(len(MAGIC)) == MAGIC
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _reached(path: Path, folder: Path) -> str:
    found = path.resolve()
    inside = found.is_relative_to(folder.resolve())
    return (found.relative_to(folder.resolve()) if inside else found).as_posix()


def _name(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text)
