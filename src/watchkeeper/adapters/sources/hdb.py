"""HDB resale prices: from a file, else from the publisher, else a look-alike that says what it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from watchkeeper.adapters.sources import lookalike
from watchkeeper.adapters.sources.datagov import fetch
from watchkeeper.adapters.sources.dataset import Dataset, SourceRequest, dataset
from watchkeeper.core.errors import PlatformError
from watchkeeper.readers.table import Expected, read_table

# Sales before 2015 were published without remaining_lease.
EXPECTED = Expected(lookalike.COLUMNS, optional=frozenset({"remaining_lease"}))

# The licence asks for this notice wherever the data, or figures from it, are shown.
NOTICE = (
    'Contains information from "Resale flat prices based on registration date from Jan-2017 onwards"'
    "{accessed} from the Housing & Development Board via data.gov.sg, which is made available under "
    "the terms of the Singapore Open Data Licence version 1.0 (https://data.gov.sg/open-data-licence)."
)


def load(request: SourceRequest) -> Dataset:
    """Rows in ascending month; within a month the publisher's order.

    Raises InputError for a file that was named and cannot be used. A publisher who cannot be
    reached is no error: the look-alike comes instead, and its description says why.
    """
    path = request.path or request.environment_path
    if path is not None:
        return _from_file(path)
    if not request.online:
        return lookalike.load(request)
    try:
        return _from_api(request)
    except PlatformError as error:
        return lookalike.generate(request.seed, why=f"the publisher could not be asked ({error})")


def _from_file(path: Path) -> Dataset:
    frame = read_table(path, EXPECTED)
    return dataset(
        _by_month(frame), "file", f"{frame.height:,} sales from {path.name}. {NOTICE.format(accessed='')}"
    )


def _from_api(request: SourceRequest) -> Dataset:
    frame = fetch(request.api, EXPECTED)
    notice = NOTICE.format(accessed=f" accessed on {datetime.now(UTC):%-d %B %Y}")
    return dataset(_by_month(frame), "api", f"{frame.height:,} sales from {request.api.url}. {notice}")


def _by_month(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("month", maintain_order=True, nulls_last=True)
