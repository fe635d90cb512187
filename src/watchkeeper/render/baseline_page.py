"""The page that compares two baselines: what would change in words, and both distributions."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.render import text
from watchkeeper.render.charts import Distribution
from watchkeeper.render.evidence import exhibits
from watchkeeper.render.pages import page


@dataclass(frozen=True, slots=True)
class BaselineDiffView:
    """Two baselines by their titles; each change is the column it is about, or nothing, and a sentence.

    In `distributions` the baseline is the one before, and the window the one after.
    """

    project: str
    monitor: str
    before: str
    after: str
    changes: tuple[tuple[str, str], ...]
    distributions: tuple[Distribution, ...] = ()
    classification: str = ""


def baseline_page(view: BaselineDiffView) -> str:
    """The page as HTML that needs nothing else."""
    count = len(view.changes)
    changed = text.sentence(text.spelled(count, "change")) if count else "Nothing would change"
    return page(
        "baseline_diff.html",
        classification=view.classification,
        view=view,
        headline=f"{changed} to the {view.monitor} baseline" if count else changed,
        exhibits=exhibits(view.distributions),
    )
