"""Runs and models in dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from watchkeeper.core.values import ApprovalStatus


@dataclass(slots=True)
class MemoryTracker:
    """A `Tracker` for tests and dry runs."""

    runs: dict[str, Mapping[str, float]] = field(default_factory=dict)
    tags: dict[int, dict[str, str]] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)

    def log_run(
        self,
        name: str,
        params: Mapping[str, str],  # noqa: ARG002  # the port's signature
        metrics: Mapping[str, float],
        tags: Mapping[str, str],  # noqa: ARG002  # likewise
        artefact: str,  # noqa: ARG002  # likewise
    ) -> str:
        self.runs[name] = dict(metrics)
        return name

    def register(self, run_id: str, version: int, status: ApprovalStatus) -> None:
        self.tags.setdefault(version, {"run": run_id, "status": status.value})

    def mirror(self, version: int, tags: Mapping[str, str], aliases: Sequence[str]) -> None:
        self.tags.setdefault(version, {}).update(tags)
        self.aliases.update(dict.fromkeys(aliases, version))
