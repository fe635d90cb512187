"""What it takes to decide and to keep records of it, and no more.

Every `Target` is one, and so is what a Lambda function has, which knows of the project only its policies.
"""

from __future__ import annotations

from typing import Protocol

from watchkeeper.core.decisions import RetrainPolicy
from watchkeeper.core.ports import Clock, Store, Trail


class Policies(Protocol):
    """What a project says of its environments."""

    @property
    def environments(self) -> tuple[str, ...]:
        """In the order of promotion."""

    def retrain_policy(self, environment: str) -> RetrainPolicy:
        """When an alert of that environment may lead to a retrain."""


class Ledger(Protocol):
    """Records, the time, the audit log, and the policies that are followed."""

    @property
    def project(self) -> Policies: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def trail(self) -> Trail: ...
