"""IAM's evaluation, as far as our policies go: who may do what to what, by identity and resource policies
together.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and, across
accounts, reference_policies_evaluation-logic-cross-account.html. An unknown condition operator is an error,
not a yes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.aws.stacks_of import Policy


@dataclass(frozen=True, slots=True)
class Call:
    """A role, by ARN, that does something to a resource; `context` are condition keys."""

    role: str
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        return self.role.split(":")[4]


def allowed(call: Call, policies: Sequence[Policy], owner: str) -> bool:
    """Whether the call is allowed; `owner` is the account of the resource.

    Within an account one yes is enough, across accounts both sides have to say it; a no wins over both. A
    key's policy always has to say yes: ours delegate to the account, whose own policies then count.
    """
    own = [each for each in policies if each.role == call.role]
    theirs = [each for each in policies if each.resource and _covers(each.resource, call.resource)]
    said_of_role, said_of_resource = [*_effects(call, own)], [*_effects(call, theirs, principal=True)]
    if "Deny" in said_of_role + said_of_resource:
        return False
    identity, resource = "Allow" in said_of_role, "Allow" in said_of_resource
    return identity and resource if owner != call.account else identity or resource


def granted(policies: Sequence[Policy], role: str) -> set[tuple[str, str]]:
    """Each action that a role's policies allow, with a resource it is allowed on."""
    return {
        (action, resource)
        for policy in policies
        if policy.role == role
        for statement in policy.document["Statement"]
        if statement["Effect"] == "Allow"
        for action in _list(statement["Action"])
        for resource in _list(statement["Resource"])
    }


def _covers(owned: str, resource: str) -> bool:
    """Whether a resource's policy is about what is called: the resource itself, or what is in it."""
    if ":model-package-group/" in owned:
        name = owned.partition("/")[2]
        return resource == owned or f":model-package/{name}/" in resource
    return resource == owned or resource.startswith(f"{owned}/")


def _effects(call: Call, policies: Sequence[Policy], principal: bool = False) -> Iterator[str]:
    for policy in policies:
        for statement in policy.document["Statement"]:
            if (
                (not principal or _admits(statement["Principal"], call))
                and any(fnmatchcase(call.action.lower(), each.lower()) for each in _list(statement["Action"]))
                and _about(statement, call)
                and _holds(statement.get("Condition", {}), call)
            ):
                yield statement["Effect"]


def _admits(principal: Any, call: Call) -> bool:
    if principal == "*":
        return True
    named = _list(principal.get("AWS", []))
    account = call.account
    return any(each in (account, f"arn:aws:iam::{account}:root", call.role) for each in named)


def _about(statement: Mapping[str, Any], call: Call) -> bool:
    if "NotResource" in statement:
        return not any(fnmatchcase(call.resource, each) for each in _list(statement["NotResource"]))
    if "Resource" not in statement:  # a repository's policy is about the repository
        return True
    return any(fnmatchcase(call.resource, each) for each in _list(statement["Resource"]))


def _holds(condition: Mapping[str, Any], call: Call) -> bool:
    known = {"aws:PrincipalArn": call.role, "aws:SecureTransport": "true", **call.context}
    return all(
        _compare(operator, known.get(key), _list(wanted))
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _compare(operator: str, got: str | None, wanted: Sequence[str]) -> bool:
    if got is None:
        return False
    if operator in ("StringEquals", "Bool"):
        return got in wanted
    if operator in ("StringLike", "ArnLike"):
        return any(re.fullmatch(each.replace("*", ".*"), got) for each in wanted)
    raise ValueError(f"our policies do not use {operator}")


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
