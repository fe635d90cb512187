"""Writes a variant's records, and does what its project chose when they cannot be written."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.core.errors import PlatformError
from watchkeeper.core.values import CaptureRecord
from watchkeeper.render.records import CaptureFolder
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.settings import CapturePolicy, OnFailure

RETRY_AFTER = 10.0  # seconds that capture stays off before it is tried again

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of records: of each what its request is refused with, or None; how many are kept."""

    errors: list[PlatformError | None]
    captured: int
    dropped: int


@dataclass(slots=True)
class Recorder:
    """Where a record cannot be written, its request is refused, or capture is off for a while, and says so.

    `off` says why capture is off, and is empty while it is on; `changes` holds what has to be told of that,
    oldest first: why it went off, and an empty text when it came on again.
    """

    capture: CaptureWriter
    policy: CapturePolicy
    off: str = ""
    changes: tuple[str, ...] = ()
    _again_at: float = 0.0

    def write(self, folder: CaptureFolder, records: Sequence[CaptureRecord]) -> Recorded:
        """Write them; when this returns, what was kept is in the operating system's hands."""
        if not records:
            return Recorded([], 0, 0)
        if self.off and self.capture.seconds() < self._again_at:
            return Recorded([None] * len(records), 0, len(records))
        errors = self.capture.append_all(folder, records, fsync=self.policy.fsync)
        failed = [error for error in errors if error is not None]
        if self.policy.on_failure is OnFailure.REFUSE:
            return Recorded(errors, len(records) - len(failed), 0)
        if failed:
            self._again_at = self.capture.seconds() + RETRY_AFTER
            self._turn(str(failed[0]))
        elif self.off:
            self._turn("")
        return Recorded([None] * len(records), len(records) - len(failed), len(failed))

    def _turn(self, why: str) -> None:
        if bool(self.off) != bool(why):
            self.changes = (*self.changes, why)
            log.error("capture: %s", f"off: {why}" if why else "on again")
        self.off = why
