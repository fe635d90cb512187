"""Pages from records: the report of a rehearsal, and a page beside each execution."""

from __future__ import annotations

from collections.abc import Sequence

from watchkeeper.app.alerts.alerting import alert_history
from watchkeeper.app.alerts.deciding import decisions
from watchkeeper.app.captures.rows import read_labelled_rows, source_of
from watchkeeper.app.judging.segmenting import divided, segments_by
from watchkeeper.app.monitoring.schedule import MonitorRun, section_of
from watchkeeper.app.pages.evidence import (
    QualityEvidence,
    distributions,
    facets,
    importances,
    quality_evidence,
)
from watchkeeper.app.pages.summary import Summary
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.executions import executions, folder_of, newest_revisions
from watchkeeper.app.registry.schemas import schema
from watchkeeper.app.retraining.retrains import Retrain as RetrainRecord
from watchkeeper.app.retraining.retrains import retrains
from watchkeeper.app.setup.audit import log
from watchkeeper.app.setup.project import Project
from watchkeeper.app.setup.sections import PREDICTION
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.metrics import METRIC_PREFIX
from watchkeeper.core.ports import Store
from watchkeeper.core.rules import Alert
from watchkeeper.core.values import Deployment, Execution, Segment
from watchkeeper.core.windows import Window, month_of
from watchkeeper.monitors import model_quality
from watchkeeper.render.execution_page import ExecutionView, execution_page
from watchkeeper.render.report import (
    AuditSlice,
    Counts,
    DataSource,
    Gate,
    Month,
    Report,
    Retrain,
    report_page,
)
from watchkeeper.render.text import months_text

AUDIT_SHOWN = 60  # newest entries of the log that a report shows


def write_report(target: Target, summary: Summary, segments: Sequence[Segment]) -> None:
    """Write `report.html` from the workspace's records."""
    target.store.write("report.html", report_page(_report(target, summary, segments)).encode())


def write_execution_page(target: Target, execution: Execution) -> None:
    """Write the execution's page beside its files."""
    settings = target.project.settings
    evidence = _evidence(target, execution)
    sensitive = target.project.environment(execution.environment).data.sensitive
    view = ExecutionView(
        project=target.project.name,
        source=DataSource(settings.data.source, ""),
        execution=execution,
        label_unit=settings.data.unit,
        distributions=distributions(target.store, execution),
        segments=evidence.segments if evidence else (),
        residuals=evidence.residuals if evidence else None,
        importances=importances(target.store, execution),
        facets=facets(target.store, execution, sensitive),
        classification=target.project.classification,
    )
    target.store.write(f"{folder_of(target.store, execution)}report.html", execution_page(view).encode())


def has_page(store: Store, execution: Execution) -> bool:
    """Whether the execution's page is there, which is written after its record."""
    key = f"{folder_of(store, execution)}report.html"
    return key in store.list(key)


def _report(target: Target, summary: Summary, segments: Sequence[Segment]) -> Report:
    environment = target.project.environments[-1]
    settings = target.project.environment(environment)
    found = newest_revisions(executions(target.store))
    entries, known = log(target.trail), catalogue(target.store)
    alerts = alert_history(target.store, environment)
    judged = [execution for execution in found if execution.samples]
    evidence = next((e for execution in reversed(judged) if (e := _evidence(target, execution))), None)
    shown = next((d for execution in reversed(judged) if (d := distributions(target.store, execution))), ())
    counts = summary.counts
    return Report(
        project=target.project.name,
        title=f"Rehearsal of {months_text(summary.first, summary.until)}",
        source=DataSource(summary.data_source, summary.data_description),
        environment=environment,
        first=summary.first,
        until=summary.until,
        label_unit=settings.data.unit,
        classification=target.project.classification,
        counts=Counts(counts.requests, counts.captured, counts.rows, counts.labels, counts.scored),
        audit=AuditSlice(entries[-AUDIT_SHOWN:], summary.audit),
        generated_at=target.clock.now(),
        versions=known.versions,
        approvals=known.approvals,
        deployments=_in_order(target, known.deployments),
        months=_months(target, summary, found),
        executions=found,
        distributions=shown,
        residuals=evidence.residuals if evidence else None,
        segments=evidence.segments if evidence else tuple(segments),
        alerts=_newest(alerts),
        decisions=decisions(target.store, environment),
        retrains=tuple(_retrain(each) for each in retrains(target.store, environment)),
        seconds=tuple(summary.seconds.items()),
        ratio_limit=ratio_limit(target.project, environment),
    )


def _in_order(target: Target, deployments: Sequence[Deployment]) -> tuple[Deployment, ...]:
    """By environment, in the order of promotion, then by number."""
    place = target.project.environments.index
    return tuple(sorted(deployments, key=lambda each: (place(each.environment), each.number)))


def _months(target: Target, summary: Summary, found: Sequence[Execution]) -> tuple[Month, ...]:
    metrics = {model.version: model.metrics for model in catalogue(target.store).versions}
    several = len(summary.months) > 1  # on one month the two models are the same
    return tuple(
        Month(
            month=month.month,
            rows=month.rows,
            model_version=month.model_version,
            metrics=month.watched,
            baseline_rmse=metrics[month.model_version]["rmse"],
            ratio=month.rmse_baseline_ratio,
            violations=tuple(
                violation
                for execution in found
                if month_of(execution.window.start) == month.month
                for violation in execution.violations
            ),
            alerts=month.alerts,
            unwatched=month.unwatched if several else None,
            estimated_rmse=_estimated_rmse(found, month.month),
        )
        for month in summary.months
    )


def _estimated_rmse(found: Sequence[Execution], month: str) -> float | None:
    """What was expected of a month before its labels came, of the newest version in it."""
    said = [
        each.value
        for execution in found
        if month_of(execution.window.start) == month
        for each in execution.estimates
        if each.metric == "rmse"
    ]
    return said[-1] if said else None


def _retrain(each: RetrainRecord) -> Retrain:
    outcome, answer = each.outcome, each.answer
    gate = outcome.gate if outcome else None
    return Retrain(
        decision=each.decision.id,
        month=month_of(each.decision.time),
        reason=each.decision.reasons[0],
        approved_by=str(answer.actor) if answer and answer.approved else None,
        gate=Gate(gate.champion_rmse, gate.challenger_rmse, gate.rows) if gate else None,
        promoted=outcome.promoted if outcome else None,
        rejected=answer is not None and not answer.approved,
        unanswered=each.outcome_reason if answer is None and each.decision.needs_approval else "",
    )


def _evidence(target: Target, execution: Execution) -> QualityEvidence | None:
    """The rows of a model-quality window again, as points and segments."""
    if execution.monitor != model_quality.MONITOR.name or not execution.judgements:
        return None
    source = source_of(target.project, execution.environment, execution.window)
    known_by = Window(execution.window.start, execution.scheduled_at)
    rows = read_labelled_rows(target.store, source, known_by).frame
    model = catalogue(target.store).version(execution.judgements[-1].model_version)
    settings = target.project.settings
    sensitive = target.project.environment(execution.environment).data.sensitive
    if {settings.data.label, PREDICTION} & set(sensitive):
        return None  # each point of the picture is a value of theirs
    run = MonitorRun(execution.monitor, execution.environment, execution.scheduled_at)
    by = segments_by(target.project, section_of(target.project, run))
    known = schema(target.store, model.schema_version)
    return quality_evidence(divided(rows, known, by, sensitive), known, by.least, settings.data.unit)


def _newest(alerts: Sequence[Alert]) -> tuple[Alert, ...]:
    """Each alert as it stands now: one a series and firing; none that was pending and never fired."""
    held = {(alert.fingerprint, alert.active_at): alert for alert in alerts}
    return tuple(alert for alert in held.values() if alert.open or alert.fired_at)


def ratio_limit(project: Project, environment: str) -> float | None:
    """The threshold of the rule on RMSE over baseline, where there is one."""
    metric = f"{METRIC_PREFIX}model_quality_rmse_baseline_ratio"
    found = [rule.threshold for rule in project.rules(environment) if rule.metric == metric]
    return found[0] if found else None
