"""Samples as Prometheus' remote write 1.0 sends them: a protobuf message, before it is compressed.

Source: prometheus.io/docs/specs/prw/remote_write_spec and protobuf.dev/programming-guides/encoding. The
message has few fields, so it is written here; the compression is a library's.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from datetime import datetime

from watchkeeper.core.values import Sample, newest

_LENGTH, _FIXED64, _VARINT = 2, 1, 0  # wire types


def write_request(samples: Sequence[Sample], at: datetime) -> bytes:
    """A `WriteRequest` with the newest sample of each series, all of them as of `at`.

    Labels are sorted by name, as receivers want them. Raises ValueError for a value that is not finite.
    """
    return b"".join(_field(1, _series(sample, at)) for sample in newest(samples))


def _series(sample: Sample, at: datetime) -> bytes:
    if not math.isfinite(sample.value):
        raise ValueError(f"write {sample.metric}: want a finite value, got {sample.value}")
    labels = sorted([("__name__", sample.metric), *sample.labels])
    value = _key(1, _FIXED64) + struct.pack("<d", sample.value)
    value += _key(2, _VARINT) + _varint(round(at.timestamp() * 1000))
    return b"".join(_field(1, _label(name, text)) for name, text in labels) + _field(2, value)


def _label(name: str, value: str) -> bytes:
    return _field(1, name.encode()) + _field(2, value.encode())


def _field(number: int, data: bytes) -> bytes:
    return _key(number, _LENGTH) + _varint(len(data)) + data


def _key(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    return bytes(_bytes_of(value))


def _bytes_of(value: int) -> Iterable[int]:
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value
