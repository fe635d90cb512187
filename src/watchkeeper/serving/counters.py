"""What a variant has done since its server started, as samples of the declared metrics."""

from __future__ import annotations

import threading
import time as clock
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from watchkeeper.core.values import Deployment, Sample, labels_of

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds
RECENT_SECONDS = 300.0  # the ratios of errors are those of the last five minutes
RECENT_MOST = 100_000  # requests held for it

_PREFIX = "watchkeeper_endpoint_"


@dataclass(slots=True)
class Histogram:
    """Durations in seconds, counted by the first of `BUCKETS` that holds them."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds

    def copy(self) -> Histogram:
        """As it stands."""
        return Histogram(list(self.counts), self.total)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a variant is at when it is asked: what it serves, whether capture is off, and what waits."""

    model: Deployment | None = None
    off: bool = False
    lag: float = 0.0  # seconds that the oldest record has waited for the store
    waiting: int = 0  # requests that wait for the end of the turn
    free: float | None = None  # share of the spool's disk


@dataclass(slots=True)
class VariantCounters:
    """Counts of one variant; `labels` are those of every series of it. Safe to use from several threads.

    A request counts under the status the model's container would give, as SageMaker's own metrics
    do: a failing model is a 500 here, though the runtime API answers 424.
    """

    labels: Mapping[str, str]
    in_flight: int = 0  # changed on the event loop alone
    _codes: Counter[int] = field(default_factory=Counter)
    _unseen: Counter[str] = field(default_factory=Counter)
    _requests: Histogram = field(default_factory=Histogram)
    _model: Histogram = field(default_factory=Histogram)
    _overhead: Histogram = field(default_factory=Histogram)
    _captured: int = 0
    _dropped: int = 0
    _recent: deque[tuple[float, int, float]] = field(default_factory=deque)  # when, which code, how long
    _last: float = field(default_factory=clock.monotonic)  # when the last request was answered, or all began
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, code: int, seconds: float, model_seconds: float | None = None) -> None:
        """Count one request; `model_seconds` of `seconds` were the model's, None when it was not asked."""
        with self._lock:
            self._codes[code] += 1
            self._requests.add(seconds)
            if model_seconds is not None:
                self._model.add(model_seconds)
                self._overhead.add(max(0.0, seconds - model_seconds))
            self._last = clock.monotonic()
            self._recent.append((self._last, code, seconds))
            self._forget()

    def met_unseen(self, unseen: Mapping[str, int]) -> None:
        """Count categories that the model's training rows did not have, by feature."""
        with self._lock:
            self._unseen.update(unseen)

    def recorded(self, captured: int, dropped: int) -> None:
        """Count records of answered requests: in the operating system's hands, and lost."""
        with self._lock:
            self._captured += captured
            self._dropped += dropped

    def samples(self, time: datetime, standing: Standing = Standing()) -> tuple[Sample, ...]:
        """Every series as of `time`; code 200 is there from the start, so that a rate has a beginning."""
        with self._lock:
            codes, unseen = {200: 0, **self._codes}, dict(self._unseen)
            histograms = {
                "request_seconds": self._requests.copy(),
                "model_latency_seconds": self._model.copy(),
                "overhead_latency_seconds": self._overhead.copy(),
            }
            captured, dropped = self._captured, self._dropped
            self._forget()
            recent = [code for _, code, _ in self._recent]
            idle = clock.monotonic() - self._last
            lengths = sorted(seconds for _, _, seconds in self._recent)
        found = [
            *(self._sample("requests_total", n, time, code=str(code)) for code, n in sorted(codes.items())),
            *(
                self._sample("unseen_categories_total", count, time, feature=feature)
                for feature, count in sorted(unseen.items())
            ),
            self._sample("in_flight_requests", self.in_flight, time),
            self._sample("captured_records_total", captured, time),
            self._sample("dropped_records_total", dropped, time),
            self._sample("queued_requests", standing.waiting, time),
            self._sample("idle_seconds", idle, time),
            self._sample("capture_off", standing.off, time),
            self._sample("capture_lag_seconds", standing.lag, time),
        ]
        if (model := standing.model) is not None:
            found.append(
                self._sample("model_info", 1, time, version=str(model.version), digest=model.digest[:12])
            )
        if standing.free is not None:
            found.append(self._sample("spool_free_ratio", standing.free, time))
        if captured or dropped:
            found.append(self._sample("capture_coverage_ratio", captured / (captured + dropped), time))
        if recent:
            refused, failed = (sum(code // 100 == of for code in recent) for of in (4, 5))
            found.append(self._sample("errors_4xx_ratio", refused / len(recent), time))
            found.append(self._sample("errors_5xx_ratio", failed / len(recent), time))
            p95 = lengths[(95 * len(lengths) + 99) // 100 - 1]  # nearest rank
            found.append(self._sample("request_p95_seconds", p95, time))
        for name, histogram in histograms.items():
            found.extend(self._histogram(name, histogram, time))
        return tuple(found)

    def _forget(self) -> None:
        """Keep what the ratios of errors are about: requests of the last minutes, and not too many."""
        oldest = clock.monotonic() - RECENT_SECONDS
        while self._recent and (self._recent[0][0] < oldest or len(self._recent) > RECENT_MOST):
            self._recent.popleft()

    def _histogram(self, name: str, histogram: Histogram, time: datetime) -> tuple[Sample, ...]:
        total, found = 0, []
        for bound, count in zip((*map(repr, BUCKETS), "+Inf"), histogram.counts, strict=True):
            total += count
            found.append(self._sample(f"{name}_bucket", total, time, le=bound))
        found.append(self._sample(f"{name}_sum", histogram.total, time))
        found.append(self._sample(f"{name}_count", total, time))
        return tuple(found)

    def _sample(self, metric: str, value: float, time: datetime, **more: str) -> Sample:
        return Sample(f"{_PREFIX}{metric}", labels_of(**self.labels, **more), float(value), time)
