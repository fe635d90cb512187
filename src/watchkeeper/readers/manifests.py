"""Batch-transform manifests (contract 1.4): a JSON list of a prefix and the names below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import orjson

from watchkeeper.core.errors import InputError
from watchkeeper.readers.blobs import Blob, FileBlob

_LONGEST = 16 * 1024 * 1024
_SCHEME = "s3://"
_FILE = "file://"
_CAPTURED = re.compile(r"(^|/)(input|output)/\d{4}/\d\d/\d\d/\d\d/[^/]+$")


def is_manifest(blob: Blob) -> bool:
    """Whether its name is one that manifests have, and it begins as one does."""
    if not blob.name.endswith((".json", ".manifest")):
        return False
    return blob.read(0, min(blob.size(), 200)).lstrip()[:1] == b"[" and bool(_items(blob))


def manifest_base(path: Path) -> Path:
    """The folder below which a manifest's files are looked for: its own, or that of the captures it is of.

    >>> manifest_base(Path("captures/output/2024/01/19/19/5ef1.json")).as_posix()
    'captures'
    """
    match = _CAPTURED.search(path.as_posix())
    return Path(path.as_posix()[: match.start()] or ".") if match else path.parent


def manifest_blobs(blob: Blob, base: Path) -> list[Blob]:
    """The files that a manifest names, in its order, below `base`.

    The object `s3://bucket/a/b` is looked for as `base/bucket/a/b`, `base/a/b` and `base/b`, the first
    that is there. Raises InputError for what is no manifest, a name that leads out of `base`, and a file
    that is not there.
    """
    items = _items(blob)
    if not items:
        raise InputError(
            f'read manifest {blob.name}: want a JSON list that begins with {{"prefix": "s3://…"}} '
            "and goes on with names, got something else"
        )
    return [_found(blob.name, address, base) for address in items]


def _items(blob: Blob) -> list[str]:
    """The addresses, none when it is no manifest."""
    if blob.size() > _LONGEST:
        return []
    try:
        listed = orjson.loads(blob.read())
    except orjson.JSONDecodeError:
        return []
    if not isinstance(listed, list) or len(listed) < 2 or not isinstance(listed[0], dict):
        return []
    prefix, names = listed[0].get("prefix"), listed[1:]
    if not isinstance(prefix, str) or not all(isinstance(name, str) for name in names):
        return []
    return [prefix + name for name in names]


def _found(manifest: str, address: str, base: Path) -> Blob:
    if address.startswith(_FILE):
        raise InputError(
            f"read manifest {manifest}: want names below one folder, got {address}: read that file itself"
        )
    key = PurePosixPath(address.removeprefix(_SCHEME))
    below = key.parts[1:] if address.startswith(_SCHEME) else key.parts
    if ".." in key.parts or key.is_absolute() or "\0" in address:
        raise InputError(f"read manifest {manifest}: want names below one folder, got {address!r}")
    for parts in _places(key.parts, below):
        path = base.joinpath(*parts)
        if path.is_file():
            return FileBlob(path, path.as_posix())
    raise InputError(f"read manifest {manifest}: {address} is not below {base.as_posix()}")


def _places(whole: Sequence[str], below: Sequence[str]) -> list[Sequence[str]]:
    return [parts for parts in (whole, below, below[-1:]) if parts]
