"""Text for Markdown."""

from __future__ import annotations


def plain(text: str) -> str:
    """Text that Markdown leaves as it is: names and values come from data."""
    for sign in "\\`*_{}[]<>#|":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
