"""What a page shows beside an execution: distributions, errors row by row, segments, importances, groups."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from watchkeeper.app.baselines.making import baseline_by
from watchkeeper.app.files.column_distributions import column_distribution
from watchkeeper.app.files.suggestion import ANALYSIS, STATISTICS
from watchkeeper.app.judging.bias import masked
from watchkeeper.app.judging.judgement import LABEL, numbers
from watchkeeper.app.judging.segmenting import Divided
from watchkeeper.app.registry.executions import folder_of
from watchkeeper.core.ports import Store
from watchkeeper.core.values import VERDICTS, Execution, Schema, Segment
from watchkeeper.monitors import bias, data_quality, explainability, model_quality
from watchkeeper.monitors.explainability_values import Attributions
from watchkeeper.readers import clarify as read_clarify
from watchkeeper.readers import contract as read
from watchkeeper.render.bias_evidence import FacetThenAndNow
from watchkeeper.render.charts import Distribution, Residuals

DRIFT = "watchkeeper_data_quality_drift_distance"


@dataclass(frozen=True, slots=True)
class QualityEvidence:
    """The worst segments of labelled rows, and the rows themselves as points."""

    segments: tuple[Segment, ...]
    residuals: Residuals


def distributions(store: Store, execution: Execution) -> tuple[Distribution, ...]:
    """Each compared column in the baseline and in the window, those with a violation first.

    Empty for any other monitor than data quality and for an execution that judged nothing.
    """
    if execution.monitor != data_quality.MONITOR.name or execution.status not in VERDICTS:
        return ()
    judgement = [each for each in execution.judgements if each.status in VERDICTS][-1]
    if judgement.baseline is None:
        return ()
    baseline = baseline_by(store, judgement.baseline)
    before = read.data_quality_statistics(baseline.statistics, "baseline statistics.json")
    text = _file_of(store, execution, judgement.model_version, STATISTICS)
    if text is None:
        return ()
    now = read.data_quality_statistics(text, "statistics.json")
    hurt = {violation.subject for violation in execution.violations}
    notes = {violation.subject: violation.description for violation in execution.violations}
    drifts = [sample for sample in execution.samples if sample.metric == DRIFT]
    compared = hurt | {dict(sample.labels)["feature"] for sample in drifts}
    shown = [
        distribution
        for feature in now.features
        if feature.name in compared
        and (earlier := before.feature(feature.name)) is not None
        and (distribution := column_distribution(earlier, feature, notes.get(feature.name, ""))) is not None
    ]
    return tuple(sorted(shown, key=lambda each: each.column not in hurt))


def importances(store: Store, execution: Execution) -> Distribution | None:
    """Each feature's share of all importance in the baseline and in the window, the most important first.

    None for any other monitor than explainability, for an execution that judged nothing, and where no feature
    counts on one of the sides.
    """
    found = _analyses(store, execution, explainability.MONITOR.name)
    if found is None:
        return None
    before, now = (read_clarify.attributions(each, ANALYSIS)[0] for each in found)
    then, current = _shares(before), _shares(now)
    if not then or not current:
        return None
    order = sorted(then, key=lambda name: -then[name])
    return Distribution(
        "Share of attributions",
        "categorical",
        tuple(then[name] for name in order),
        tuple(current[name] for name in order),  # of one model version: the same features
        labels=tuple(order),
    )


def facets(
    store: Store, execution: Execution, sensitive: Collection[str] = ()
) -> tuple[FacetThenAndNow, ...]:
    """Each facet's group in the window beside its counterpart in the baseline, whose values are masked alike.

    Empty for any other monitor than bias and for an execution that judged nothing.
    """
    found = _analyses(store, execution, bias.MONITOR.name)
    if found is None:
        return ()
    before, now = (read_clarify.bias_analysis(each, ANALYSIS) for each in found)
    before = masked(before, before, sensitive)
    return tuple(FacetThenAndNow(facet, bias.counterpart(facet, before)) for facet in now.facets)


def quality_evidence(apart: Divided, schema: Schema, least: int, unit: str) -> QualityEvidence:
    """Evidence from labelled rows (text columns, with `label`), by segments of at least so many rows."""
    rows = apart.rows
    labels, predictions = numbers(rows[LABEL]), numbers(rows[schema.prediction.name])
    points = tuple(zip(predictions.tolist(), labels.tolist(), strict=True))
    return QualityEvidence(
        segments=model_quality.segments(rows, labels, predictions, apart.columns, least),
        residuals=Residuals(points, len(points), unit),
    )


def _analyses(store: Store, execution: Execution, monitor: str) -> tuple[str | bytes, bytes] | None:
    """`analysis.json` of the newest version's baseline and of the execution."""
    if execution.monitor != monitor or execution.status not in VERDICTS:
        return None
    judgement = [each for each in execution.judgements if each.status in VERDICTS][-1]
    now = _file_of(store, execution, judgement.model_version, ANALYSIS)
    if judgement.baseline is None or now is None:
        return None
    return baseline_by(store, judgement.baseline).text(ANALYSIS), now


def _shares(found: Attributions) -> dict[str, float]:
    """Each feature's share; empty where none counts, of which there are no shares."""
    total = sum(abs(value) for _, value in found.importances)
    return {name: abs(value) / total for name, value in found.importances} if total else {}


def _file_of(store: Store, execution: Execution, version: int, name: str) -> bytes | None:
    folder = folder_of(store, execution)
    held = set(store.list(folder))
    for key in (f"{folder}{name}", f"{folder}model-v{version}/{name}"):
        if key in held:
            return store.read(key)
    return None
