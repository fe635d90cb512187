"""Lists and texts that end early, and say so."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.render import text


@dataclass(frozen=True, slots=True)
class Listed:
    """The items that are shown, and how many there are."""

    items: tuple[object, ...]
    total: int

    @property
    def cut(self) -> str:
        """What to say beneath a list that ends early."""
        return f"The first {text.whole(len(self.items))} of {text.whole(self.total)}." if self.left else ""

    @property
    def left(self) -> int:
        return self.total - len(self.items)


def shortened(said: str, most: int) -> str:
    """The text, or its start and how long it is.

    >>> shortened("a" * 10_000, 5)
    'aaaaa… (10,000 characters)'
    """
    return said if len(said) <= most else f"{said[:most]}… ({len(said):,} characters)"
