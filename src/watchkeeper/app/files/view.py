"""An analysis as its page shows it: figures in words, worst drifts first, pictures of what did not hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from watchkeeper.app.files.analysis import Analysis, ColumnDrift, Judged
from watchkeeper.app.files.column_distributions import column_distribution
from watchkeeper.core.values import Evidence, Violation
from watchkeeper.monitors.data_quality_values import (
    DataQualityConstraints,
    DatasetConstraints,
    FeatureConstraints,
)
from watchkeeper.render.analysis_page import (
    AnalysisView,
    AskedRow,
    BadLineRow,
    Bounds,
    DriftRow,
    Example,
    Fault,
    InputFile,
)
from watchkeeper.render.charts import Distribution

DATA = "the baseline's data"
MOST_TEXTS = 10_000  # of a column that is drawn; beyond it, hardly two rows have one value
_ASKED_BY: Mapping[str, str] = MappingProxyType(
    {"completeness_check": "completeness", "categorical_values_check": "domains", "range_check": "range"}
)


def analysis_view(judged: Judged, sensitive: Collection[str] = ()) -> AnalysisView:
    """What the page shows; of `sensitive` columns no picture and no bound that is a value of theirs."""
    found = judged.analysis
    sources = _sources(judged.asked)
    return AnalysisView(
        data=found.data,
        baseline=found.baseline or "",
        mode=found.mode.value,
        status=found.status,
        reason=found.reason,
        rows=found.rows,
        requests=found.requests,
        faults=tuple(
            _fault(violation, evidence, sources)
            for violation, evidence in zip(found.violations, found.evidence, strict=True)
        ),
        distributions=_distributions(judged, sensitive),
        drifts=tuple(_drift(each) for each in worst_first(found)),
        asked=_asked(judged.asked, sensitive),
        unjudged=found.notes,
        bad_lines=found.bad_lines,
        bad=tuple(BadLineRow(line.key, line.line_number, line.reason, line.text) for line in found.bad),
        inputs=tuple(InputFile(each.key, each.digest) for each in found.inputs),
    )


def worst_first(found: Analysis) -> list[ColumnDrift]:
    """Drifts from the most to the least exceeded limit, those that could not be measured last."""
    return sorted(found.drifts, key=lambda each: (-_excess(each), each.column))


def _excess(drift: ColumnDrift) -> float:
    """How many times the limit it is; below 0 when it is not known."""
    if drift.score is None:
        return -1.0
    above, below = (drift.score, drift.limit) if drift.kind == "distance" else (drift.limit, drift.score)
    return above / below if below > 0 else float("inf") if above > 0 else 0.0


def _fault(violation: Violation, evidence: Evidence, sources: Mapping[tuple[str, str], str]) -> Fault:
    asked = _ASKED_BY.get(violation.check, violation.check.removesuffix("_check"))
    source = "an SLA" if violation.check == "sla_check" else sources.get((violation.subject, asked), DATA)
    return Fault(
        subject=violation.subject,
        check=violation.check,
        description=violation.description,
        source=source,
        examples=tuple(
            Example(
                row.file, row.line, row.inference_id or "", "(missing)" if row.value is None else row.value
            )
            for row in evidence.rows
        ),
        reason=evidence.reason,
    )


def _sources(asked: DataQualityConstraints | None) -> dict[tuple[str, str], str]:
    features = asked.features if asked else ()
    return {(each.name, name): source for each in features for name, source in each.sources}


def _distributions(judged: Judged, sensitive: Collection[str]) -> tuple[Distribution, ...]:
    """Of the columns that a violation is about, as many as the page has room for."""
    if judged.before is None:
        return ()
    hurt = dict.fromkeys(violation.subject for violation in judged.analysis.violations)
    names = [name for name in hurt if name not in sensitive][: Bounds().subjects]
    pairs = ((judged.before.feature(name), judged.statistics.feature(name)) for name in names)
    drawn = (
        column_distribution(before, now, most=MOST_TEXTS)
        for before, now in pairs
        if before is not None and now is not None
    )
    return tuple(each for each in drawn if each is not None)


def _drift(found: ColumnDrift) -> DriftRow:
    return DriftRow(
        column=found.column,
        method=found.method,
        kind=found.kind,
        score="" if found.score is None else figure(found.score),
        limit=figure(found.limit),
        smallest="" if found.smallest is None else figure(found.smallest),
        baseline_rows=found.n,
        rows=found.m,
        exceeded=found.exceeded,
        reason=found.reason,
    )


def figure(value: float) -> str:
    """A score in three digits: `0.198`, `1.2e-12`."""
    return f"{value:.3g}"


def _asked(asked: DataQualityConstraints | None, sensitive: Collection[str]) -> tuple[AskedRow, ...]:
    if asked is None:
        return ()
    rows = [
        AskedRow(feature.name, words, dict(feature.sources).get(name, DATA))
        for feature in asked.features
        for name, words in _words(feature, hidden=feature.name in sensitive)
    ]
    rows += [AskedRow("all rows", words, DATA) for words in _of_all_rows(asked.dataset)]
    rows += [
        AskedRow(sla.column or "each column", f"{sla.metric} {_bound(sla.at_most, sla.at_least)}", sla.source)
        for sla in asked.slas
    ]
    return tuple(rows)


def _words(feature: FeatureConstraints, *, hidden: bool) -> Iterator[tuple[str, str]]:
    """Each constraint of a column by its name, in words."""
    yield "inferred_type", f"{feature.inferred_type} values"
    if feature.completeness is not None:
        yield "completeness", f"at least {100 * feature.completeness:.6g}% present"
    if feature.domains is not None:
        yield "domains", f"one of {len(feature.domains):,} known values"
    if feature.is_non_negative:
        yield "is_non_negative", "no value below 0"
    if feature.range is not None:
        words = f"between {feature.range.low:.6g} and {feature.range.high:.6g}"
        yield "range", "within a range" if hidden else words
    if feature.drift is not None:
        yield "drift", f"drift by {feature.drift.method}, threshold {feature.drift.threshold:g}"


def _of_all_rows(asked: DatasetConstraints) -> Iterator[str]:
    if asked.vanished_share is not None:
        yield f"values with at least {asked.vanished_share:.3g} of the baseline's rows are there"
    if asked.duplicate_share is not None:
        yield f"at most {asked.duplicate_share:.3g} of the rows repeat an earlier one"
    if asked.rows is not None:
        yield f"{asked.rows.low:,.0f} to {asked.rows.high:,.0f} rows"
    if asked.max_age_seconds is not None:
        yield f"the newest time at most {asked.max_age_seconds:,.0f} seconds before the window's end"
    if asked.missing_hours_share is not None:
        yield f"at most {asked.missing_hours_share:.3g} of the window's hours without a row"


def _bound(at_most: float | None, at_least: float | None) -> str:
    return f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}"
