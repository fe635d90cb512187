"""What goes into a training run."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from watchkeeper.core.values import Role, Schema
from watchkeeper.core.windows import shift_month
from watchkeeper.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """Rows of text columns and their digest, what the columns are for, and what is known by now.

    `known_through` is the newest month whose labels are complete; nothing later is looked at.
    """

    frame: pl.DataFrame
    data_digest: str
    schema: Schema
    settings: TrainingSettings
    known_through: str
    code_version: str

    @property
    def months(self) -> tuple[str, str]:
        """First and last month of the window, both included."""
        return shift_month(self.known_through, 1 - self.settings.window.months), self.known_through

    @property
    def time(self) -> str:
        """The column that holds the month. Raises ValueError unless the schema has exactly one."""
        found = [column.name for column in self.schema.columns if column.role is Role.TIME]
        if len(found) != 1:
            raise ValueError(
                f"schema v{self.schema.version}: want one column with role time, got {len(found)}"
            )
        return found[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """Inputs and the label, in the schema's order."""
        return (*(column.name for column in self.schema.inputs), self.schema.label.name)
