"""Registered models, from the store into memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

from watchkeeper.app.models import artefact_prefix
from watchkeeper.core.errors import IntegrityError
from watchkeeper.core.ports import Store
from watchkeeper.model.artefact import Model, artefact_digest, load


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
