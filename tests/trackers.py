"""Trackers on this machine that answer as GitHub's and Jira's documentation says, each to its own token."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.webhooks import Quiet, served

GITHUB_TOKEN, JIRA_USER, JIRA_TOKEN = "ghp_only-here", "bot@example.org", "jira-only-here"


@dataclass(slots=True)
class Issue:
    number: int
    title: str
    text: str
    labels: list[str]
    closed: bool = False
    comments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Trackers:
    """Both of them, over the same issues; `down` is what every request is answered with, when it is set."""

    url: str = ""
    issues: list[Issue] = field(default_factory=list)
    down: int | None = None
    lost: bool = False  # what it opens next is opened, and the answer does not arrive

    def github(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if (method, path) == ("GET", "/issues"):
            assert query["state"] == "all"
            found = [each for each in self.issues if query["labels"] in each.labels]
            return 200, [_github(each) for each in found]
        if (method, path) == ("POST", "/issues"):
            self.issues.append(Issue(len(self.issues) + 1, body["title"], body["body"], body["labels"]))
            return 201, _github(self.issues[-1])
        number, _, rest = path.removeprefix("/issues/").partition("/")
        issue = self.issues[int(number) - 1]
        if (method, rest) == ("GET", ""):
            return 200, _github(issue)
        if (method, rest) == ("GET", "comments"):
            start = (int(query["page"]) - 1) * int(query["per_page"])
            return 200, [{"body": text} for text in issue.comments[start : start + int(query["per_page"])]]
        if (method, rest) == ("POST", "comments"):
            issue.comments.append(body["body"])
            return 201, {"body": body["body"]}
        if method == "PATCH":
            issue.closed = body["state"] == "closed"
            return 200, _github(issue)
        return 404, {"message": "Not Found"}

    def jira(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if (method, path) == ("POST", "/rest/api/3/search/jql"):
            asked = re.fullmatch(r'project = "(\w+)" and labels = "([\w-]+)" order by created', body["jql"])
            assert asked is not None
            found = [each for each in self.issues if asked[2] in each.labels]
            return 200, {"issues": [{"key": f"{asked[1]}-{each.number}"} for each in found]}
        if (method, path) == ("POST", "/rest/api/2/issue"):
            fields = body["fields"]
            assert fields["issuetype"] == {"name": "Task"}
            number = len(self.issues) + 1
            self.issues.append(Issue(number, fields["summary"], fields["description"], fields["labels"]))
            return 201, {"key": f"{fields['project']['key']}-{number}"}
        number_text, _, rest = path.removeprefix("/rest/api/2/issue/OPS-").partition("/")
        issue = self.issues[int(number_text) - 1]
        if (method, rest) == ("GET", ""):
            return 200, {"fields": _jira(issue)}
        if (method, rest) == ("POST", "comment"):
            issue.comments.append(body["body"])
            return 201, {"body": body["body"]}
        if (method, rest) == ("GET", "transitions"):
            ways = (("11", "indeterminate"), ("31", "done"))
            return 200, {
                "transitions": [{"id": way, "to": {"statusCategory": {"key": key}}} for way, key in ways]
            }
        if (method, rest) == ("POST", "transitions"):
            issue.closed = body["transition"]["id"] == "31"
            return 204, None
        return 404, {"errorMessages": ["not here"]}


def _github(issue: Issue) -> dict[str, Any]:
    return {
        "number": issue.number,
        "body": issue.text,
        "state": "closed" if issue.closed else "open",
    }


def _jira(issue: Issue) -> dict[str, Any]:
    return {
        "description": issue.text,
        "comment": {"comments": [{"body": text} for text in issue.comments]},
        "status": {"statusCategory": {"key": "done" if issue.closed else "new"}},
    }


@contextmanager
def trackers() -> Iterator[Trackers]:
    """Both trackers, at `url`: GitHub's repository below `/repos/o/r`, Jira's site at the root."""
    both = Trackers()

    class Handler(Quiet):
        def _any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            on_github = parts.path.startswith("/repos/o/r")
            basic = base64.b64encode(f"{JIRA_USER}:{JIRA_TOKEN}".encode()).decode()
            wanted = f"Bearer {GITHUB_TOKEN}" if on_github else f"Basic {basic}"
            if both.down is not None:
                code, answer = both.down, None
            elif self.headers["authorization"] != wanted:
                code, answer = 401, None
            elif on_github:
                code, answer = both.github(self.command, parts.path.removeprefix("/repos/o/r"), query, body)
            else:
                code, answer = both.jira(self.command, parts.path, body)
            if both.lost and code == 201:
                both.lost = False
                code, answer = 502, None
            sent = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = _any

    with served(Handler) as url:
        both.url = url
        yield both
