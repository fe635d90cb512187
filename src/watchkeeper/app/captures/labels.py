"""Ground truth: labels that became known later, kept in the hour they were collected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from watchkeeper.app.setup.targets import Target
from watchkeeper.core.encoding import digest
from watchkeeper.core.ports import Store
from watchkeeper.core.values import GroundTruth
from watchkeeper.render.records import CAPTURES, ground_truth_key, ground_truth_line


def record_labels(
    target: Target, environment: str, labels: Sequence[GroundTruth], collected_at: datetime
) -> str | None:
    """Store labels as one object of the hour they were collected in; returns its key, None for no labels.

    The key holds the labels' digest: the same labels collected again in one hour are refused by the
    store with ExistsError.
    """
    if not labels:
        return None
    data = b"".join(ground_truth_line(label, collected_at) for label in labels)
    key = ground_truth_key(environment, target.project.endpoint(environment), collected_at, digest(data)[:16])
    target.store.create(key, data)
    return key


def ground_truth_objects(store: Store, environment: str, endpoint: str) -> Iterator[tuple[str, bytes]]:
    """Every ground-truth file of an endpoint as key and bytes, in key order, one in memory at a time."""
    for key in store.list(f"ground-truth/{environment}/{endpoint}/"):
        yield key, store.read(key)


def capture_keys(store: Store, environment: str, endpoint: str, root: str = CAPTURES) -> list[str]:
    """Every capture file of an endpoint, of any schema version and variant, the newest hour first."""
    keys = [key for key in store.list(f"{root}/{environment}/") if key.split("/")[3:4] == [endpoint]]
    return sorted(keys, key=lambda key: key.split("/")[-5:], reverse=True)


def next_key(store: Store, environment: str, endpoint: str, collected_at: datetime, data: bytes) -> str:
    """The key of labels that replace others: it sorts after those of every object of the same moment.

    Of two records of one second the later one in key order counts.
    """
    before = ground_truth_key(environment, endpoint, collected_at, "import-").removesuffix(".jsonl")
    number = len(store.list(before)) + 1
    return ground_truth_key(environment, endpoint, collected_at, f"import-{number:04d}-{digest(data)[:16]}")


def first_captured(store: Store, environment: str, endpoint: str) -> datetime | None:
    """The beginning of the first hour of which captures are on record; None when there are none."""
    hours = ["/".join(key.split("/")[-5:-1]) for key in capture_keys(store, environment, endpoint)]
    return datetime.strptime(f"{min(hours)} +0000", "%Y/%m/%d/%H %z") if hours else None
