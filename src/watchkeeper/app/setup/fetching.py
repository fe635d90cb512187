"""A copy of the publisher's file, page by page; one that was interrupted goes on where it was."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.adapters.sources.datagov import Api, fetch
from watchkeeper.adapters.sources.hdb import EXPECTED
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Progress


@dataclass(frozen=True, slots=True)
class Fetched:
    """The file that was written; `digest` is that of the rows as CSV, gzipped or not."""

    file: str
    url: str
    resource: str
    rows: int
    first: str
    last: str
    digest: str


def fetch_data(out: Path, api: Api, report: Callable[[Progress], None]) -> Fetched:
    """Ask the publisher for all rows and write them as CSV, gzipped where the name ends in `.gz`.

    Pages are kept in a folder beside `out` until it is there, so that running it again after an interruption
    asks for the rest alone. Raises InputError for a file that is there, and for columns that are not the
    expected ones; PlatformError when the publisher cannot be reached or changed the data meanwhile.
    """
    if out.exists():
        raise InputError(f"fetch data into {out}: want a name that is free, the file is there")
    kept = out.with_name(f".{out.name}.pages")
    try:
        frame = fetch(api, EXPECTED, report, kept)
    except PlatformError as error:
        if "changed meanwhile" in str(error):
            shutil.rmtree(kept, ignore_errors=True)
        raise
    frame = frame.sort("month", maintain_order=True, nulls_last=True)
    text = frame.write_csv().encode()
    part = out.with_name(f".part-{out.name}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(gzip.compress(text, mtime=0) if out.suffix == ".gz" else text)
        part.replace(out)
    except OSError as error:
        raise PlatformError(f"write {out}: {error.strerror or error}", retryable=True) from error
    shutil.rmtree(kept, ignore_errors=True)
    months = frame["month"].drop_nulls()
    return Fetched(
        file=str(out),
        url=api.url,
        resource=api.resource,
        rows=frame.height,
        first=str(months.min()),
        last=str(months.max()),
        digest=digest(text),
    )
