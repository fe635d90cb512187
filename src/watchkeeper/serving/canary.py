"""When a canary is withdrawn: too many of its newest requests failed, or they took too long."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from watchkeeper.core.values import CanaryLimits


@dataclass(slots=True)
class Watch:
    """The newest requests of a canary and of the variant beside it, at most `limits.requests` of each.

    It is withdrawn as soon as more than `limits.errors` of so many requests have failed, however few there
    were by then; and when, with so many of both, its 95th percentile of latency is over `limits.latency`
    times the other's.
    """

    limits: CanaryLimits
    _failures: deque[bool] = field(init=False)
    _own: deque[float] = field(init=False)
    _main: deque[float] = field(init=False)

    def __post_init__(self) -> None:
        most = self.limits.requests
        self._failures, self._own, self._main = deque(maxlen=most), deque(maxlen=most), deque(maxlen=most)

    def beside(self, seconds: float) -> None:
        """A request that the serving variant answered."""
        self._main.append(seconds)

    def saw(self, failed: bool, seconds: float) -> str:
        """A request that the canary had; why it is to be withdrawn, or nothing."""
        self._failures.append(failed)
        if not failed:
            self._own.append(seconds)
        limits, failures = self.limits, sum(self._failures)
        allowed = int(limits.errors * limits.requests)
        if failures > allowed:
            return (
                f"{failures} of its last {len(self._failures)} requests failed, "
                f"and at most {allowed} of {limits.requests} may ({limits.errors:.0%})"
            )
        if len(self._own) == len(self._main) == limits.requests:
            own, main = _p95(self._own), _p95(self._main)
            if own > limits.latency * main:
                return (
                    f"95 of 100 of its requests took up to {own * 1e3:.1f} ms, {own / main:.1f} times "
                    f"the {main * 1e3:.1f} ms of the version that serves; at most {limits.latency:g} may be"
                )
        return ""


def _p95(seconds: deque[float]) -> float:
    """The 95th percentile by nearest rank."""
    return sorted(seconds)[(95 * len(seconds) + 99) // 100 - 1]
