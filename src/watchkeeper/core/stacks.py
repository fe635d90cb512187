"""What is asked of CloudFormation, and what it says: stacks, their changes and their state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class StackRequest:
    """A stack as it is to be: its template's text and every parameter that is not the template's default."""

    name: str
    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)


class ChangeKind(StrEnum):
    """CloudFormation's words for what happens to a resource."""

    ADD = "Add"
    MODIFY = "Modify"
    REMOVE = "Remove"
    IMPORT = "Import"
    DYNAMIC = "Dynamic"  # it is not known before it is done


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What happens to one resource. `replaced` is True where it may come to be another one."""

    kind: ChangeKind
    logical: str
    type: str
    physical: str = ""
    replaced: bool = False
    properties: tuple[str, ...] = ()

    def __str__(self) -> str:
        """
        >>> str(ResourceChange(ChangeKind.MODIFY, "Key", "AWS::KMS::Key", properties=("KeyPolicy",)))
        'change Key (AWS::KMS::Key): KeyPolicy'
        """
        verb = _VERBS[self.kind]
        what = f"{'replace' if self.replaced else verb} {self.logical} ({self.type})"
        return f"{what}: {', '.join(self.properties)}" if self.properties else what


_VERBS = {
    ChangeKind.ADD: "make",
    ChangeKind.MODIFY: "change",
    ChangeKind.REMOVE: "remove",
    ChangeKind.IMPORT: "take in",
    ChangeKind.DYNAMIC: "change, maybe,",
}


@dataclass(frozen=True, slots=True)
class StackChanges:
    """What applying a request would do; no change when the stack is as it is to be."""

    name: str
    new: bool
    changes: tuple[ResourceChange, ...]


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as it is. `status` is CloudFormation's, such as `UPDATE_COMPLETE`."""

    name: str
    status: str
    reason: str
    parameters: dict[str, str]
    outputs: dict[str, str]

    @property
    def running(self) -> bool:
        """Whether something happens to it now; a change set that nobody ran is nothing."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def there(self) -> bool:
        """Whether it has resources that do their work."""
        return self.status.endswith("_COMPLETE") and self.status not in (
            "ROLLBACK_COMPLETE",
            "DELETE_COMPLETE",
        )

    @property
    def failed(self) -> bool:
        """Whether the last operation on it did not do what it was to do."""
        return "ROLLBACK" in self.status or self.status.endswith("_FAILED")
