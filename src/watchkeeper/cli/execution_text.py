"""An execution in a few lines."""

from __future__ import annotations

from watchkeeper.core.values import Execution


def execution_text(execution: Execution) -> str:
    """Schedule, window and status, then each violation and note on a line of its own."""
    lines = [f"{execution.schedule}, {execution.window}: {execution.status}, {execution.reason}"]
    lines += [f"  {found.subject}: {found.check}: {found.description}" for found in execution.violations]
    lines += [f"  note: {note}" for note in execution.notes]
    return "\n".join(lines)
