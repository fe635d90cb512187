"""Images: which of ours there are, where they lie, and which are in use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.app.registry.records import create_record, read_records
from watchkeeper.core.ports import Store
from watchkeeper.core.values import Actor

OURS = ("analyzer", "serving", "training")  # the folders of deploy/containers
OTHERS = {  # others' that a stack runs, by the repository of their copy; versions are those we have read of
    "cloudwatch-exporter": "prom/cloudwatch-exporter:v0.16.0",
    "aws-otel-collector": "amazon/aws-otel-collector:v0.43.3",
}


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was pushed. `uri` names it by its digest, so that it stays what it was.

    `commit` is what ours is made of, and another's version or digest.
    """

    name: str
    number: int
    uri: str
    commit: str
    time: datetime
    actor: Actor


def images(store: Store) -> dict[str, Image]:
    """The newest of each name."""
    found = sorted(read_records(store, "images/", Image), key=lambda image: image.number)
    return {image.name: image for image in found}


def keep_image(store: Store, image: Image) -> None:
    """Put a pushed image on record."""
    create_record(store, f"images/{image.name}/{image.number:06d}.json", image)


def missing_images(store: Store, wanted: Iterable[str] = OURS) -> tuple[str, ...]:
    """Those, of ours unless others are named, that were never pushed."""
    known = images(store)
    return tuple(name for name in wanted if name not in known)
