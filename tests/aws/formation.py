"""CloudFormation, as far as our deployer speaks to it: stacks, change sets, events, rollbacks.

No double creates all of our types, so this one reads our templates, decides what changes, and lets `makers`
do each resource's calls against the doubles, in a thread of its own as the real one does. Requests and
answers are held to botocore's shapes. Retaining, importing what is there already, and rolling back are as
the User Guide says.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.aws.makers import Makers
from tests.aws.templates import Resource, Stack, parse

ACCOUNT, REGION = "123456789012", "ap-southeast-1"
_REPLACED = (
    "AWS::SageMaker::Model",
    "AWS::SageMaker::EndpointConfig",
)  # whatever changes, another one is made

_TRACKING = "AWS::SageMaker::MlflowTrackingServer"


class Refused(Exception):
    """A request that CloudFormation turns down, with its code."""

    def __init__(self, message: str, code: str = "ValidationError") -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Held:
    """A stack as the service knows it."""

    name: str
    id: str
    status: str
    reason: str = ""
    text: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    made: dict[str, Resource] = field(default_factory=dict)
    attributes: dict[tuple[str, str], str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def stack(self) -> Stack:
        return Stack(parse(self.text), self.parameters, self.name, ACCOUNT, REGION, self.attributes)


@dataclass
class ChangeSet:
    id: str
    stack: str
    new: bool
    text: str
    parameters: dict[str, str]
    status: str
    reason: str
    changes: list[dict[str, Any]]


@dataclass
class Formation:
    """The service. `fail_on` names resources whose making fails; `pause` is how long each takes, in
    seconds."""

    makers: Makers
    pause: float = 0.0
    fail_on: set[str] = field(default_factory=set)
    stacks: dict[str, Held] = field(default_factory=dict)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    alone: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """One request's answer. Raises Refused."""
        handlers = {
            "CreateChangeSet": self._create_change_set,
            "DescribeChangeSet": self._describe_change_set,
            "DeleteChangeSet": self._delete_change_set,
            "ExecuteChangeSet": self._execute,
            "DescribeStacks": self._describe,
            "DescribeStackEvents": self._events,
            "ListStackResources": self._resources,
            "DeleteStack": self._delete,
        }
        with self.alone:
            self.asked.append((operation, asked))
            return handlers[operation](asked)

    def tracking_server(self, asked: dict[str, Any]) -> dict[str, Any]:
        """SageMaker's DescribeMlflowTrackingServer, of what a stack made: no double has them."""
        made = [each for held in self.stacks.values() for each in held.made.values()]
        names = [each.properties["TrackingServerName"] for each in made if each.type == _TRACKING]
        name = asked["TrackingServerName"]
        if name not in names:
            raise Refused(f"Tracking server {name} does not exist.", "ResourceNotFound")
        return {"TrackingServerName": name, "TrackingServerStatus": "Created", "IsActive": "Active"}

    def _text(self, asked: dict[str, Any]) -> str:
        """The template that was sent along, or that lies in a bucket."""
        if "TemplateBody" in asked:
            return str(asked["TemplateBody"])
        host, _, key = asked["TemplateURL"].removeprefix("https://").partition("/")
        found = self.makers.client("s3").get_object(Bucket=host.partition(".")[0], Key=key)
        return str(found["Body"].read().decode())

    # Change sets

    def _create_change_set(self, asked: dict[str, Any]) -> dict[str, Any]:
        name, new = asked["StackName"], asked["ChangeSetType"] == "CREATE"
        held = self.stacks.get(name)
        if new and held is not None and held.status != "REVIEW_IN_PROGRESS":
            raise Refused(
                f"Stack [{name}] already exists and cannot be created again", "AlreadyExistsException"
            )
        if not new and (held is None or held.status == "REVIEW_IN_PROGRESS"):
            raise Refused(f"Stack [{name}] does not exist")
        if held is not None and _running(held):
            raise Refused(f"Stack:{held.id} is in {held.status} state and can not be updated.")
        if held is None:
            here = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}"
            held = Held(name, f"{here}:stack/{name}/{uuid.uuid4()}", "REVIEW_IN_PROGRESS")
            self.stacks[name] = held
        parameters = {each["ParameterKey"]: each["ParameterValue"] for each in asked.get("Parameters", [])}
        wanted = replace(held, text=self._text(asked), parameters=parameters)
        try:
            changes = self._changes(held, wanted, asked.get("ImportExistingResources", False))
        except ValueError as error:
            if new and not held.events:
                del self.stacks[name]
            raise Refused(str(error)) from None
        status, reason = ("CREATE_COMPLETE", "") if changes else ("FAILED", _NOTHING)
        arn = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/{asked['ChangeSetName']}/{uuid.uuid4()}"
        self.change_sets[arn] = ChangeSet(arn, name, new, wanted.text, parameters, status, reason, changes)
        return {"Id": arn, "StackId": held.id}

    def _describe_change_set(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Two changes a page, so that pages are read."""
        found, start = self._change_set(asked["ChangeSetName"]), int(asked.get("NextToken", 0))
        page = {"NextToken": str(start + 2)} if len(found.changes) > start + 2 else {}
        return {
            "ChangeSetId": found.id,
            "StackName": found.stack,
            "Status": found.status,
            **({"StatusReason": found.reason} if found.reason else {}),
            "Changes": found.changes[start : start + 2],
            **page,
        }

    def _delete_change_set(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.change_sets.pop(asked["ChangeSetName"], None)
        return {}

    def _change_set(self, arn: str) -> ChangeSet:
        if arn not in self.change_sets:
            raise Refused(f"ChangeSet [{arn}] does not exist", "ChangeSetNotFound")
        return self.change_sets[arn]

    def _changes(self, held: Held, wanted: Held, imports: bool) -> list[dict[str, Any]]:
        new = wanted.stack()
        new.values()
        resources, found, replaced = new.resources(), [], set[str]()
        new.outputs()
        for logical in _in_order(new, resources):
            resource = resources[logical]
            if logical not in held.made:
                there = imports and self.makers.there(resource.type, resource.properties)
                found.append(_described(resource, "Import" if there else "Add"))
                continue
            names = _differing(held.made[logical].properties, resource.properties)
            names |= {"Depends"} if _named(new, logical) & replaced else set()
            if names:
                again = resource.type in _REPLACED
                replaced |= {logical} if again else set()
                found.append(_described(held.made[logical], "Modify", again, sorted(names)))
        found += [
            _described(each, "Remove") for logical, each in held.made.items() if logical not in resources
        ]
        return found

    # Operations on stacks

    def _execute(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self._change_set(asked["ChangeSetName"])
        held = self.stacks[found.stack]
        if found.status != "CREATE_COMPLETE" or _running(held):
            raise Refused(f"ChangeSet [{found.id}] cannot be executed", "InvalidChangeSetStatus")
        self.change_sets = {arn: each for arn, each in self.change_sets.items() if each.stack != found.stack}
        token = asked.get("ClientRequestToken", "")
        held.status = "CREATE_IN_PROGRESS" if found.new else "UPDATE_IN_PROGRESS"
        self._event(held, held.name, held.id, "AWS::CloudFormation::Stack", held.status, token)
        threading.Thread(target=self._run, args=(held, found, token), daemon=True).start()
        return {}

    def _run(self, held: Held, found: ChangeSet, token: str) -> None:
        verb = "CREATE" if found.new else "UPDATE"
        before = replace(held, made=dict(held.made), attributes=dict(held.attributes))
        held.text, held.parameters = found.text, found.parameters
        try:
            self._make_all(
                held, {each["ResourceChange"]["LogicalResourceId"] for each in found.changes}, token
            )
        except _Failed as failed:
            with self.alone:
                for logical in reversed([name for name in held.made if name not in before.made]):
                    self._remove(held, held.made[logical], token)
                held.text, held.parameters = before.text, before.parameters
                held.made, held.attributes = before.made, before.attributes
                end = "ROLLBACK_COMPLETE" if found.new else "UPDATE_ROLLBACK_COMPLETE"
                self._end(held, end, f"The following resource(s) failed: [{failed}].", token)
            return
        with self.alone:
            for logical in [name for name in held.made if name not in held.stack().resources()]:
                self._remove(held, held.made.pop(logical), token)
            self._end(held, f"{verb}_COMPLETE", "", token)

    def _make_all(self, held: Held, concerned: set[str], token: str) -> None:
        stack = held.stack()
        for logical in _in_order(stack, stack.resources()):
            resource = held.stack().resources()[logical]
            same = logical in held.made and held.made[logical].properties == resource.properties
            if same or (logical not in concerned and logical in held.made):
                continue
            self._make(held, resource, token)

    def _make(self, held: Held, resource: Resource, token: str) -> None:
        verb = "UPDATE" if resource.logical in held.made else "CREATE"
        with self.alone:
            self._event(held, resource.logical, "", resource.type, f"{verb}_IN_PROGRESS", token)
        time.sleep(self.pause)  # how long AWS takes; nothing waits for it but the operation itself
        with self.alone:
            if resource.logical in self.fail_on:
                self._event(
                    held,
                    resource.logical,
                    "",
                    resource.type,
                    f"{verb}_FAILED",
                    token,
                    "Resource handler said no",
                )
                raise _Failed(resource.logical)
            old = held.made.get(resource.logical)
            kept = old is not None and resource.type == "AWS::KMS::Key"
            try:
                given = {} if kept else self.makers.make(resource.type, resource.properties)
            except (BotoCoreError, ClientError, AssertionError, LookupError, TypeError, ValueError) as error:
                said = repr(error)  # a fault of the double, too, ends the stack and not the test run
                self._event(held, resource.logical, "", resource.type, f"{verb}_FAILED", token, said)
                raise _Failed(resource.logical) from None
            held.attributes |= {(resource.logical, name): text for name, text in given.items()}
            held.made[resource.logical] = held.stack().resources()[resource.logical]
            physical = held.made[resource.logical].physical
            self._event(held, resource.logical, physical, resource.type, f"{verb}_COMPLETE", token)

    def _delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        held = self._held(asked["StackName"], missing=None)
        if held is None:
            return {}
        if held.status == "REVIEW_IN_PROGRESS":
            del self.stacks[held.name]
            return {}
        if _running(held):
            raise Refused(f"Stack [{held.name}] is in {held.status} state and can not be deleted")
        token = asked.get("ClientRequestToken", "")
        held.status = "DELETE_IN_PROGRESS"
        self._event(held, held.name, held.id, "AWS::CloudFormation::Stack", held.status, token)
        threading.Thread(target=self._delete_all, args=(held, token), daemon=True).start()
        return {}

    def _delete_all(self, held: Held, token: str) -> None:
        for logical in reversed(list(held.made)):
            time.sleep(self.pause)  # as above
            with self.alone:
                resource = held.made.pop(logical)
                if resource.deletion_policy.startswith("Retain"):
                    self._event(held, logical, resource.physical, resource.type, "DELETE_SKIPPED", token)
                else:
                    self._remove(held, resource, token)
        with self.alone:
            self._end(held, "DELETE_COMPLETE", "", token)
            self.stacks[held.id] = self.stacks.pop(held.name)  # a deleted stack is found by its id alone

    def _remove(self, held: Held, resource: Resource, token: str) -> None:
        self.makers.remove(resource.type, resource.physical, resource.properties)
        self._event(held, resource.logical, resource.physical, resource.type, "DELETE_COMPLETE", token)

    def _end(self, held: Held, status: str, reason: str, token: str) -> None:
        held.status, held.reason = status, reason
        self._event(held, held.name, held.id, "AWS::CloudFormation::Stack", status, token, reason)

    def _event(
        self, held: Held, logical: str, physical: str, type_: str, status: str, token: str, reason: str = ""
    ) -> None:
        held.events.append(
            {
                "StackId": held.id,
                "EventId": str(uuid.uuid4()),
                "StackName": held.name,
                "LogicalResourceId": logical,
                "PhysicalResourceId": physical,
                "ResourceType": type_,
                "Timestamp": datetime.now(UTC),
                "ResourceStatus": status,
                **({"ResourceStatusReason": reason} if reason else {}),
                **({"ClientRequestToken": token} if token else {}),
            }
        )

    # Looking

    def _held(self, name: str, missing: str | None = "does not exist") -> Held | None:
        found = self.stacks.get(name) or next((e for e in self.stacks.values() if e.id == name), None)
        if found is None and missing:
            raise Refused(f"Stack with id {name} {missing}")
        return found

    def _describe(self, asked: dict[str, Any]) -> dict[str, Any]:
        held = self._held(asked["StackName"])
        assert held is not None
        parameters = [
            {"ParameterKey": key, "ParameterValue": str(text)} for key, text in held.parameters.items()
        ]
        outputs = held.stack().outputs() if held.made and held.status.endswith("COMPLETE") else {}
        return {
            "Stacks": [
                {
                    "StackId": held.id,
                    "StackName": held.name,
                    "CreationTime": datetime.now(UTC),
                    "StackStatus": held.status,
                    **({"StackStatusReason": held.reason} if held.reason else {}),
                    "Parameters": parameters,
                    "Outputs": [
                        {"OutputKey": key, "OutputValue": str(text)} for key, text in outputs.items()
                    ],
                }
            ]
        }

    def _events(self, asked: dict[str, Any]) -> dict[str, Any]:
        held = self._held(asked["StackName"])
        assert held is not None
        return {"StackEvents": held.events[::-1]}

    def _resources(self, asked: dict[str, Any]) -> dict[str, Any]:
        held = self._held(asked["StackName"])
        assert held is not None
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": each.logical,
                    "PhysicalResourceId": each.physical,
                    "ResourceType": each.type,
                    "LastUpdatedTimestamp": datetime.now(UTC),
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for each in held.made.values()
            ]
        }


class _Failed(Exception):
    pass


_NOTHING = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


def _running(held: Held) -> bool:
    return held.status.endswith("_IN_PROGRESS") and held.status != "REVIEW_IN_PROGRESS"


def _described(
    resource: Resource, action: str, again: bool = False, properties: list[str] | None = None
) -> dict[str, Any]:
    details = [
        {"Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": "Never"}}
        for name in properties or []
    ]
    change: dict[str, Any] = {
        "Action": action,
        "LogicalResourceId": resource.logical,
        "ResourceType": resource.type,
    }
    if action == "Modify":
        change |= {"Replacement": "True" if again else "False", "Details": details}
    if action in ("Modify", "Remove"):
        change["PhysicalResourceId"] = resource.physical
    return {"Type": "Resource", "ResourceChange": change}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    return {key for key in {*old, *new} if old.get(key) != new.get(key)}


def _named(stack: Stack, logical: str) -> set[str]:
    """The resources that a resource's properties name."""
    text = json.dumps(stack.document["Resources"][logical].get("Properties", {}))
    others = set(stack.document["Resources"]) - {logical}
    return {
        other
        for other in others
        if f'{{"Ref": "{other}"}}' in text
        or f'["{other}", ' in text
        or f"${{{other}." in text
        or f"${{{other}}}" in text
    }


def _in_order(stack: Stack, resources: Mapping[str, Resource]) -> Iterator[str]:
    """Each resource after those that it names."""
    done: set[str] = set()

    def visit(logical: str) -> Iterator[str]:
        if logical in done or logical not in resources:
            return
        done.add(logical)
        for other in sorted(_named(stack, logical)):
            yield from visit(other)
        yield logical

    for logical in resources:
        yield from visit(logical)
