"""What a rehearsal has reported so far: a frozen value that the live view draws, in whichever thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from watchkeeper.core.rules import AlertState
from watchkeeper.core.values import Progress

# What each reported step is called in the loop's own words, in its order.
LOOP = {
    "prepare": "prepare",
    "ingest": "ingest",
    "validate": "validate",
    "split": "split by time",
    "search": "search",
    "evaluate": "evaluate",
    "register": "register",
    "promote": "approve and deploy",
    "live": "serve, capture, label",
    "monitor": "monitor",
    "alert": "alert",
    "decide": "decide",
    "retrain": "retrain",
}
TRAINING = ("ingest", "validate", "split", "search", "evaluate", "register")
DONE = "done"  # the step reported when nothing is left to do
EVENTS_KEPT = 60


class RetrainEnd(StrEnum):
    """How a retrain stands, by the mark it has in the view."""

    OPEN = "?"
    WON = "●"
    LOST = "○"
    FAILED = "×"


_ENDS = {"promoted": RetrainEnd.WON, "failed": RetrainEnd.FAILED}


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that began to fire: in which month, and about which."""

    name: str
    month: str
    about: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth a line, on the rehearsal's own day."""

    day: str
    said: str


@dataclass(frozen=True, slots=True)
class RehearsalState:
    """Everything heard so far. `day` is the rehearsal's clock; empty before it goes live."""

    steps: Mapping[str, Progress] = field(default_factory=dict)
    last: Progress | None = None
    day: str = ""
    serving: tuple[int, str] | None = None  # version, day it went into service
    verdicts: Mapping[str, Progress] = field(default_factory=dict)  # by month
    firing: Mapping[str, Progress] = field(default_factory=dict)  # by series
    fired: tuple[Fired, ...] = ()
    retrains: tuple[tuple[str, RetrainEnd], ...] = ()  # month, how it stands
    events: tuple[Event, ...] = ()

    @property
    def month(self) -> str:
        """The month under way; empty before the rehearsal goes live."""
        return self.day[:7]

    def take(self, step: Progress) -> RehearsalState:
        """The state after one report."""
        after = replace(self, steps={**self.steps, step.step: step}, last=step)
        after = _FOLDS[step.step](after, step) if step.step in _FOLDS else after
        said = describe(step)
        if not said:
            return after
        return replace(after, events=(*after.events, Event(after.day, said))[-EVENTS_KEPT:])

    def alerts_about(self, month: str) -> tuple[str, ...]:
        """Names of the alerts that began to fire about a month."""
        return tuple(each.name for each in self.fired if each.about == month)

    def count(self, end: RetrainEnd) -> int:
        """How many retrains stand so."""
        return sum(found is end for _, found in self.retrains)


def describe(step: Progress) -> str:
    """A report in a few words; empty for one that is not worth a line."""
    labels = step.labels
    match step.step:
        case "month":
            return f"{step.labels['month']}: {verdict(step)}"
        case "alert" if "name" in labels:
            fires = labels["state"] == AlertState.FIRING
            return f"{labels['name']} " + (f"fires, about {labels['month']}" if fires else labels["state"])
        case "retrain" if "outcome" in labels:
            won = "model_version" in step.figures
            return f"v{step.figures['model_version']:.0f} {step.note}" if won else f"retrain: {step.note}"
        case "decide" | "promote":
            return step.note
    return ""


def verdict(step: Progress) -> str:
    """A month's report: rows, version, and RMSE against the baseline or why there is none."""
    figures = step.figures
    version = f", v{figures['model_version']:.0f}" if "model_version" in figures else ""
    rows = f"{figures['rows']:,.0f} rows{version}"
    if "rmse" not in figures:
        return f"{rows}, no verdict ({step.labels['status']})"
    if "rmse_baseline_ratio" not in figures:
        return f"{rows}, RMSE {figures['rmse']:,.0f}"
    return f"{rows}, RMSE {figures['rmse']:,.0f} ({figures['rmse_baseline_ratio']:.2f} × baseline)"


def _live(state: RehearsalState, step: Progress) -> RehearsalState:
    return replace(state, day=step.note)


def _serves(state: RehearsalState, step: Progress) -> RehearsalState:
    version = step.figures.get("model_version")
    return state if version is None else replace(state, serving=(round(version), state.day))


def _month(state: RehearsalState, step: Progress) -> RehearsalState:
    return replace(state, verdicts={**state.verdicts, step.labels["month"]: step})


def _alert(state: RehearsalState, step: Progress) -> RehearsalState:
    labels = step.labels
    others = {series: each for series, each in state.firing.items() if series != labels["series"]}
    if labels["state"] != AlertState.FIRING:
        return replace(state, firing=others)
    fired = Fired(labels["name"], state.month, labels["month"])
    return replace(state, firing={**others, labels["series"]: step}, fired=(*state.fired, fired))


def _decide(state: RehearsalState, step: Progress) -> RehearsalState:
    if step.labels["kind"] != "Retrain":
        return state
    return replace(state, retrains=(*state.retrains, (state.month, RetrainEnd.OPEN)))


def _retrain(state: RehearsalState, step: Progress) -> RehearsalState:
    if not state.retrains or "outcome" not in step.labels:
        return state
    end = _ENDS.get(step.labels["outcome"], RetrainEnd.LOST)
    return _serves(replace(state, retrains=(*state.retrains[:-1], (state.month, end))), step)


_FOLDS = {
    "live": _live,
    "promote": _serves,
    "month": _month,
    "alert": _alert,
    "decide": _decide,
    "retrain": _retrain,
}
