"""Trackers of tickets, one module per kind: what `ticket` asks of each."""

from __future__ import annotations

from typing import Protocol


class Tracker(Protocol):
    """A tracker over HTTP. Every method raises httpx.HTTPError for an answer that is no success."""

    def find(self, label: str) -> str | None:
        """The number or key of the ticket with this label, open or closed; None without one."""

    def open(self, title: str, text: str, label: str) -> str:
        """Open a ticket with the label, and give its number or key."""

    def said(self, ticket: str, words: str) -> bool:
        """Whether a comment or the text of the ticket holds these words."""

    def comment(self, ticket: str, text: str) -> None: ...

    def close(self, ticket: str) -> None:
        """Close it; nothing when it is closed."""
