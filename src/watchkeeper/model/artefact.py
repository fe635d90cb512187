"""A trained model as a folder of plain data that never changes: no pickle, every file under a digest.

    manifest.json   format, target and the sha256 of each other file
    booster.ubj     the trees, in XGBoost's own UBJSON
    encoder.json    feature specification and fitted means
    level.json      the target's level by month, where the model has one
    schema.json     the columns of a request
    example.json    a few input rows, and what the model answers to them

Its identity is the digest of `manifest.json`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from watchkeeper.core.encoding import canonical, decode, digest, encode
from watchkeeper.core.errors import ExistsError, InputError, IntegrityError, PlatformError
from watchkeeper.core.values import Schema
from watchkeeper.model.features import Columns, Encoder
from watchkeeper.model.level import Level

T = TypeVar("T")

MANIFEST = "manifest.json"
FORMAT = 1
TOLERANCE = 1e-6  # relative; float32 trees add up to the last bits differently from one CPU to another


@dataclass(frozen=True, slots=True)
class Predictions:
    """One value per row, float64, shape (rows,), in the target's unit; `unseen` as in `Encoded`."""

    values: npt.NDArray[np.float64]
    unseen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the folder holds."""

    format: int
    target: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """Input rows, as columns, with the predictions expected of them."""

    columns: dict[str, tuple[str | None, ...]]
    predictions: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """An encoder and the trees trained on its matrix, on a target divided by its level where there is one."""

    encoder: Encoder
    booster: xgb.Booster
    schema: Schema
    target: str
    level: Level | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The text columns `predict` reads, each once."""
        time = (self.level.spec.time,) if self.level else ()
        return tuple(dict.fromkeys((*self.encoder.columns, *time)))

    def predict(self, columns: Columns) -> Predictions:
        """Answer rows given as text columns (see `Encoder.transform`, whose errors it raises).

        Safe to call from several threads at once.
        """
        encoded = self.encoder.transform(columns)
        if not len(encoded.matrix):
            return Predictions(np.empty(0), {})
        values = np.asarray(self.booster.inplace_predict(encoded.matrix), dtype=np.float64)
        return Predictions(values * self.level.of(columns) if self.level else values, encoded.unseen)


def save(folder: Path, model: Model, example: Columns) -> str:
    """Write the model as `folder`, whole or not at all, and return the artefact's digest.

    `example` holds a few input rows; their predictions are stored with them. Raises ExistsError
    when the folder is there, PlatformError when it cannot be written.
    """
    if folder.exists():
        raise ExistsError(folder.as_posix())
    files = _files(model, example)
    manifest = encode(Manifest(FORMAT, model.target, {name: digest(data) for name, data in files.items()}))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=folder.parent) as name:
            whole = Path(name) / folder.name
            whole.mkdir()
            for file, data in {**files, MANIFEST: manifest}.items():
                (whole / file).write_bytes(data)
            whole.rename(folder)
    except OSError as error:
        raise PlatformError(f"write model {folder}: {error.strerror or error}", retryable=True) from error
    return digest(manifest)


def load(folder: Path) -> Model:
    """Read a model back, each file against its digest and the example rows against their answers.

    Raises InputError when there is no model, IntegrityError when it is not what was written.
    """
    manifest = _restore(Manifest, folder, _read(folder, MANIFEST))
    if manifest.format != FORMAT:
        raise InputError(f"read model {folder}: want format {FORMAT}, got {manifest.format}")
    files = {name: _verified(folder, name, expected) for name, expected in manifest.files.items()}
    absent = {"booster.ubj", "encoder.json", "schema.json", "example.json"} - files.keys()
    if absent:
        raise IntegrityError(f"read model {folder}: the manifest does not name {', '.join(sorted(absent))}")
    model = Model(
        encoder=_restore(Encoder, folder, files["encoder.json"]),
        booster=_booster(folder, files["booster.ubj"]),
        schema=_restore(Schema, folder, files["schema.json"]),
        target=manifest.target,
        level=_restore(Level, folder, files["level.json"]) if "level.json" in files else None,
    )
    _try_out(folder, model, _restore(Example, folder, files["example.json"]))
    return model


def artefact_digest(folder: Path) -> str:
    """sha256 of the manifest, which names the sha256 of every file. Raises InputError without one."""
    return digest(_read(folder, MANIFEST))


def booster_from(data: bytes) -> xgb.Booster:
    """Trees from their UBJSON, to answer with one thread: for one row more would cost more than they give."""
    booster = xgb.Booster()
    booster.load_model(bytearray(data))
    booster.set_param({"nthread": 1})
    return booster


def _files(model: Model, example: Columns) -> dict[str, bytes]:
    inputs = {name: tuple(example[name]) for name in model.columns}
    predictions = model.predict(inputs).values
    if not len(predictions):
        raise ValueError("save a model: want at least one example row, got none")
    level = {"level.json": encode(model.level)} if model.level else {}
    return {
        **level,
        "booster.ubj": bytes(model.booster.save_raw("ubj")),
        "encoder.json": canonical(model.encoder),
        "schema.json": encode(model.schema),
        "example.json": encode(Example(inputs, tuple(predictions.tolist()))),
    }


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if name == MANIFEST:
            raise InputError(
                f"read model {folder}: want a model folder with {MANIFEST}, found none"
            ) from None
        raise IntegrityError(f"read model {folder}: {name} is gone, and the manifest names it") from None
    except OSError as error:
        raise PlatformError(
            f"read model {folder}, {name}: {error.strerror or error}", retryable=True
        ) from error


def _verified(folder: Path, name: str, expected: str) -> bytes:
    data = _read(folder, name)
    if digest(data) != expected:
        raise IntegrityError(
            f"read model {folder}: want {name} with sha256 {expected[:12]}…, got {digest(data)[:12]}…"
        )
    return data


def _restore(kind: type[T], folder: Path, data: bytes) -> T:
    try:
        return decode(kind, data)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"read model {folder}: {kind.__name__} cannot be read: {error}") from None


def _booster(folder: Path, data: bytes) -> xgb.Booster:
    try:
        return booster_from(data)
    except xgb.core.XGBoostError as error:
        raise IntegrityError(f"read model {folder}: booster.ubj cannot be read: {error}") from None


def _try_out(folder: Path, model: Model, example: Example) -> None:
    got = model.predict(example.columns).values
    wanted = np.asarray(example.predictions)
    if not np.allclose(got, wanted, rtol=TOLERANCE, atol=0.0):
        at = int(np.argmax(np.abs(got - wanted)))
        raise IntegrityError(f"read model {folder}, example row {at + 1}: want {wanted[at]}, got {got[at]}")
