"""Bytes that may be gzipped: seen by how they begin, never by a name."""

from __future__ import annotations

import gzip
import zlib

from watchkeeper.core.errors import InputError

MAGIC = b"\x1f\x8b"


def inflated(data: bytes, doing: str) -> bytes:
    """The bytes, inflated where they are gzipped. Raises InputError, which begins with `doing`.

    >>> inflated(b"plain", "read rows")
    b'plain'
    """
    if not data.startswith(MAGIC):
        return data
    try:
        return gzip.decompress(data)
    except EOFError:
        raise InputError(f"{doing}: the gzip file is cut off; copy it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{doing}: the gzip file is damaged: {error}") from None
