"""Registered models, from the store into memory, and rows as they read them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from watchkeeper.app.registry.catalogue import artefact_prefix, catalogue
from watchkeeper.core.errors import InputError, IntegrityError
from watchkeeper.core.ports import Store
from watchkeeper.model.artefact import Model, artefact_digest, load
from watchkeeper.model.features import Columns


def load_version(store: Store, version: int, digest: str) -> Model:
    """The model of a version, checked to be the artefact with this digest.

    Raises InputError when the store has none, IntegrityError when it is another one.
    """
    prefix = artefact_prefix(version)
    with tempfile.TemporaryDirectory(prefix="watchkeeper-") as name:
        folder = Path(name)
        for key in store.list(prefix):
            file = folder / key.removeprefix(prefix)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(store.read(key))
        found = artefact_digest(folder)
        if found != digest:
            raise IntegrityError(
                f"load model v{version}: want the artefact with digest {digest[:12]}…, got {found[:12]}…"
            )
        return load(folder)


def version_in_store(store: Store, version: int) -> Model:
    """The model of a version on record, with the errors of `load_version`."""
    return load_version(store, version, catalogue(store).version(version).digest)


def columns_of(model: Model, rows: pl.DataFrame, doing: str) -> Columns:
    """The columns that a model reads, as text. Raises InputError where the rows lack one."""
    lacking = [name for name in model.columns if name not in rows.columns]
    if lacking:
        raise InputError(f"{doing}: the model reads {', '.join(lacking)}, which the rows have not")
    return {name: rows[name].cast(pl.String).to_list() for name in model.columns}
