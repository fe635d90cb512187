"""Issues of a Jira project.

Source: developer.atlassian.com/cloud/jira/platform/rest/v2, whose texts are plain; searches are those of
version 3, `/search/jql`, as version 2's are gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx


class Issues:
    """`url` is the site's, `https://NAME.atlassian.net`; `board` the project's key."""

    def __init__(self, client: httpx.Client, options: Mapping[str, str]) -> None:
        client.headers["accept"] = "application/json"
        self._client, self._url = client, options["url"].rstrip("/")
        self._board, self._type = options["board"], options.get("issue_type", "Task")

    def find(self, label: str) -> str | None:
        asked = f"project = {json.dumps(self._board)} and labels = {json.dumps(label)} order by created"
        found = self._send(
            "POST", "/rest/api/3/search/jql", {"jql": asked, "fields": ["key"], "maxResults": 1}
        )
        return str(found["issues"][0]["key"]) if found["issues"] else None

    def open(self, title: str, text: str, label: str) -> str:
        fields = {
            "project": {"key": self._board},
            "issuetype": {"name": self._type},
            "summary": title,
            "description": text,
            "labels": [label],
        }
        return str(self._send("POST", "/rest/api/2/issue", {"fields": fields})["key"])

    def said(self, ticket: str, words: str) -> bool:
        fields = self._get(f"/rest/api/2/issue/{ticket}", fields="description,comment")["fields"]
        texts = [fields["description"], *(each["body"] for each in fields["comment"]["comments"])]
        return any(words in (text or "") for text in texts)

    def comment(self, ticket: str, text: str) -> None:
        self._send("POST", f"/rest/api/2/issue/{ticket}/comment", {"body": text})

    def close(self, ticket: str) -> None:
        """Take the first way that leads to a status of the category `done`."""
        path = f"/rest/api/2/issue/{ticket}"
        if self._get(path, fields="status")["fields"]["status"]["statusCategory"]["key"] == "done":
            return
        ways = self._get(f"{path}/transitions")["transitions"]
        done = next((each["id"] for each in ways if each["to"]["statusCategory"]["key"] == "done"), None)
        if done is None:
            raise LookupError(f"close {ticket}: no transition leads to a status of the category done")
        self._send("POST", f"{path}/transitions", {"transition": {"id": done}})

    def _get(self, path: str, **query: str) -> Any:
        return self._client.get(f"{self._url}{path}", params=query).raise_for_status().json()

    def _send(self, method: str, path: str, body: Mapping[str, object]) -> Any:
        answer = self._client.request(method, f"{self._url}{path}", json=body).raise_for_status()
        return answer.json() if answer.content else None
