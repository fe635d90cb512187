"""A request as it came in, and what is said to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came in. `event_id` is the server's name for it, `time` the one it counts as of."""

    event_id: str
    time: datetime
    body: bytes
    content_type: str | None = None
    accept: str | None = None
    inference_id: str | None = None
    custom_attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, which model version said it, and the seconds its moment took the model."""

    body: str
    content_type: str
    version: int
    model_seconds: float = field(default=0.0, compare=False)
