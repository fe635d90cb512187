"""Takes a person's word on a retrain that waits for it.

Whoever calls the function's address has signed the request as somebody of IAM: that is the approver, whatever
the request says. Only a POST says anything; a GET, as a link in a mail would be, changes nothing.
Sources: docs.aws.amazon.com/lambda/latest/dg/urls-auth.html and urls-invocation.html, the request's payload.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from typing import Any

from watchkeeper.app.aws.functions.retrain import Desk, RetrainPlan, open_desk
from watchkeeper.app.aws.functions.told import plan
from watchkeeper.core.errors import InputError, Refused
from watchkeeper.core.values import Actor

log = logging.getLogger("watchkeeper")
log.setLevel(logging.INFO)
_WANTED = 'want a POST of {"environment": NAME, "decision": ID, "approved": true or false, "why": REASON}'


def answer(desk: Desk, event: Mapping[str, Any]) -> tuple[int, str]:
    """The status and the words for a request."""
    context = event["requestContext"]
    if context["http"]["method"] != "POST":
        return 405, f"nothing is changed: {_WANTED}"
    arn = context.get("authorizer", {}).get("iam", {}).get("userArn", "")
    if not arn:
        return 403, "nothing is changed: want a request that IAM has authenticated"
    try:
        said = json.loads(_body(event))
        environment, decision = str(said["environment"]), str(said["decision"])
        approved, why = said["approved"], str(said["why"]).strip()
    except (ValueError, KeyError, TypeError) as error:
        return 400, f"{_WANTED}, got {error!r}"
    if not isinstance(approved, bool) or not why:
        return 400, f"{_WANTED}, and a reason"
    actor = Actor(arn.split(":")[-1].partition("/")[2] or arn, "session")
    try:
        return 200, "; ".join(desk.on_word(environment, decision, approved, actor, why))
    except Refused as refused:
        return 409, str(refused)
    except InputError as error:
        return 404, str(error)


def _body(event: Mapping[str, Any]) -> str:
    body = event.get("body") or ""
    return base64.b64decode(body).decode() if event.get("isBase64Encoded") else body


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """A request to the function's address."""
    status, words = answer(open_desk(plan(RetrainPlan)), event)
    log.info("%d: %s", status, words)
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"said": words}),
    }
