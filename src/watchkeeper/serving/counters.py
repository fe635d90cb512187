"""What an endpoint has done since its server started, as samples of the declared metrics."""

from __future__ import annotations

import threading
import time as clock
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from watchkeeper.core.values import Sample, labels_of

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds
RECENT_SECONDS = 300.0  # the ratio of errors is that of the last five minutes
RECENT_MOST = 100_000  # requests held for it


@dataclass(slots=True)
class EndpointCounters:
    """Counts of one endpoint; `labels` are those of every series of it. Safe to use from several threads.

    A request counts under the status the model's container would give, as SageMaker's own metrics
    do: a failing model is a 500 here, though the runtime API answers 424.
    """

    labels: Mapping[str, str]
    _codes: Counter[int] = field(default_factory=Counter)
    _unseen: Counter[str] = field(default_factory=Counter)
    _buckets: Counter[float] = field(default_factory=Counter)
    _seconds: float = 0.0
    _recent: deque[tuple[float, bool, float]] = field(default_factory=deque)  # when, whether a 5xx, how long
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, code: int, seconds: float) -> None:
        """Count one request."""
        with self._lock:
            self._codes[code] += 1
            self._seconds += seconds
            self._recent.append((clock.monotonic(), code >= 500, seconds))
            self._forget()
            self._buckets[next((bound for bound in BUCKETS if seconds <= bound), float("inf"))] += 1

    def met_unseen(self, unseen: Mapping[str, int]) -> None:
        """Count categories that the model's training rows did not have, by feature."""
        with self._lock:
            self._unseen.update(unseen)

    def samples(self, time: datetime) -> tuple[Sample, ...]:
        """Every series as of `time`; code 200 is there from the start, so that a rate has a beginning."""
        with self._lock:
            codes, unseen = {200: 0, **self._codes}, dict(self._unseen)
            buckets, seconds = dict(self._buckets), self._seconds
            self._forget()
            recent = [failed for _, failed, _ in self._recent]
            lengths = sorted(seconds for _, _, seconds in self._recent)
        requests, found = "watchkeeper_endpoint_requests_total", []
        for code, count in sorted(codes.items()):
            found.append(self._sample(requests, count, time, code=str(code)))
        for feature, count in sorted(unseen.items()):
            found.append(
                self._sample("watchkeeper_endpoint_unseen_categories_total", count, time, feature=feature)
            )
        if recent:
            share = sum(recent) / len(recent)
            found.append(self._sample("watchkeeper_endpoint_errors_5xx_ratio", share, time))
            p95 = lengths[(95 * len(lengths) + 99) // 100 - 1]  # nearest rank
            found.append(self._sample("watchkeeper_endpoint_request_p95_seconds", p95, time))
        return (*found, *self._histogram(buckets, seconds, time))

    def _forget(self) -> None:
        """Keep what the ratio of errors is about: requests of the last minutes, and not too many."""
        oldest = clock.monotonic() - RECENT_SECONDS
        while self._recent and (self._recent[0][0] < oldest or len(self._recent) > RECENT_MOST):
            self._recent.popleft()

    def _histogram(self, buckets: Mapping[float, int], seconds: float, time: datetime) -> tuple[Sample, ...]:
        name, total, found = "watchkeeper_endpoint_request_seconds", 0, []
        for bound in BUCKETS:
            total += buckets.get(bound, 0)
            found.append(self._sample(f"{name}_bucket", total, time, le=repr(bound)))
        total = sum(buckets.values())
        found.append(self._sample(f"{name}_bucket", total, time, le="+Inf"))
        found.append(self._sample(f"{name}_sum", seconds, time))
        found.append(self._sample(f"{name}_count", total, time))
        return tuple(found)

    def _sample(self, metric: str, value: float, time: datetime, **more: str) -> Sample:
        return Sample(metric, labels_of(**self.labels, **more), float(value), time)
