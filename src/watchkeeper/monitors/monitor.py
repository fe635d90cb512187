"""What tells one monitor from another before it runs."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.core.values import Role


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor's name in schedules, baselines and the project file, and the columns it reads."""

    name: str
    roles: frozenset[Role]

    @property
    def needs_labels(self) -> bool:
        """Whether it can say anything before ground truth has come."""
        return Role.LABEL in self.roles
