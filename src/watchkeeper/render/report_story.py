"""The report's sentences, key figures and loop: what happened, and what must be decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.core.decisions import DecisionKind
from watchkeeper.core.rules import AlertState
from watchkeeper.core.values import ApprovalStatus
from watchkeeper.render import text
from watchkeeper.render.loop import Step
from watchkeeper.render.report_values import Month, Report


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure: its name, the figure, and what it is to be held against."""

    name: str
    value: str
    beside: str
    tone: str = "calm"


def headline(report: Report) -> str:
    """What a reader must know first: something waits for a decision, something happened, or all is calm."""
    when = text.months_text(report.first, report.until)
    firing = [alert.name for alert in report.alerts if alert.state is AlertState.FIRING]
    if report.waiting:
        waits = (
            "a retrain waits"
            if len(report.waiting) == 1
            else f"{text.spelled(len(report.waiting), 'retrain')} wait"
        )
        return f"{_spoken([decision.alert for decision in report.waiting])}: {waits} for your approval"
    if firing:
        return f"{_spoken(firing)}: {'a person should look' if report.reviews else 'still firing'}"
    return _settled(report, when)


def _settled(report: Report, when: str) -> str:
    promoted = sum(retrain.promoted is not None for retrain in report.retrains)
    if promoted:
        return f"{text.sentence(text.spelled(promoted, 'retrain'))} kept the model up with the market"
    if any(alert.fired_at for alert in report.alerts):
        return f"An alert came and went in {when}; nothing waits for you"
    if found := _violations(report):
        return f"{text.sentence(text.spelled(found, 'check'))} did not hold in {when}; no alert fired"
    return f"All calm in {when}: nothing to decide" if report.executions else "Nothing has been judged yet"


def standfirst(report: Report) -> str:
    """The traffic and how good the answers were, then what was found and what is to be done."""
    counts = report.counts
    span = text.months_text(report.first, report.until)
    when = f"In {span}" if report.first == report.until else f"From {span}"
    answered = f"{text.count(counts.requests, 'request')} with {text.count(counts.rows, 'row')}"
    traffic = f"{when} {report.environment} answered {answered}{_quality(report)}."
    return " ".join(said for said in (traffic, _found(report), _to_do(report)) if said)


def figures(report: Report) -> tuple[Figure, ...]:
    """The five or six figures at the top."""
    latest = next((month for month in reversed(report.months) if month.metrics), None)
    shown = _quality_figures(report, latest) if latest and latest.metrics else ()
    found, fired = _violations(report), sum(alert.fired_at is not None for alert in report.alerts)
    counts = report.counts
    joined = counts.requests == counts.captured and counts.rows == counts.labels == counts.scored
    beside = "every row joined to its label" if joined else f"{text.whole(counts.scored)} scored"
    todo = len(report.waiting) + len(report.reviews)
    return (
        *shown,
        Figure("Rows", text.whole(counts.rows), beside, "ok" if joined else "warn"),
        Figure(
            "Violations",
            text.whole(found),
            f"in {text.count(len(report.executions), 'execution')}",
            "warn" if found else "ok",
        ),
        Figure("Alerts", text.whole(fired), "began to fire", "bad" if fired else "ok"),
        Figure("To decide", text.whole(todo), _decided(report), "bad" if todo else "ok"),
    )


def steps(report: Report) -> tuple[Step, ...]:
    """The twelve steps of the loop with this run's figures."""
    return (*_model_steps(report), *_watch_steps(report))


def way_back(report: Report) -> str:
    """What is written at the arrow from the decision back to training."""
    rounds = sum(retrain.promoted is not None for retrain in report.retrains)
    waiting = "; the next waits for approval" if report.waiting else ""
    if rounds:
        return f"{text.count(rounds, 'time')} round{waiting}"
    return (
        "a retrain would go round again, after approval"
        if not waiting
        else "a retrain goes round again once approved"
    )


def _quality_figures(report: Report, month: Month) -> tuple[Figure, ...]:
    if month.metrics is None:
        return ()
    against = f"{text.times(month.ratio)} the baseline" if month.ratio is not None else "no baseline yet"
    over = report.ratio_limit is not None and month.ratio is not None and month.ratio > report.ratio_limit
    tone = "bad" if over else "calm"
    of = text.month_short(month.month)
    unit = f" in {report.label_unit}" if report.label_unit else ""
    return (
        Figure(
            f"R², {of}", text.decimal(month.metrics.r2), f"mean error {text.share(month.metrics.mape)}", tone
        ),
        Figure(f"RMSE{unit}, {of}", text.amount(month.metrics.rmse), against, tone),
    )


def _spoken(alerts: Sequence[str]) -> str:
    """Alerts by their names, in words: `Data quality violations and endpoint errors`."""
    return text.sentence(text.listing([text.words(name) for name in dict.fromkeys(alerts)]))


def _violations(report: Report) -> int:
    return sum(len(execution.violations) for execution in report.executions)


def _quality(report: Report) -> str:
    known = [month.metrics for month in report.months if month.metrics]
    alone = [month.unwatched for month in report.months if month.unwatched]
    if not known:
        return ""
    if len(known) == 1:
        return f", with R² {text.decimal(known[0].r2)}"
    ended = f" and ended at R² {text.decimal(known[-1].r2)}"
    return (
        f"{ended}; left alone, the first model would have ended at {text.decimal(alone[-1].r2)}"
        if alone
        else ended
    )


def _found(report: Report) -> str:
    if not report.executions:
        return ""
    found, fired = _violations(report), sum(alert.fired_at is not None for alert in report.alerts)
    checks = f"{text.sentence(text.spelled(found, 'check'))} did not hold" if found else "Every check held"
    return f"{checks}, {text.spelled(fired, 'alert')} fired."


def _to_do(report: Report) -> str:
    if report.waiting:
        return f"Approve or reject {'it' if len(report.waiting) == 1 else 'them'} below, with a reason."
    if report.reviews:
        return f"{text.sentence(text.spelled(len(report.reviews), 'finding'))} to review."
    return "Nothing waits for a decision."


def _decided(report: Report) -> str:
    made = len(report.decisions)
    return f"{text.count(made, 'decision')} made"


def _model_steps(report: Report) -> tuple[Step, ...]:
    versions, counts = report.versions, report.counts
    newest = versions[-1] if versions else None
    r2 = newest.metrics.get("r2") if newest else None
    approved = [approval for approval in report.approvals if approval.status is ApprovalStatus.APPROVED]
    served = [d for d in report.deployments if d.environment == report.environment]
    return (
        Step(
            "train",
            f"R² {text.decimal(r2)}" if r2 is not None else text.count(len(versions), "run"),
            _labels_to(report),
        ),
        Step(
            "register",
            f"version {newest.version}" if newest else "nothing yet",
            text.short_hash(newest.digest) if newest else "",
        ),
        Step("approve", text.count(len(approved), "approval"), text.listing(_people(report)) or "nobody yet"),
        Step(
            "deploy",
            f"v{served[-1].version} in {report.environment}" if served else "nothing yet",
            _environments(report),
        ),
        Step("serve", text.whole(counts.requests), "requests answered"),
        Step(
            "capture",
            text.whole(counts.captured),
            "requests, one for one" if counts.captured == counts.requests else "requests, some lost",
            "calm" if counts.captured == counts.requests else "warn",
        ),
    )


def _watch_steps(report: Report) -> tuple[Step, ...]:
    found = _violations(report)
    firing = sum(alert.state is AlertState.FIRING for alert in report.alerts)
    audit = report.audit.verification
    return (
        Step("monitor", text.whole(report.counts.labels), "late labels joined"),
        Step(
            "violation",
            text.whole(found),
            f"in {text.count(len(report.executions), 'execution')}",
            "warn" if found else "calm",
        ),
        Step("sample", text.whole(sum(len(e.samples) for e in report.executions)), "values on /metrics"),
        Step(
            "alert",
            text.whole(len(report.alerts)),
            f"{firing or 'none'} firing now",
            "bad" if firing else "calm",
        ),
        _decision_step(report),
        Step(
            "audit",
            text.whole(audit.entries),
            "entries, verified" if audit.verified else "entries, chain broken",
            "ok" if audit.verified else "bad",
        ),
    )


def _decision_step(report: Report) -> Step:
    if not report.decisions:
        return Step("decision", "none needed", "no alert fired")
    kinds = [decision.kind for decision in report.decisions]
    tone = "bad" if report.waiting else "warn" if report.reviews else "calm"
    if len(kinds) == 1:
        return Step("decision", kinds[0].value, "waits for approval" if report.waiting else "on record", tone)
    named = {kind: kinds.count(kind) for kind in DecisionKind if kind in kinds}
    shown = ", ".join(f"{number} {kind.value}" for kind, number in list(named.items())[:2])
    return Step("decision", f"{len(kinds)} made", shown, tone)


def _labels_to(report: Report) -> str:
    return f"to {text.month_short(report.versions[-1].trained_through)}" if report.versions else ""


def _people(report: Report) -> Sequence[str]:
    return sorted({approval.actor.name for approval in report.approvals})[:2]


def _environments(report: Report) -> str:
    seen = dict.fromkeys(deployment.environment for deployment in report.deployments)
    return " › ".join(seen)
