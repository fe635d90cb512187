"""What is fed with any bytes: each reader, and what it may raise. Anything else that it raises is a crash."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Column, ColumnType, Role, Schema
from watchkeeper.readers import contract
from watchkeeper.readers.blobs import BytesBlob
from watchkeeper.readers.manifests import is_manifest, manifest_blobs
from watchkeeper.readers.parts import (
    CaptureLayout,
    CsvLayout,
    JsonLayout,
    Layout,
    Limits,
    ParquetLayout,
    cut,
    layout_of,
    load,
)

MAY_RAISE = (InputError, PlatformError)

_LINE, _DOCUMENT = 4_096, 65_536
_SMALL = Limits(chunk_bytes=64, line_bytes=_LINE, document_bytes=_DOCUMENT, part_rows=16)
_HALVES = Limits(chunk_bytes=30_000, line_bytes=_LINE, document_bytes=_DOCUMENT, part_rows=100)
_LARGE = Limits(line_bytes=_LINE, document_bytes=_DOCUMENT)
_SCHEMA = Schema(
    1,
    (
        Column("predicted", ColumnType.FRACTIONAL, Role.PREDICTION),
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("area", ColumnType.FRACTIONAL, Role.FEATURE),
        Column("price", ColumnType.FRACTIONAL, Role.LABEL),
    ),
)
_RECORD = (
    b'{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"A,1","encoding":'
    b'"CSV"},"endpointOutput":{"observedContentType":"text/csv","mode":"OUTPUT","data":"1","encoding":"CSV"}},'
    b'"eventMetadata":{"eventId":"e","inferenceTime":"2020-01-01T00:00:00Z"},"eventVersion":"0"}\n'
)
_MERGED = _RECORD.replace(
    b'"eventVersion"', b'"groundTruthData":{"data":"1","encoding":"CSV"},"eventVersion"'
)
_BY_NAME = _RECORD.replace(
    b'"data":"A,1","encoding":"CSV"', b'"data":"{\\"instances\\":[{\\"town\\":\\"A\\"}]}","encoding":"JSON"'
)
_BATCH = (
    b'{"eventMetadata":{"eventId":"e"},"captureData":{"batchTransformOutput":{"data":'
    b'"{\\"SageMakerOutput\\":{\\"predicted\\":1},\\"features\\":[\\"A\\",1]}","encoding":"JSON"}}}\n'
)


@dataclass(frozen=True, slots=True)
class Target:
    """A reader of bytes, and inputs to begin with."""

    feed: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def read(data: bytes, *layouts: Layout, cut_at: Limits = _SMALL) -> None:
    """All rows, cut small and cut large, which must agree."""
    for layout in layouts:
        with suppress(*MAY_RAISE):
            small, large = _counts(data, layout, cut_at), _counts(data, layout, _LARGE)
            assert small == large, f"{layout}: cut small {small}, cut large {large}"


def _counts(data: bytes, layout: Layout, limits: Limits) -> tuple[int, int, int]:
    parts = [part for chunk in cut(BytesBlob("fuzz", data), layout, limits) for part in load(chunk)]
    assert parts
    for part in parts:
        assert part.frame.height <= limits.part_rows
        assert "_line" in part.frame.columns
        assert len(part.bad) <= part.bad_count
    rows = sum(part.frame.height for part in parts)
    lines = sum(int(part.frame["_line"].sum()) for part in parts)
    return rows, lines, sum(part.bad_count for part in parts)


def _csv(data: bytes) -> None:
    read(data, CsvLayout(header=True), CsvLayout(header=False), CsvLayout(header=False, names=("a", "b")))
    read(data, CsvLayout(header=False, joined=True), CsvLayout(header=False, names=("a",), joined=True))


def _json_lines(data: bytes) -> None:
    read(data, JsonLayout(lines=True), JsonLayout(lines=True, names=("a", "b")))


def _json(data: bytes) -> None:
    read(data, JsonLayout(lines=False), JsonLayout(lines=False, names=("a",)))


def _captures(data: bytes) -> None:
    read(data, CaptureLayout(_SCHEMA), CaptureLayout())
    read(_RECORD * 120 + data, CaptureLayout(_SCHEMA), cut_at=_HALVES)  # enough of them to be read together
    asked = data[:40].replace(b"\n", b"\\n")
    read(_RECORD.replace(b"A,1", asked) * 120, CaptureLayout(_SCHEMA), cut_at=_HALVES)


def _parquet(data: bytes) -> None:
    read(data, ParquetLayout())


def _any(data: bytes) -> None:
    with suppress(*MAY_RAISE):
        blob = BytesBlob("fuzz", data)
        layout = layout_of(blob)
        if is_manifest(blob):
            manifest_blobs(blob, Path("/nonexistent"))
        read(data, layout)


def _gzip(data: bytes) -> None:
    read(gzip.compress(data), CsvLayout(header=False), JsonLayout(lines=True), CaptureLayout(_SCHEMA))
    read(b"\x1f\x8b\x08\x00" + data, CsvLayout(), JsonLayout(lines=False))


def _contract(data: bytes) -> None:
    for file in (
        contract.data_quality_statistics,
        contract.data_quality_constraints,
        contract.quality_statistics,
        contract.quality_constraints,
        contract.violations,
    ):
        with suppress(*MAY_RAISE):
            file(data, "fuzz")


def _parquet_bytes() -> bytes:
    data = io.BytesIO()
    pl.DataFrame({"a": [1, None], "b": ["x", "y"], "c": [1.5, 2.5]}).write_parquet(data)
    return data.getvalue()


_CONSTRAINTS = (
    b'{"version":0.0,"features":[{"name":"a","inferred_type":"Integral","completeness":1.0,'
    b'"num_constraints":{"is_non_negative":true}}],"monitoring_config":{"evaluate_constraints":"Enabled"}}'
)
_STATISTICS = (
    b'{"version":0.0,"dataset":{"item_count":1},"features":[{"name":"a","inferred_type":"Integral",'
    b'"numerical_statistics":{"common":{"num_present":1,"num_missing":0},"mean":1.0,"sum":1.0,"std_dev":0.0,'
    b'"min":1.0,"max":1.0,"distribution":{"kll":{"buckets":[{"lower_bound":1.0,"upper_bound":1.0,"count":1.0}],'
    b'"sketch":{"parameters":{"c":0.64,"k":2048.0},"data":[[1.0]]}}}}}]}'
)

TARGETS: dict[str, Target] = {
    "csv": Target(_csv, (b'a,b\n1,"x\n""y"\r\n3,4\r5', b"\xef\xbb\xbfa,b\n\n1,2")),
    "json-lines": Target(_json_lines, (b'{"a":1,"b":null}\n{"a":"x","b":2.5}\n', b'{"a":{}}\n[1]\n')),
    "json": Target(_json, (b'[{"a":1},{"a":null}]', b'{"instances":[{"a":true}]}')),
    "captures": Target(
        _captures, (_RECORD, _MERGED, _BY_NAME, _BATCH, _RECORD.replace(b"A,1", b"A,1\\nB,2"))
    ),
    "parquet": Target(_parquet, (_parquet_bytes(),)),
    "gzip": Target(_gzip, (b'a,b\n1,2\n{"a":1}\n', gzip.compress(b"a,b\n1,2\n"))),
    "any": Target(_any, (b'[{"prefix":"s3://b/"},"x"]', b"a,b\n1,2", b'{"a":1}', _RECORD)),
    "contract": Target(_contract, (_CONSTRAINTS, _STATISTICS, b'{"violations":[]}')),
}
