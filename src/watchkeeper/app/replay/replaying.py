"""Requests of a file or a capture folder, sent to an endpoint again, at a rate and spoilt if wanted."""

from __future__ import annotations

import csv
import io
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import orjson

from watchkeeper.adapters.local.client import EndpointClient, Sent
from watchkeeper.app.captures.files import capture_data, files_below, is_capture
from watchkeeper.app.replay.faults import Fault, spoilt
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import NUMERIC, CaptureRecord, Progress, Schema
from watchkeeper.readers.payloads import csv_columns, json_columns, json_document, json_lines
from watchkeeper.readers.records import BadLine, read_capture_lines
from watchkeeper.readers.table_files import text_table

_DOING = "replay"
_NO_ANSWER = 0  # instead of a status


@dataclass(frozen=True, slots=True)
class Request:
    """One request to be sent, with the label that its caller will bring."""

    inference_id: str
    content_type: str
    body: bytes
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How requests are sent: `rate` of them a second, or 0 for as fast as answers come.

    `think` is what a caller waits after an answer, in seconds; `share` the part of the requests that the
    faults are done to; `label_delay` in seconds too.
    """

    rate: float = 0.0
    callers: int = 4
    think: float = 0.0
    faults: tuple[Fault, ...] = ()
    share: float = 1.0
    label_delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was sent and answered; latencies are in seconds, nearest rank, over what was answered."""

    endpoint: str
    requests: int
    spoilt: int
    statuses: dict[str, int]
    seconds: float
    rate: float
    p50: float | None
    p95: float | None
    p99: float | None
    labels: int
    problems: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether a request had no answer, or a 5xx."""
        return any(status.startswith("5") or status == "no answer" for status in self.statuses)


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Where a table has the ids and labels of its rows, if it has."""

    id: str = ""
    label: str = ""


def requests_of(
    source: Path, schema: Schema, columns: TableColumns, *, keep_ids: bool = False
) -> list[Request]:
    """The requests of capture files, as they were asked, or of a table, a row each in the schema's order.

    Each gets an id of its own unless the old ones are to be kept. Raises InputError.
    """
    found = [each for file in files_below(source, _DOING) for each in _read(file, schema, columns)]
    if not found:
        raise InputError(f"{_DOING} {source}: want at least one request, got none")
    if keep_ids:
        return found
    return [replace(each, inference_id=f"replay-{uuid.uuid4()}") for each in found]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked: an endpoint, by its client, whose requests have this schema."""

    client: EndpointClient
    endpoint: str
    schema: Schema


def replay(
    asked: Asked, requests: Sequence[Request], pace: Pace, report: Callable[[Progress], None]
) -> Replayed:
    """Send them in order, each caller one at a time; labels follow after the last answer and the delay."""
    client, endpoint, schema = asked.client, asked.endpoint, asked.schema
    draw = np.random.default_rng(0)
    chosen = [bool(pace.faults) and draw.random() < pace.share for _ in requests]
    state = _State()
    started = time.monotonic()
    with ThreadPoolExecutor(pace.callers) as callers:
        waiting: list[Future[Sent]] = []
        for number, (request, is_spoilt) in enumerate(zip(requests, chosen, strict=True)):
            if pace.rate:
                time.sleep(max(0.0, started + number / pace.rate - time.monotonic()))
            body = _spoilt_body(request, schema, pace.faults) if is_spoilt else request.body
            waiting.append(callers.submit(_send, client, endpoint, replace(request, body=body), pace.think))
            if pace.rate:
                state.take([each for each in waiting if each.done()])
                waiting = [each for each in waiting if not each.done()]
                _say(report, state, len(requests), started)
        for each in as_completed(waiting):
            state.take([each])
            _say(report, state, len(requests), started)
    seconds = time.monotonic() - started
    labelled = [each for each in requests if each.label is not None]
    labels = _bring_labels(client, endpoint, labelled, pace.label_delay, report)
    latencies = np.sort(np.asarray(state.latencies))
    return Replayed(
        endpoint=endpoint,
        requests=len(requests),
        spoilt=sum(chosen),
        statuses={str(code) if code else "no answer": n for code, n in sorted(state.statuses.items())},
        seconds=seconds,
        rate=len(requests) / seconds,
        p50=_rank(latencies, 0.50),
        p95=_rank(latencies, 0.95),
        p99=_rank(latencies, 0.99),
        labels=labels,
        problems=tuple(dict.fromkeys(state.problems))[:5],
    )


@dataclass(slots=True)
class _State:
    """What has been answered so far."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, done: Sequence[Future[Sent]]) -> None:
        for each in done:
            sent = each.result()
            self.statuses[sent.status] += 1
            if sent.status != _NO_ANSWER:
                self.latencies.append(sent.seconds)
            if sent.status != 200:
                self.problems.append(sent.words)


def _send(client: EndpointClient, endpoint: str, request: Request, think: float) -> Sent:
    sent = client.send(endpoint, request.inference_id, request.content_type, request.body)
    time.sleep(think)
    return sent


def _say(report: Callable[[Progress], None], state: _State, total: int, started: float) -> None:
    done = sum(state.statuses.values())
    rate = done / max(time.monotonic() - started, 1e-9)
    others = done - state.statuses[200]
    note = f"{rate:,.0f} a second" + (f", {others:,} not answered with 200" if others else "")
    report(Progress("send", done, total, note))


def _bring_labels(
    client: EndpointClient,
    endpoint: str,
    requests: Sequence[Request],
    delay: float,
    report: Callable[[Progress], None],
) -> int:
    if not requests:
        return 0
    report(Progress("label", 0, len(requests), f"in {delay:g} s" if delay else ""))
    time.sleep(delay)
    entries = [{"inferenceId": each.inference_id, "label": float(each.label or "")} for each in requests]
    client.label(endpoint, orjson.dumps(entries))
    report(Progress("label", len(requests), len(requests)))
    return len(requests)


def _rank(ordered: np.ndarray[tuple[int], np.dtype[np.float64]], share: float) -> float | None:
    """The nearest rank, None of nothing."""
    return float(ordered[max(0, int(np.ceil(share * len(ordered))) - 1)]) if len(ordered) else None


def _read(file: Path, schema: Schema, columns: TableColumns) -> Iterator[Request]:
    data = capture_data(file, _DOING)
    if is_capture(data):
        for number, item in read_capture_lines(file.as_posix(), data):
            if isinstance(item, BadLine):
                raise InputError(f"{_DOING} {file}, line {number}: {item.reason}")
            yield _of_record(item)
        return
    frame = text_table(data, file, _DOING)
    names = [column.name for column in schema.inputs]
    asked = [name for name in (columns.id, columns.label) if name]
    if missing := [name for name in (*names, *asked) if name not in frame.columns]:
        raise InputError(
            f"{_DOING} {file}: want columns {', '.join((*names, *asked))}; missing: {', '.join(missing)}"
        )
    for number, row in enumerate(frame.iter_rows(named=True)):
        identity = row[columns.id] if columns.id else f"row-{number + 1}"
        label = row[columns.label] if columns.label else None
        yield Request(identity, "text/csv", _csv([[row[name] for name in names]]), label)


def _of_record(record: CaptureRecord) -> Request:
    asked = record.input
    if asked is None or asked.encoding == "BASE64":
        got = "it was captured as BASE64" if asked else "its answer alone was captured"
        raise InputError(f"{_DOING} event {record.event_id}: want an input as text, {got}")
    form = {"CSV": "text/csv", "JSON": "application/json"}[asked.encoding]
    return Request(record.join_id, asked.content_type or form, asked.data.encode())


def _csv(rows: Sequence[Sequence[str | None]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([cell or "" for cell in row] for row in rows)
    return text.getvalue().encode()


def _spoilt_body(request: Request, schema: Schema, faults: Sequence[Fault]) -> bytes:
    """The body with the faults done to each of its rows, in the form it had."""
    names, text = [column.name for column in schema.inputs], request.body.decode()
    kind = request.content_type.partition(";")[0]
    try:
        if kind == "text/csv":
            columns = csv_columns(text, names)
        elif kind == "application/json":
            columns = json_columns(json_document(text, "instances"), names)
        else:
            columns = json_columns(json_lines(text), names)
    except ValueError:
        return request.body  # it is not what this schema says, and a fault as it stands
    changed = spoilt(columns, schema, faults)
    rows = list(zip(*changed.values(), strict=True))
    if kind == "text/csv":
        return _csv(rows)
    objects = [_object(dict(zip(changed, row, strict=True)), schema) for row in rows]
    if kind == "application/json":
        return orjson.dumps({"instances": objects})
    return b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in objects)


def _object(row: Mapping[str, str | None], schema: Schema) -> dict[str, object]:
    numeric = {column.name for column in schema.inputs if column.type in NUMERIC}
    return {name: float(cell) if cell and name in numeric else cell for name, cell in row.items()}
