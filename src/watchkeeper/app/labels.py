"""Ground truth: labels that became known later, kept in the hour they were collected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from watchkeeper.app.targets import Target
from watchkeeper.core.encoding import digest
from watchkeeper.core.values import GroundTruth
from watchkeeper.render.records import ground_truth_key, ground_truth_line


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
