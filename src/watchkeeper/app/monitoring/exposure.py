"""What an execution exposes: its figures as samples of declared metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from watchkeeper.app.captures.rows import WindowRows
from watchkeeper.app.judging.judgement import Figure
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.monitoring.recent import recent_figures
from watchkeeper.app.monitoring.verdicts import Verdict
from watchkeeper.app.registry.baselines import baselines
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.metrics import METRIC_PREFIX
from watchkeeper.core.values import (
    VERDICTS,
    Execution,
    Sample,
    Status,
    labels_of,
)


def samples_of(
    target: Target, execution: Execution, rows: WindowRows, verdicts: Sequence[Verdict], revision: int
) -> tuple[Sample, ...]:
    """What the execution exposes, stamped with the time of the verdict.

    Figures are those of the newest version that was judged, which is the one that will go on serving, and
    carry its number: an alert on one version ends with that version. `revision` is the execution's number
    among those of its window. Without a verdict there are none, and `watchkeeper_monitor_status` says why.
    """
    labels = labels_of(
        project=target.project.name,
        environment=execution.environment,
        endpoint=execution.endpoint,
        schedule=execution.schedule,
    )
    figures = [
        Figure("monitor_rows", float(execution.rows)),
        *(
            Figure("monitor_status", float(status is execution.status), (("status", status.value),))
            for status in Status
        ),
    ]
    if (
        execution.scheduled_at <= target.clock.now()
    ):  # ahead of its time it says nothing of labels or of others
        figures += [*_of_labels(target, execution, rows), *recent_figures(target, execution)]
    if execution.status is Status.AWAITING_LABELS:
        figures += [
            Figure(
                f"estimated_quality_{each.metric}", each.value, (("model_version", str(each.model_version)),)
            )
            for each in execution.estimates
        ]
    judged = [(verdict.judgement.model_version, verdict.judged) for verdict in verdicts if verdict.judged]
    if execution.status in VERDICTS and judged:
        figures.append(Figure("monitor_window_end_timestamp_seconds", execution.window.end.timestamp()))
        figures.append(Figure("monitor_revision", float(revision)))
        version, newest = judged[-1]
        figures += _of_baseline(target, execution, version)
        figures += [
            replace(figure, labels=(*figure.labels, *_of_version(version))) for figure in newest.figures
        ]
    return tuple(
        Sample(
            METRIC_PREFIX + figure.metric,
            tuple(sorted((*labels, *figure.labels))),
            figure.value,
            target.clock.now(),
        )
        for figure in figures
    )


def _of_labels(target: Target, execution: Execution, rows: WindowRows) -> list[Figure]:
    """Which share of the rows has a label, and for how long the oldest has waited; for who needs them."""
    if not JUDGES[execution.monitor].needs_labels or not rows.captured:
        return []
    found = [Figure("labels_coverage_ratio", rows.frame.height / rows.captured)]
    if rows.oldest_missing is not None:
        age = (target.clock.now() - rows.oldest_missing).total_seconds()
        found.append(Figure("labels_oldest_missing_seconds", age))
    return found


def _of_baseline(target: Target, execution: Execution, version: int) -> list[Figure]:
    """How old the baseline is that a version's rows were judged by."""
    used = baselines(target.store, execution.monitor).in_use(version, execution.environment)
    if used is None:
        return []
    age = (target.clock.now() - used.time).total_seconds()
    return [Figure("monitor_baseline_age_seconds", max(age, 0.0))]


def _of_version(version: int) -> tuple[tuple[str, str], ...]:
    return (("model_version", str(version)),)
