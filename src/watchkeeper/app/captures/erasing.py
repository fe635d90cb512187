"""Take one request out of the records, for good, and leave a tombstone that says so without saying which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from watchkeeper.app.captures.labels import capture_keys
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.audit import Event
from watchkeeper.core.encoding import digest
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.core.values import Actor, CaptureRecord, Progress
from watchkeeper.readers.records import BadLine, Labelled, read_capture_lines, read_ground_truth_lines
from watchkeeper.render.records import CAPTURES, SHADOW_CAPTURES

SPOOLS = ("spool", "capture-spool")  # of our server, and of services that capture by themselves


@dataclass(frozen=True, slots=True)
class ErasedObject:
    """An object that lost lines: digests before and after, as executions name what they read by them."""

    key: str
    lines: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What was erased: the id only as its sha256, and the objects by their digests."""

    environment: str
    endpoint: str
    id_digest: str
    requests: int
    labels: int
    objects: tuple[ErasedObject, ...]
    why: str
    time: datetime
    actor: Actor


@dataclass(frozen=True, slots=True)
class Erasure:
    """Whose record is erased, by whom and why."""

    environment: str
    id: str
    why: str
    actor: Actor


def erase(target: Target, order: Erasure, report: Callable[[Progress], None]) -> Tombstone:
    """Remove the captured records and labels of an inference id (else event id) from an environment's files.

    The audit log and the tombstone in `erasures/` come first: an erasure that was interrupted is in sight,
    and running it again finishes it. Pages and example rows of executions are not rewritten. Raises
    InputError when no record carries the id, and PlatformError while one that does is not in the store yet:
    it would come there after the erasure.
    """
    endpoint = target.project.endpoint(order.environment)
    _refuse_spooled(target, order.id, endpoint)
    captures = [
        key
        for root in (CAPTURES, SHADOW_CAPTURES)
        for key in capture_keys(target.store, order.environment, endpoint, root)
    ]
    truths = target.store.list(f"ground-truth/{order.environment}/{endpoint}/")
    found: list[tuple[str, bytes, bytes]] = []
    for number, key in enumerate((*captures, *truths)):
        report(Progress("look", number, len(captures) + len(truths), key.rpartition("/")[0]))
        data = target.store.read(key)
        if order.id.encode() in data:
            left = _without(key, data, order.id, labels=key in truths)
            if left != data:
                found.append((key, data, left))
    report(Progress("look", len(captures) + len(truths), len(captures) + len(truths)))
    if not found:
        raise InputError(f"erase a request of {endpoint}: no record in {order.environment} carries that id")
    objects = tuple(
        ErasedObject(key, data.count(b"\n") - left.count(b"\n"), digest(data), digest(left))
        for key, data, left in found
    )
    tombstone = Tombstone(
        environment=order.environment,
        endpoint=endpoint,
        id_digest=digest(order.id.encode()),
        requests=sum(each.lines for each in objects if not each.key.startswith("ground-truth/")),
        labels=sum(each.lines for each in objects if each.key.startswith("ground-truth/")),
        objects=objects,
        why=order.why,
        time=target.clock.now(),
        actor=order.actor,
    )
    said = f"{tombstone.requests} captured records and {tombstone.labels} of labels: {order.why}"
    target.trail.append(
        Event("capture.erase", endpoint, order.actor, tombstone.time, said, after=tombstone.id_digest)
    )
    number = len(target.store.list(f"erasures/{order.environment}/")) + 1
    create_record(target.store, f"erasures/{order.environment}/{number:06d}.json", tombstone)
    for key, _, left in found:
        target.store.write(key, left)
    return tombstone


def _refuse_spooled(target: Target, identity: str, endpoint: str) -> None:
    spooled = [path for spool in SPOOLS for path in (target.folder / spool).rglob("*.jsonl")]
    if any(_holds(path, identity) for path in spooled):
        raise PlatformError(
            f"erase a request of {endpoint}: it is in a capture spool still; wait a minute until it is "
            "shipped, or start what captures once more, and erase it then",
            retryable=True,
        )


def _holds(path: Path, identity: str) -> bool:
    try:
        return identity.encode() in path.read_bytes()
    except FileNotFoundError:
        return False  # shipped meanwhile, and found in the store


def _without(key: str, data: bytes, identity: str, *, labels: bool) -> bytes:
    """The lines that are not about the id; one that cannot be read stays."""
    lines = data.split(b"\n")
    read = read_ground_truth_lines if labels else read_capture_lines
    gone = {number for number, item in read(key, data) if _is_of(item, identity)}
    return b"\n".join(line for number, line in enumerate(lines, start=1) if number not in gone)


def _is_of(item: CaptureRecord | Labelled | BadLine, identity: str) -> bool:
    match item:
        case CaptureRecord():
            return identity in (item.inference_id, item.event_id)
        case Labelled():
            return item.truth.inference_id == identity
    return False
