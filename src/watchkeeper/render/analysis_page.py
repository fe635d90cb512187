"""The page of one analysis of files: what was judged, what did not hold and in which rows, what was not.

However long texts are and however many columns there are, the page stays below `MOST_BYTES`: texts are
cut and lists end early, each saying so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from watchkeeper.core.values import Status
from watchkeeper.render import text
from watchkeeper.render.charts import Distribution, histogram, paired_bars
from watchkeeper.render.evidence import MOST_VALUES, most_changed
from watchkeeper.render.listed import Listed, shortened
from watchkeeper.render.pages import page, svg

MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Example:
    """One row at fault; the inference id is empty where there is none, `value` is what stands there."""

    file: str
    line: int
    inference_id: str
    value: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One check that did not hold, who asks for it, and rows that show it or the reason why none does."""

    subject: str
    check: str
    description: str
    source: str
    examples: tuple[Example, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DriftRow:
    """How far one column is from the baseline; `score` and `smallest` are empty where they are not known."""

    column: str
    method: str
    kind: str
    score: str
    limit: str
    smallest: str
    baseline_rows: int
    rows: int
    exceeded: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AskedRow:
    """One constraint in words, and its source: the baseline's data or an SLA."""

    column: str
    asked: str
    source: str


@dataclass(frozen=True, slots=True)
class BadLineRow:
    """A line that could not be used; `start` is how it begins, empty where it must not be shown."""

    file: str
    line: int
    reason: str
    start: str


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file that was read."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class AnalysisView:
    """One analysis as people read it. Every list may be empty; `baseline` is empty when there was none."""

    data: str
    baseline: str
    mode: str
    status: Status
    reason: str
    rows: int
    requests: int
    faults: tuple[Fault, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    drifts: tuple[DriftRow, ...] = ()
    asked: tuple[AskedRow, ...] = ()
    unjudged: tuple[str, ...] = ()
    bad_lines: int = 0
    bad: tuple[BadLineRow, ...] = ()
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a page may hold: items of each list, pictures, examples of a fault, characters of a text."""

    subjects: int = 100
    pictures: int = 40
    examples: int = 20
    rows: int = 500
    characters: int = 160

    def halved(self) -> Bounds:
        """Half of it, but one of each and a few characters."""
        return Bounds(
            max(self.subjects // 2, 1),
            self.pictures // 2,
            max(self.examples // 2, 1),
            max(self.rows // 2, 1),
            max(self.characters // 2, 20),
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """One column, or the rows as a whole, with all that did not hold."""

    name: str
    faults: tuple[Fault, ...]
    picture: Markup | str
    note: str


def analysis_page(view: AnalysisView) -> str:
    """The page as HTML that needs nothing else."""
    bounds = Bounds()
    while True:
        made = _page(view, bounds)
        if len(made.encode()) <= MOST_BYTES or bounds == bounds.halved():
            return made
        bounds = bounds.halved()


def _page(view: AnalysisView, bounds: Bounds) -> str:
    def listed(items: Sequence[object]) -> Listed:
        return Listed(tuple(items[: bounds.rows]), len(items))

    subjects = _subjects(view, bounds)
    return page(
        "analysis.html",
        view=view,
        headline=_headline(view, bounds),
        cut=lambda said: shortened(said, bounds.characters),
        long=lambda said: shortened(said, 4 * bounds.characters),
        subjects=subjects,
        drifts=listed(view.drifts),
        asked=listed(view.asked),
        unjudged=listed(view.unjudged),
        bad=listed(view.bad),
        inputs=listed(view.inputs),
    )


def _headline(view: AnalysisView, bounds: Bounds) -> str:
    name = shortened(view.data.rstrip("/").rpartition("/")[2] or view.data, bounds.characters // 2)
    if view.status is Status.COMPLETED and not view.baseline:
        return f"{name}: described, not judged"
    if view.status is Status.COMPLETED:
        return f"Every check held in {name}"
    if view.status is Status.VIOLATIONS:
        return f"{text.sentence(text.spelled(len(view.faults), 'check'))} did not hold in {name}"
    return f"No verdict on {name}"


def _subjects(view: AnalysisView, bounds: Bounds) -> Listed:
    found: dict[str, list[Fault]] = {}
    for fault in view.faults:
        found.setdefault(fault.subject, []).append(fault)
    groups = [(name, tuple(faults)) for name, faults in found.items()]
    drawn = {shown.column: shown for shown in view.distributions}
    subjects = [
        _subject(name, faults, drawn.get(name) if place < bounds.pictures else None, bounds)
        for place, (name, faults) in enumerate(groups[: bounds.subjects])
    ]
    return Listed(tuple(subjects), len(groups))


def _subject(name: str, faults: tuple[Fault, ...], shown: Distribution | None, bounds: Bounds) -> Subject:
    kept = tuple(replace(fault, examples=fault.examples[: bounds.examples]) for fault in faults)
    if shown is None:
        return Subject(name, kept, "", "")
    if shown.kind == "numeric":
        return Subject(name, kept, svg(histogram(replace(shown, column=shortened(name, 80)))), "")
    few = most_changed(shown)
    drawn = replace(
        few, column=shortened(name, 80), labels=tuple(shortened(label, 40) for label in few.labels)
    )
    left = len(shown.labels) - len(few.labels)
    note = f"The {MOST_VALUES} values that changed most, of {text.whole(len(shown.labels))}." if left else ""
    return Subject(name, kept, svg(paired_bars(drawn)), note)
