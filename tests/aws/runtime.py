"""Endpoints of a SageMaker that answers: our model server's variant, whose captures lie in a bucket in the
service's own words."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path

from watchkeeper.adapters.memory.store import MemoryStore
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Deployment
from watchkeeper.model.artefact import Model
from watchkeeper.serving.calls import Call
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.counters import VariantCounters
from watchkeeper.serving.recorder import Recorder
from watchkeeper.serving.refusals import RequestRefused
from watchkeeper.serving.settings import CapturePolicy, EndpointSettings
from watchkeeper.serving.variant import Variant

_OURS = ("modelVersion", "schemaVersion")  # what our server adds to a record, and SageMaker does not


@dataclass
class Endpoint:
    """A deployed version. Captures wait until `late` requests have been answered, as SageMaker's wait for
    their file to be closed."""

    variant: Variant
    writer: CaptureWriter
    spool: MemoryStore
    bucket: Store
    late: int = 0
    answered: int = 0
    lost: int = 0  # how many captures never come

    def ship(self) -> None:
        """Captures go to the bucket."""
        self.writer.flush()
        for key in self.spool.list(""):
            lines = [json.loads(line) for line in self.spool.read(key).splitlines()]
            for line in lines:
                for name in _OURS:
                    line["eventMetadata"].pop(name, None)
            kept = lines[self.lost :]
            self.bucket.write(key, b"".join(json.dumps(line).encode() + b"\n" for line in kept))


@dataclass
class Runtime:
    """`sagemaker-runtime`: endpoints by name."""

    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    alone: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, deployment: Deployment, model: Model, bucket: Store, folder: Path) -> Endpoint:
        spool = MemoryStore()
        writer = CaptureWriter(spool, folder)
        settings = EndpointSettings(deployment.endpoint, deployment.environment)
        variant = Variant(settings, "AllTraffic", Recorder(writer, CapturePolicy()), VariantCounters({}))
        variant.activate(deployment, model)
        made = self.endpoints[deployment.endpoint] = Endpoint(variant, writer, spool, bucket)
        return made

    def answer(self, path: str, headers: Message, body: bytes) -> tuple[int, bytes]:
        name = path.split("/")[2]
        if name not in self.endpoints:
            return 400, _error(f"Endpoint {name} of account 123456789012 not found.")
        found = self.endpoints[name]
        call = Call(
            event_id=str(uuid.uuid4()),
            time=datetime.now(UTC),
            body=body,
            content_type=headers["content-type"],
            inference_id=headers["x-amzn-sagemaker-inference-id"],
        )
        with self.alone:
            try:
                said = found.variant.answer(call).body.encode()
            except RequestRefused as refused:
                return 400, _error(str(refused))
            found.answered += 1
            if found.answered >= found.late:
                found.ship()
        return 200, said


def _error(message: str) -> bytes:
    return json.dumps({"__type": "ValidationError", "Message": message}).encode()
