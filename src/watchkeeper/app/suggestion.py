"""What a baseline is made of: two files as text."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.core.encoding import digest


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A baseline's two files, as the contract spells them."""

    statistics: str
    constraints: str

    @property
    def digest(self) -> str:
        """sha256 over both files."""
        return digest([self.statistics, self.constraints])
