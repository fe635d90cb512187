"""Score files, and leave rows and answers as a batch transform that captures its data does."""

from __future__ import annotations

import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from watchkeeper.app.registry.artefacts import version_in_store
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import NUMERIC, Actor, Progress, Schema
from watchkeeper.model.artefact import Model
from watchkeeper.model.parsing import json_number
from watchkeeper.readers.blobs import Blob, blobs_of
from watchkeeper.readers.parts import (
    LINE,
    CaptureLayout,
    CsvLayout,
    JsonLayout,
    Layout,
    Part,
    cut,
    data_columns,
    layout_of,
    load,
    match_columns,
)
from watchkeeper.readers.table_files import as_text
from watchkeeper.render.transform import Destination, Scored, csv_rows, json_rows, manifest
from watchkeeper.serving.codec import Wire, check_numbers
from watchkeeper.serving.predicting import predictions

PIECE_BYTES = 64 * 1024 * 1024  # a file of answers that is longer goes on in another
_DOING = "score"


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """Whose rows they are, and how they are scored.

    `version` is the model's, None for the one that the environment serves. `id_column` names the column
    with each row's inference id, by which labels are joined; without one every row gets an id of its own.
    `header` says whether CSV files begin with their columns' names, None for what they look like.
    """

    environment: str
    actor: Actor
    version: int | None = None
    id_column: str = ""
    header: bool | None = None


@dataclass(frozen=True, slots=True)
class BatchJob:
    """What a job did; `outputs` and the manifests are keys of the store.

    `unseen` counts the cells with categories that the model's training rows did not have, by feature.
    """

    environment: str
    endpoint: str
    model_version: int
    schema_version: int
    started: datetime
    files: int
    rows: int
    unseen: dict[str, int]
    outputs: tuple[str, ...]
    output_manifest: str
    input_manifest: str


@dataclass(slots=True)
class _Job:
    """A job at work: what it scores with, where its files lie until it is done, and what it has counted."""

    model: Model
    order: BatchOrder
    who: str
    started: datetime
    scratch: Path
    mask: frozenset[str] = frozenset()
    files: int = 0
    rows: int = 0
    unseen: Counter[str] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        return self.model.schema


def score_files(
    target: Target, paths: Sequence[str], order: BatchOrder, report: Callable[[Progress], None]
) -> BatchJob:
    """Score every row of the files, and of those in folders; all of it is stored, or nothing.

    CSV and Parquet files give CSV, JSON Lines give JSON Lines: the rows' inputs, the prediction, the
    inference id and the job's start. Further columns are left out, and cells of columns that the project has
    masked in captures. Raises InputError for a line that cannot be read, a column that is missing, and a
    value that the model cannot read.
    """
    endpoint = target.project.endpoint(order.environment)
    version = order.version or _serving(target, order.environment)
    model = version_in_store(target.store, version)
    blobs = blobs_of(paths)
    folder, names = _below_one(blobs)
    started = target.clock.now().replace(microsecond=0)
    with tempfile.TemporaryDirectory(prefix="watchkeeper-batch-") as scratch:
        who = f"{endpoint}, model version {version}"
        mask = target.project.environment(order.environment).capture_policy(order.environment).mask
        job = _Job(model, order, who, started, Path(scratch), frozenset(mask))
        for blob, name in zip(blobs, names, strict=True):
            _score(job, blob, name, report)
        return _store(target, job, version, _input_manifest(folder, names))


def _serving(target: Target, environment: str) -> int:
    found = catalogue(target.store).serving(environment)
    if found is None:
        raise InputError(f"{_DOING} rows: {environment} serves no model; want --model, or promote one")
    return found.version


def _below_one(blobs: Sequence[Blob]) -> tuple[Path, list[str]]:
    """The folder that all files lie in, and what they are called below it."""
    paths = [Path(blob.name).absolute() for blob in blobs]
    folder = paths[0].parent
    while not all(path.is_relative_to(folder) for path in paths):
        folder = folder.parent
    return folder, [path.relative_to(folder).as_posix() for path in paths]


def _score(job: _Job, blob: Blob, name: str, report: Callable[[Progress], None]) -> None:
    layout = _layout(job, blob)
    done, pieces = 0, _Pieces(job, name)
    report(Progress(name, 0, None))
    for chunk in cut(blob, layout):
        for part in load(chunk):
            _refuse_bad(part)
            pieces.add(_scored(job, part, layout))
            done += part.frame.height
            report(Progress(name, done, None))
    pieces.end()
    if not done:
        raise InputError(f"{_DOING} {blob.name}: want rows, got none")
    report(Progress(name, done, done))
    job.files += 1
    job.rows += done


def _layout(job: _Job, blob: Blob) -> Layout:
    header, found = job.order.header, layout_of(blob)
    if isinstance(found, CaptureLayout):
        raise InputError(f"{_DOING} {blob.name}: want rows, got captures, which were answered already")
    if isinstance(found, CsvLayout) and not (found.header if header is None else header):
        names = tuple(column.name for column in job.schema.inputs)
        return CsvLayout(header=False, names=names)
    return CsvLayout() if isinstance(found, CsvLayout) else found


def _refuse_bad(part: Part) -> None:
    if part.bad:
        first = part.bad[0]
        raise InputError(
            f"{_DOING} {first.key}, line {first.line_number}: {first.reason}; nothing was stored"
        )


def _scored(job: _Job, part: Part, layout: Layout) -> bytes:
    """A part's rows with their answers, as they are written."""
    names = [column.name for column in job.schema.inputs]
    texts = as_text(_wanted(job, part, names))
    columns = {name: [cell or None for cell in texts[name].to_list()] for name in names}
    if not texts.height:
        return b""
    ids = _ids(job, part, texts)
    try:
        check_numbers(columns, Wire.of(job.schema))
        found = predictions(job.model, columns, job.who)
    except (InputError, ValueError) as error:
        first = part.frame[LINE][0]
        raise InputError(
            f"{_DOING} {part.name}, rows counted from line {first}: {error}; nothing was stored"
        ) from None
    job.unseen.update(found.unseen)
    shown = {name: [None] * len(ids) if name in job.mask else cells for name, cells in columns.items()}
    if isinstance(layout, JsonLayout):
        values = _json_values(job.schema, shown)
        return json_rows(Scored(values, found.values, ids), job.schema.prediction.name, job.started)
    return csv_rows(Scored(shown, found.values, ids), job.started)


def _wanted(job: _Job, part: Part, names: Sequence[str]) -> pl.DataFrame:
    """The inputs, and the column with the ids where one is named."""
    wanted = list(dict.fromkeys([*names, *([job.order.id_column] if job.order.id_column else [])]))
    match = match_columns(wanted, data_columns(part.frame), ordered=False)
    if match.missing:
        near = "".join(f" (is it {theirs}?)" for _, theirs in match.renamed[:1])
        missing = ", ".join(match.missing)
        raise InputError(f"{_DOING} {part.name}: want columns {', '.join(wanted)}; missing: {missing}{near}")
    return pl.DataFrame([part.frame[name] for name in wanted])


def _ids(job: _Job, part: Part, texts: pl.DataFrame) -> list[str]:
    if not job.order.id_column:
        return [str(uuid.uuid4()) for _ in range(texts.height)]
    found = texts[job.order.id_column].to_list()
    if not all(found):
        line = part.frame[LINE][found.index(next(id_ for id_ in found if not id_))]
        raise InputError(f'{_DOING} {part.name}, line {line}: want an id in column "{job.order.id_column}"')
    return found


def _json_values(
    schema: Schema, columns: Mapping[str, Sequence[str | None]]
) -> dict[str, Sequence[str | int | float | None]]:
    numbers = frozenset(column.name for column in schema.inputs if column.type in NUMERIC)
    return {
        name: [json_number(cell) if cell else None for cell in cells] if name in numbers else cells
        for name, cells in columns.items()
    }


@dataclass(slots=True)
class _Pieces:
    """The answers to one file while they are gathered: `rows.csv.out`, then `rows.csv.out.2` and so on."""

    job: _Job
    name: str
    _held: list[bytes] = field(default_factory=list)
    _bytes: int = 0
    _number: int = 0

    def add(self, rows: bytes) -> None:
        self._held.append(rows)
        self._bytes += len(rows)
        if self._bytes >= PIECE_BYTES:
            self.end()

    def end(self) -> None:
        """Write what is held where it waits for the job's end."""
        if not self._bytes:
            return
        self._number += 1
        name = f"{self.name}.out" if self._number == 1 else f"{self.name}.out.{self._number}"
        path = self.job.scratch / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(self._held))
        except OSError as error:
            raise PlatformError(f"{_DOING} rows: write {path}: {error.strerror}", retryable=True) from error
        self.job.names.append(name)
        self._held, self._bytes = [], 0


def _store(target: Target, job: _Job, version: int, inputs: bytes) -> BatchJob:
    """Store the answers, then the manifests, which therefore name nothing that is not there."""
    order, schema = job.order, job.schema
    endpoint = target.project.endpoint(order.environment)
    where = Destination(order.environment, schema.version, endpoint)
    unique = str(uuid.uuid4())
    folder = f"transform/{unique}/"
    digests = {}
    for name in job.names:
        data = (job.scratch / name).read_bytes()
        digests[name] = digest(data)
        target.store.create(f"{where.prefix}{folder}{name}", data)
    sides = {"output": manifest(folder, job.names), "input": inputs}
    keys = {side: where.manifest_key(side, job.started, unique) for side in sides}
    for side, data in sides.items():
        target.store.create(keys[side], data)
    done = BatchJob(
        environment=order.environment,
        endpoint=endpoint,
        model_version=version,
        schema_version=schema.version,
        started=job.started,
        files=job.files,
        rows=job.rows,
        unseen=dict(sorted(job.unseen.items())),
        outputs=tuple(f"{where.prefix}{folder}{name}" for name in job.names),
        output_manifest=keys["output"],
        input_manifest=keys["input"],
    )
    what = f"{job.rows:,} rows of {job.files:,} files by model version {version}"
    target.trail.append(
        Event(
            action="batch.score",
            subject=endpoint,
            actor=order.actor,
            time=job.started,
            why=f"{what}: {keys['output']}",
            after=digest(sorted(digests.items())),
        )
    )
    return done


def _input_manifest(folder: Path, names: Sequence[str]) -> bytes:
    """Where the rows came from, as addresses of this machine's files."""
    if len(names) == 1:
        return manifest((folder / names[0]).as_uri(), [""])
    return manifest(f"{folder.as_uri()}/", names)
