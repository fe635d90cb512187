"""Rows on disk by part, so that one part at a time is in memory: the runs of a Grace hash join.

Kitsuregawa, Tanaka and Moto-oka, "Application of hash to data base machine and its architecture", 1983.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from watchkeeper.core.errors import PlatformError

HELD = 64 * 1024 * 1024  # bytes of rows that wait for their file
_PART = "_part"


@dataclass(slots=True)
class Runs:
    """Rows of one form in files of some 64 MB, each sorted by part, with the row at which each part begins.

    Errors of the disk are PlatformErrors.
    """

    folder: Path
    parts: int
    _bounds: list[list[int]] = field(default_factory=list)
    _held: list[pl.DataFrame] = field(default_factory=list)
    _size: int = 0

    def add(self, frame: pl.DataFrame, parts: pl.Series) -> None:
        """Keep a frame's rows; `parts` says of each row to which part, from 0, it belongs."""
        self._held.append(frame.with_columns(parts.cast(pl.Int32).alias(_PART)))
        self._size += int(frame.estimated_size())
        if self._size >= HELD:
            self._flush()

    def of(self, part: int, empty: pl.DataFrame) -> pl.DataFrame:
        """A part's rows, in the order in which they were added; `empty` when there are none."""
        self._flush()
        return pl.concat([empty, *self._slices(part)])

    def _flush(self) -> None:
        if not self._held:
            return
        ordered = pl.concat(self._held).sort(_PART, maintain_order=True)
        self._held, self._size = [], 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            ordered.drop(_PART).write_ipc(self._path(len(self._bounds)))
        except OSError as error:
            raise PlatformError(
                f"keep rows in {self.folder} while they are joined: {error.strerror or error}", retryable=True
            ) from error
        self._bounds.append(np.searchsorted(ordered[_PART].to_numpy(), np.arange(self.parts + 1)).tolist())

    def _slices(self, part: int) -> Iterator[pl.DataFrame]:
        for number, starts in enumerate(self._bounds):
            start, stop = starts[part], starts[part + 1]
            if stop > start:
                yield pl.scan_ipc(self._path(number)).slice(start, stop - start).collect()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.arrow"
