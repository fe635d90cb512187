"""The page of one request's explanation: how each column led from what was expected to the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.render import text
from watchkeeper.render.pages import page, svg
from watchkeeper.render.waterfall import Step, waterfall


@dataclass(frozen=True, slots=True)
class ExplainedRow:
    """A row of the request: columns with their value in it, and what each added, the largest first."""

    number: int
    expected: float
    prediction: float
    shares: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """A request, by its id, when it was answered and by which model version."""

    project: str
    inference_id: str
    time: datetime
    model_version: int
    unit: str
    method: str
    rows: tuple[ExplainedRow, ...]
    classification: str = ""


def explanation_page(view: ExplanationView) -> str:
    """The page as HTML that needs nothing else."""
    return page(
        "explanation.html",
        classification=view.classification,
        view=view,
        headline=f"Why {text.listing([text.amount(row.prediction, view.unit) for row in view.rows[:3]])}"
        f"{f' and {len(view.rows) - 3} more' if len(view.rows) > 3 else ''}",
        rows=[(row, svg(_picture(view, row))) for row in view.rows],
    )


def _picture(view: ExplanationView, row: ExplainedRow) -> str:
    steps = [
        Step(f"{column} = {value}", added, _signed(added, view.unit)) for column, value, added in row.shares
    ]
    return waterfall(f"Row {row.number}: what each column added", row.expected, steps)


def _signed(value: float, unit: str) -> str:
    return f"{'+' if value >= 0 else ''}{text.amount(value, unit)}"
