"""What every source gives, and what it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from watchkeeper.adapters.sources.datagov import Api
from watchkeeper.core.encoding import digest


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """Where to look, in this order: `path`, `environment_path`, the publisher's API when `online`.

    A path that is given and cannot be read is an error, never a reason to look further.
    `environment_path` is the caller's environment variable; a source reads none itself. `own` are the files
    that the project names itself, and `time` its time column.
    """

    path: Path | None = None
    environment_path: Path | None = None
    online: bool = False
    seed: int = 0
    api: Api = field(default_factory=Api)
    own: tuple[Path, ...] = ()
    time: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows of text columns, where they come from in a word and in a sentence, and their digest.

    `source` is `file`, `api` or `look-alike`. `digest` is the sha256 of the rows as CSV (header,
    commas, LF), so a file and its gzip have the same.
    """

    frame: pl.DataFrame
    source: str
    description: str
    digest: str


def dataset(frame: pl.DataFrame, source: str, description: str) -> Dataset:
    """The rows with their digest."""
    return Dataset(frame, source, description, digest(frame.write_csv().encode()))
