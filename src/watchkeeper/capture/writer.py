"""A capture writer for services that are not ours."""

from __future__ import annotations

import base64
import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.errors import WatchkeeperError
from watchkeeper.core.values import CaptureRecord, Payload
from watchkeeper.render.records import CaptureFolder
from watchkeeper.serving.capture import CaptureWriter, sampled
from watchkeeper.serving.run import SHIP_EVERY

_ENCODINGS = {
    "text/csv": "CSV",
    "application/json": "JSON",
    "application/jsonlines": "JSON",
}  # any other content is captured as BASE64, as SageMaker does

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Whose requests are captured, and by which registered model version they are answered.

    `sampling` is the percentage that is captured.
    """

    environment: str
    endpoint: str
    model_version: int
    schema_version: int = 1
    variant: str = "AllTraffic"
    sampling: int = 100


@dataclass(frozen=True, slots=True)
class Said:
    """One side of a request: its body and content type."""

    body: bytes
    content_type: str = "application/json"

    def payload(self) -> Payload:
        """As the contract captures it."""
        encoding = _ENCODINGS.get(self.content_type.partition(";")[0].strip().lower(), "BASE64")
        if encoding != "BASE64":
            try:
                return Payload(self.body.decode(), encoding, self.content_type)
            except UnicodeDecodeError:
                pass  # it is not the text that it says
        return Payload(base64.b64encode(self.body).decode(), "BASE64", self.content_type)


class Capture:
    """Writes records to a workspace. Safe to use from several threads; one process a workspace.

    A record is in the operating system's hands when `record` returns. Files are brought to `captures/` of
    the workspace a minute after they were opened, and by `close`; what a crash left in `capture-spool/` is
    brought there when the next one starts.
    """

    def __init__(self, workspace: Path | str, target: Target) -> None:
        folder = Path(workspace).resolve()
        self.target = target
        spool = folder / "capture-spool" / target.endpoint
        self._writer = CaptureWriter(FolderStore(folder), spool)
        self._folder = CaptureFolder(
            target.environment, target.schema_version, target.endpoint, target.variant
        )
        self._writer.recover()
        self._over = threading.Event()
        self._shipping = threading.Thread(target=self._ship, name="capture-shipping", daemon=True)
        self._shipping.start()

    def record(
        self,
        asked: bytes | str,
        answered: bytes | str,
        *,
        content_types: tuple[str, str] = ("application/json", "application/json"),
        inference_id: str | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> str:
        """Capture one request and its answer; returns its event id, by which labels can be joined too.

        `content_types` are those of both sides: `text/csv` without a header, columns in the schema's order,
        or `application/json` with rows under `instances` and answers under `predictions`. Raises
        PlatformError when it cannot be written, and then nothing of it is kept.
        """
        sides = [each.encode() if isinstance(each, str) else each for each in (asked, answered)]
        event_id = str(uuid.uuid4())
        if sampled(event_id, self.target.sampling):
            record = CaptureRecord(
                event_id=event_id,
                inference_id=inference_id,
                time=clock() if clock else datetime.now(UTC),
                model_version=self.target.model_version,
                schema_version=self.target.schema_version,
                input=Said(sides[0], content_types[0]).payload(),
                output=Said(sides[1], content_types[1]).payload(),
            )
            self._writer.append(self._folder, record)
        return event_id

    def flush(self) -> None:
        """Return once every record is in the store. Raises PlatformError when one cannot be brought there."""
        self._writer.flush()

    def close(self) -> None:
        """Bring everything to the store, and write no more."""
        self._over.set()
        self._shipping.join()
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ship(self) -> None:
        while not self._over.wait(SHIP_EVERY):
            try:
                self._writer.ship()
            except WatchkeeperError as error:
                log.error("capture: %s; the file stays in the spool and is tried again", error)
