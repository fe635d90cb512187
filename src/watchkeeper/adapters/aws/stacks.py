"""CloudFormation stacks: what a change would do, doing it, and taking a stack away.

Everything is done by change sets, so that what is shown is what is done. Whatever an interrupted run left,
of a stack that nobody began to a rollback that failed, is taken up from there by the next one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from watchkeeper.adapters.aws.errors import code_of, translated
from watchkeeper.core.errors import PlatformError
from watchkeeper.core.stacks import ChangeKind, ResourceChange, StackChanges, StackRequest, StackState
from watchkeeper.core.values import Progress

Report = Callable[[Progress], None]

_MOST = 51_200  # bytes of a template that is sent along: CreateChangeSet, TemplateBody
_FIRST_PAUSE, _LAST_PAUSE, _SLOWER = 0.1, 5.0, 1.5  # seconds between two looks, and how they grow
_NOTHING = ("didn't contain changes", "No updates are to be performed")
_BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
_ENDED = ("_COMPLETE", "_FAILED", "_SKIPPED")


@dataclass(frozen=True, slots=True)
class _Operation:
    """A change that was just begun: of which stack, under which token, and how many resources it is about."""

    name: str
    token: str
    resources: int


class _Told:
    """Events of an operation as progress, each once."""

    def __init__(self, operation: _Operation, report: Report) -> None:
        self.operation, self.report = operation, report
        self.begun = False
        self.known: set[str] = set()
        self.done: set[str] = set()

    def of(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Report what is new among the events, oldest first."""
        total = self.operation.resources
        for event in events:
            if event.get("ClientRequestToken") != self.operation.token or event["EventId"] in self.known:
                continue
            self.begun = True
            self.known.add(event["EventId"])
            resource, status = event["LogicalResourceId"], event["ResourceStatus"]
            if status.endswith(_ENDED) and not _of_stack(event):
                self.done.add(resource)
            done = min(len(self.done), total)
            self.report(Progress(self.operation.name, done, total, f"{resource} {status}"))


@dataclass(frozen=True, slots=True)
class Stacks:
    """The stacks of one account and region.

    `kept` puts a template that is too large to be sent along where CloudFormation reads it, and returns its
    URL.
    Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html.
    """

    client: Any
    kept: Callable[[str], str] | None = None

    def state(self, name: str) -> StackState | None:
        """A stack as it is; None when there is none."""
        with translated(f"look at stack {name}"):
            try:
                (found,) = self.client.describe_stacks(StackName=name)["Stacks"]
            except ClientError as error:
                if code_of(error) == "ValidationError" and "does not exist" in str(error):
                    return None
                raise
        return StackState(
            name=name,
            status=found["StackStatus"],
            reason=found.get("StackStatusReason", ""),
            parameters={
                each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", ())
            },
            outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())},
        )

    def changes(self, request: StackRequest) -> StackChanges:
        """What `apply` would do; nothing is done, and nothing stays behind.

        A stack that cannot be planned on, as something happens to it now, is a PlatformError worth another
        try.
        """
        state = self.state(request.name)
        if state is not None and state.running:
            raise PlatformError(f"plan stack {request.name}: it is {state.status} now", retryable=True)
        new = _is_new(state)
        if state is not None and state.status == "ROLLBACK_COMPLETE":
            return self._anew(request)
        made = self._change_set(request, new)
        found = StackChanges(request.name, new, self._listed(made) if made else ())
        if made:
            self._forget(made, empty=request.name if state is None else None)
        return found

    def apply(self, request: StackRequest, report: Report) -> StackState:
        """Make the stack what it is to be, and return once it is; what is that already is left alone.

        Raises PlatformError, with what failed first, when CloudFormation gave up; it has then rolled back.
        """
        state = self._ready(request.name, report)
        made = self._change_set(request, _is_new(state))
        if made is None and state is not None:
            return state
        if made is None:
            raise PlatformError(f"change stack {request.name}: its template makes nothing", retryable=False)
        changes = self._listed(made)
        token = secrets.token_hex(16)
        with translated(f"change stack {request.name}"):
            self.client.execute_change_set(
                ChangeSetName=made, StackName=request.name, ClientRequestToken=token
            )
        return self._followed(_Operation(request.name, token, len(changes)), report)

    def remove(self, name: str, report: Report) -> None:
        """Take a stack away; what its template says to retain stays. Nothing when there is none."""
        state = self._settled(name, report)
        if state is None:
            return
        with translated(f"remove stack {name}"):
            stack_id = self.client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
            self.client.delete_stack(StackName=name, ClientRequestToken=secrets.token_hex(16))
        ended = self._settled(stack_id, report, name)
        if ended is not None and ended.status != "DELETE_COMPLETE":
            raise PlatformError(f"remove stack {name}: {self._why(stack_id) or ended.reason}", retryable=True)

    def resources(self, name: str) -> Mapping[str, str]:
        """Logical names of a stack's resources and what they are called in the account."""
        with translated(f"list the resources of stack {name}"):
            pages = self.client.get_paginator("list_stack_resources").paginate(StackName=name)
            return {
                each["LogicalResourceId"]: each.get("PhysicalResourceId", "")
                for page in pages
                for each in page["StackResourceSummaries"]
            }

    # Getting to a state that can be changed

    def _ready(self, name: str, report: Report) -> StackState | None:
        state = self._settled(name, report)
        if state is not None and state.status == "UPDATE_ROLLBACK_FAILED":
            with translated(f"finish the rollback of stack {name}"):
                self.client.continue_update_rollback(StackName=name)
            state = self._settled(name, report)
        if state is not None and state.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"):
            self.remove(name, report)  # its making failed, so there is nothing in it
            state = None
        return state

    def _settled(self, name: str, report: Report, label: str = "") -> StackState | None:
        """The stack once nothing happens to it any more."""
        for _ in _pauses():
            state = self.state(name)
            if state is None or not state.running:
                return state
            report(Progress(label or name, 0, None, state.status))
        raise AssertionError("pauses do not end")

    # Change sets

    def _change_set(self, request: StackRequest, new: bool) -> str | None:
        """The ARN of a change set that is ready to be run; None when it would change nothing."""
        doing = f"plan stack {request.name}"
        template = self._template(request, doing)
        with translated(doing):
            arn: str = self.client.create_change_set(
                StackName=request.name,
                ChangeSetName=f"watchkeeper-{secrets.token_hex(8)}",
                ChangeSetType="CREATE" if new else "UPDATE",
                **template,
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": text} for key, text in request.parameters.items()
                ],
                Tags=[{"Key": key, "Value": text} for key, text in request.tags.items()],
                Capabilities=["CAPABILITY_NAMED_IAM"],
                ImportExistingResources=True,  # buckets, keys and groups that an earlier stack left
            )["Id"]
            for _ in _pauses():
                found = self.client.describe_change_set(ChangeSetName=arn)
                if found["Status"] == "CREATE_COMPLETE":
                    return arn
                if found["Status"] == "FAILED":
                    break
        reason = found.get("StatusReason", "")
        self._forget(arn)
        if any(words in reason for words in _NOTHING):
            return None
        raise PlatformError(f"{doing}: {reason}", retryable=False)

    def _template(self, request: StackRequest, doing: str) -> dict[str, str]:
        """The template as a request has it: itself, or where it lies."""
        if len(request.template.encode()) <= _MOST:
            return {"TemplateBody": request.template}
        if self.kept is None:
            raise PlatformError(f"{doing}: want a template of at most {_MOST:,} bytes", retryable=False)
        return {"TemplateURL": self.kept(request.template)}

    def _listed(self, arn: str) -> tuple[ResourceChange, ...]:
        """The changes of a change set, all pages."""
        changes: list[ResourceChange] = []
        asked: dict[str, str] = {"ChangeSetName": arn}
        with translated("read a change set"):
            while True:
                page = self.client.describe_change_set(**asked)
                changes += [_change(each["ResourceChange"]) for each in page.get("Changes", ())]
                if "NextToken" not in page:
                    return tuple(changes)
                asked["NextToken"] = page["NextToken"]

    def _forget(self, arn: str, empty: str | None = None) -> None:
        """Delete a change set, and the stack that it would have made, which is nothing yet."""
        with translated("forget a change set"):
            self.client.delete_change_set(ChangeSetName=arn)
            if empty is not None:
                self.client.delete_stack(StackName=empty)

    def _anew(self, request: StackRequest) -> StackChanges:
        """A stack whose making failed is removed and made again: what that makes is what the template
        holds."""
        held = tuple(
            ResourceChange(ChangeKind.ADD, logical, "of a stack whose making failed")
            for logical in self.resources(request.name)
        )
        return StackChanges(request.name, True, held)

    # Watching

    def _followed(self, operation: _Operation, report: Report) -> StackState:
        """The stack once the operation has ended; before it begins the stack may still say what it was."""
        name, told = operation.name, _Told(operation, report)
        for _ in _pauses():
            state = self.state(name)
            if state is None:
                raise PlatformError(f"change stack {name}: it was removed meanwhile", retryable=True)
            told.of(self._events(name))
            if told.begun and not state.running:
                return self._succeeded(state, operation, report)
        raise AssertionError("pauses do not end")

    def _succeeded(self, state: StackState, operation: _Operation, report: Report) -> StackState:
        """The state, when the operation did what it was to do."""
        name = operation.name
        if state.failed:
            raise PlatformError(
                f"change stack {name}: {self._why(name) or state.reason}; it is {state.status}",
                retryable=False,
            )
        report(Progress(name, operation.resources, operation.resources, state.status))
        return state

    def _events(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Events of the newest operation, oldest first."""
        found: list[Mapping[str, Any]] = []
        with translated(f"follow stack {name}"):
            for page in self.client.get_paginator("describe_stack_events").paginate(StackName=name):
                for event in page["StackEvents"]:
                    found.append(event)
                    if _begins(event):
                        return found[::-1]
        return found[::-1]

    def _why(self, name: str) -> str:
        """What failed first in the newest operation, in CloudFormation's words."""
        failed = [each for each in self._events(name) if each["ResourceStatus"].endswith("_FAILED")]
        said = [f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}" for each in failed]
        return said[0] if said else ""


def _begins(event: Mapping[str, Any]) -> bool:
    """Whether an operation on the stack itself began with it."""
    return _of_stack(event) and event["ResourceStatus"] in _BEGINNINGS


def _of_stack(event: Mapping[str, Any]) -> bool:
    return bool(event.get("PhysicalResourceId") == event["StackId"])


def _is_new(state: StackState | None) -> bool:
    return state is None or state.status == "REVIEW_IN_PROGRESS"


def _change(found: Mapping[str, Any]) -> ResourceChange:
    details = found.get("Details", ())
    properties = {
        each["Target"].get("Name") or each["Target"]["Attribute"] for each in details if "Target" in each
    }
    return ResourceChange(
        kind=ChangeKind(found["Action"]),
        logical=found["LogicalResourceId"],
        type=found["ResourceType"],
        physical=found.get("PhysicalResourceId", ""),
        replaced=found.get("Replacement") in ("True", "Conditional"),
        properties=tuple(sorted(properties)),
    )


def _pauses() -> Iterator[None]:
    """Looks without end, further and further apart: what is quick is seen soon, what is slow is not asked
    too often."""
    pause = _FIRST_PAUSE
    while True:
        yield
        time.sleep(pause)
        pause = min(pause * _SLOWER, _LAST_PAUSE)
