"""Rows of a dataset on data.gov.sg, page by page, within its limits.

The form of request and answer is that of the developer guide (guide.data.gov.sg, "Dataset
APIs"), which follows CKAN's `datastore_search`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import polars as pl

from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Progress
from watchkeeper.readers.table import Expected

_OVERUSE = 24  # the `code` of a body without `result`: too many requests


@dataclass(frozen=True, slots=True)
class Api:
    """Whom to ask and how patiently. Without a key five requests a minute are allowed."""

    url: str = "https://data.gov.sg/api/action/datastore_search"
    resource: str = "d_8b84c4ee58e3cfc0ece0d773c8ca6abc"
    key: str | None = None
    page: int = 32_000  # rows asked for; a server that gives fewer is asked again from there
    connect_seconds: float = 2.0
    read_seconds: float = 60.0
    pause_seconds: float = 15.0  # after an answer of over-use that does not say how long
    pauses: int = 20
    retries: int = 3  # of a page whose answer broke off; the pause before each is twice the one before
    sleep: Callable[[float], None] = time.sleep


def no_report(_: Progress) -> None:
    """Progress that nobody looks at."""


def fetch(
    api: Api,
    expected: Expected,
    report: Callable[[Progress], None] = no_report,
    kept: Path | None = None,
) -> pl.DataFrame:
    """All rows, as text columns in the expected order.

    With `kept`, a folder, each page is kept there until the caller removes it, and those that are there are
    not asked for again. Raises PlatformError when the publisher cannot be reached, answers with an error, or
    changes the dataset between two pages; InputError when the columns are not the expected ones.
    """
    timeout = httpx.Timeout(api.read_seconds, connect=api.connect_seconds)
    headers = {"x-api-key": api.key} if api.key else {}
    records: list[Mapping[str, Any]] = []
    total, pauses = 1, api.pauses
    with httpx.Client(timeout=timeout, headers=headers) as client:
        while len(records) < total:
            offset = len(records)
            answer = _read_kept(kept, offset)
            if answer is None:
                answer, pauses = _page(client, api, offset, pauses)
                _keep(kept, offset, answer)
            total = int(answer["total"])
            if not answer["records"]:
                break
            records += answer["records"]
            report(Progress("fetch", len(records), total, "rows"))
    _check_whole(api, records, total)
    return _frame(api, records, expected)


def _page(client: httpx.Client, api: Api, offset: int, pauses: int) -> tuple[Mapping[str, Any], int]:
    """One page's `result`, and how many pauses are left."""
    query: dict[str, str | int] = {"resource_id": api.resource, "limit": api.page, "offset": offset}
    for left in range(pauses, -1, -1):
        response = _asked(client, api, query)
        body = _body(api, response)
        if body is not None:
            return body, left
        if left:
            api.sleep(_pause(api, response))
    raise _failed(api, f"asked to slow down at row {offset}, {api.pauses} times in all")


def _asked(client: httpx.Client, api: Api, query: Mapping[str, str | int]) -> httpx.Response:
    """The answer; one that broke off is asked for again, one that never began is not."""
    for left in range(api.retries, -1, -1):
        try:
            return client.get(api.url, params=query)
        except httpx.HTTPError as error:
            if not left or isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
                raise _failed(api, f"{type(error).__name__}: {error}") from error
            api.sleep(2.0 ** (api.retries - left))
    raise AssertionError("unreachable")


def _page_file(kept: Path, offset: int) -> Path:
    return kept / f"{offset:09d}.json"


def _read_kept(kept: Path | None, offset: int) -> Mapping[str, Any] | None:
    if kept is None or not _page_file(kept, offset).exists():
        return None
    found: Mapping[str, Any] = orjson.loads(_page_file(kept, offset).read_bytes())
    return found


def _keep(kept: Path | None, offset: int, answer: Mapping[str, Any]) -> None:
    if kept is None:
        return
    try:
        kept.mkdir(parents=True, exist_ok=True)
        whole = _page_file(kept, offset)
        part = whole.with_suffix(".part")
        part.write_bytes(orjson.dumps({"total": answer["total"], "records": answer["records"]}))
        part.replace(whole)
    except OSError as error:
        raise PlatformError(f"keep a page in {kept}: {error.strerror or error}", retryable=True) from error


def _body(api: Api, response: httpx.Response) -> Mapping[str, Any] | None:
    """The answer's `result`; None when the server asks for a pause."""
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return None
    if response.status_code != httpx.codes.OK:
        raise _failed(api, f"want status 200, got {response.status_code}")
    try:
        body = response.json()
    except ValueError:
        raise _failed(api, f'want a JSON object, got "{response.text[:40]}"') from None
    match body:
        case {"code": code} if code == _OVERUSE and "result" not in body:
            return None
        case {"success": True, "result": {"records": list(), "total": int()}}:
            result: Mapping[str, Any] = body["result"]
            return result
    raise _failed(api, f"want success with result.records and result.total, got {str(body)[:80]}")


def _pause(api: Api, response: httpx.Response) -> float:
    after = response.headers.get("retry-after", "")
    return min(float(after), 60.0) if after.isdecimal() else api.pause_seconds


def _check_whole(api: Api, records: list[Mapping[str, Any]], total: int) -> None:
    ids = [record["_id"] for record in records if "_id" in record]
    if not records or len(records) != total or len(set(ids)) != len(ids):
        raise _failed(api, f"want {total} rows, each once, got {len(records)}: the dataset changed meanwhile")


def _frame(api: Api, records: list[Mapping[str, Any]], expected: Expected) -> pl.DataFrame:
    present = {column for record in records[:1] for column in record}
    missing = [c for c in expected.columns if c not in present and c not in expected.optional]
    if missing:
        raise InputError(
            f"read {api.url}: column {', '.join(missing)} is missing; got {', '.join(sorted(present))}"
        )
    columns = {name: [_text(record.get(name)) for record in records] for name in expected.columns}
    return pl.DataFrame(columns, schema=dict.fromkeys(expected.columns, pl.String))


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _failed(api: Api, reason: str) -> PlatformError:
    return PlatformError(f"read dataset {api.resource} from {api.url}: {reason}", retryable=True)
