"""Issues of a GitHub repository, or of what speaks its REST API, such as Gitea.

Source: docs.github.com/en/rest/issues.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

_PAGE = 100  # comments in an answer, the most there are


class Issues:
    """The option `url` is the repository's: `https://api.github.com/repos/OWNER/NAME`."""

    def __init__(self, client: httpx.Client, options: Mapping[str, str]) -> None:
        client.headers["accept"] = "application/vnd.github+json"
        self._client, self._url = client, options["url"].rstrip("/")

    def find(self, label: str) -> str | None:
        found = self._get("/issues", labels=label, state="all", per_page="1", direction="asc")
        return str(found[0]["number"]) if found else None

    def open(self, title: str, text: str, label: str) -> str:
        return str(self._send("POST", "/issues", {"title": title, "body": text, "labels": [label]})["number"])

    def said(self, ticket: str, words: str) -> bool:
        return any(words in (text or "") for text in self._texts(ticket))

    def comment(self, ticket: str, text: str) -> None:
        self._send("POST", f"/issues/{ticket}/comments", {"body": text})

    def close(self, ticket: str) -> None:
        self._send("PATCH", f"/issues/{ticket}", {"state": "closed", "state_reason": "completed"})

    def _texts(self, ticket: str) -> Iterator[str | None]:
        yield self._get(f"/issues/{ticket}")["body"]
        page = 1
        while comments := self._get(f"/issues/{ticket}/comments", per_page=str(_PAGE), page=str(page)):
            yield from (each["body"] for each in comments)
            if len(comments) < _PAGE:
                return
            page += 1

    def _get(self, path: str, **query: str) -> Any:
        answer = self._client.get(f"{self._url}{path}", params=query)
        return answer.raise_for_status().json()

    def _send(self, method: str, path: str, body: Mapping[str, object]) -> Any:
        return self._client.request(method, f"{self._url}{path}", json=body).raise_for_status().json()
