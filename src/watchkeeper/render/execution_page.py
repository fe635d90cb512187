"""The page of one monitoring execution: what it judged, found, and did not judge, and from which inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watchkeeper.core.values import VERDICTS, Execution, Segment
from watchkeeper.render import text
from watchkeeper.render.bias_evidence import FacetThenAndNow, facet_exhibits
from watchkeeper.render.charts import Distribution, Residuals
from watchkeeper.render.evidence import exhibits, importance_exhibit, residual_exhibit, segment_chart
from watchkeeper.render.listed import Listed, shortened
from watchkeeper.render.pages import page, status_name
from watchkeeper.render.report_values import DataSource


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """One execution and the evidence beside it. `label_unit` is the label's unit, such as SGD, or empty.

    `importances` are shares of all importance, by feature, in the baseline and in the window.
    """

    project: str
    source: DataSource
    execution: Execution
    label_unit: str = ""
    distributions: tuple[Distribution, ...] = ()
    segments: tuple[Segment, ...] = ()
    residuals: Residuals | None = None
    importances: Distribution | None = None
    facets: tuple[FacetThenAndNow, ...] = ()
    classification: str = ""


_QUALITY = "watchkeeper_model_quality_"
_FIGURES: tuple[tuple[str, str, Callable[[float, str], str]], ...] = (
    ("rmse", "rmse", text.amount),
    ("mae", "mae", text.amount),
    ("mape", "mape", lambda value, _: text.share(value)),
    ("r2", "r2", lambda value, _: text.decimal(value)),
    ("bias_ratio", "bias", lambda value, _: text.signed_share(value)),
)
MOST_CHARACTERS = 160  # of a value
MOST_ROWS = 500  # example rows; more are in the record


@dataclass(frozen=True, slots=True)
class ShownRow:
    """An example row with the violation it shows; texts are empty where there is none."""

    subject: str
    check: str
    model_version: int
    file: str
    line: int
    inference_id: str
    value: str


@dataclass(frozen=True, slots=True)
class Expected:
    """A figure as it was estimated before the labels came, and as it came; `came` is empty until then."""

    metric: str
    model_version: int
    estimated: str
    interval: str
    came: str
    inside: bool


@dataclass(frozen=True, slots=True)
class QualityFigure:
    """A figure of quality as text, with its interval where one was asked for."""

    name: str
    value: str
    interval: str


@dataclass(frozen=True, slots=True)
class Unshown:
    """What violations without example rows are about, and why they have none."""

    subjects: str
    reason: str


def execution_page(view: ExecutionView) -> str:
    """The page as HTML that needs nothing else; every list may be empty."""
    execution, shown = view.execution, _shown(view.execution)
    return page(
        "execution.html",
        classification=view.classification,
        view=view,
        execution=execution,
        headline=_headline(execution),
        unjudged=_unjudged(execution),
        examples=Listed(shown[:MOST_ROWS], len(shown)),
        without=_unshown(execution),
        expected=_expected(view),
        figures=_figures(view),
        exhibits=exhibits(view.distributions),
        residuals=[residual_exhibit(view.residuals)] if view.residuals else [],
        importances=[importance_exhibit(view.importances)] if view.importances else [],
        facets=facet_exhibits(view.facets, {violation.subject for violation in execution.violations}),
        segments=segment_chart(view.segments, "Segments by mean error") if view.segments else "",
    )


def _headline(execution: Execution) -> str:
    window, found = text.window_text(execution.window), len(execution.violations)
    if execution.status not in VERDICTS:
        return f"No verdict for {window}: {status_name(execution.status)}"
    if found:
        return f"{text.sentence(text.spelled(found, 'check'))} did not hold in {window}"
    return f"Every check held in {window}"


def _shown(execution: Execution) -> tuple[ShownRow, ...]:
    return tuple(
        ShownRow(
            subject=violation.subject,
            check=violation.check,
            model_version=judgement.model_version,
            file=row.file,
            line=row.line,
            inference_id=row.inference_id or "",
            value=shortened(row.value or "", MOST_CHARACTERS),
        )
        for judgement in execution.judgements
        for violation, evidence in judgement.findings
        for row in (evidence.rows if evidence else ())
    )


def _expected(view: ExecutionView) -> list[Expected]:
    execution, unit = view.execution, view.label_unit
    judged = execution.status in VERDICTS
    came = {s.metric.removeprefix(_QUALITY): s.value for s in execution.samples if judged}
    return [
        Expected(
            metric=each.metric,
            model_version=each.model_version,
            estimated=text.amount(each.value, unit),
            interval=f"{text.amount(each.low)} {text.DASH} {text.amount(each.high, unit)}",
            came=text.amount(came[each.metric], unit) if each.metric in came else "",
            inside=each.low <= came.get(each.metric, each.value) <= each.high,
        )
        for each in execution.estimates
    ]


def _figures(view: ExecutionView) -> list[QualityFigure]:
    """The figures of a model-quality verdict; those in the label's unit with it."""
    samples = view.execution.samples if view.execution.status in VERDICTS else ()
    values = {s.metric.removeprefix(_QUALITY): s.value for s in samples if s.metric.startswith(_QUALITY)}
    bounds = {
        (labels["figure"], labels["bound"]): sample.value
        for sample in samples
        if sample.metric == f"{_QUALITY}bound"
        for labels in [dict(sample.labels)]
    }
    shown = []
    for key, name, said in _FIGURES:
        if key not in values:
            continue
        unit = view.label_unit if key in ("rmse", "mae") else ""
        low, high = (bounds.get((name, end)) for end in ("low", "high"))
        interval = "" if low is None or high is None else f"{said(low, '')} {text.DASH} {said(high, unit)}"
        shown.append(QualityFigure(name, said(values[key], unit), interval))
    return shown


def _unshown(execution: Execution) -> list[Unshown]:
    """Violations that have no rows, by the reason, each once whichever versions it was found in."""
    found: dict[str, dict[str, None]] = {}
    for judgement in execution.judgements:
        for violation, evidence in judgement.findings:
            if evidence and not evidence.rows:
                found.setdefault(evidence.reason, {})[violation.subject] = None
    return [Unshown(text.listing(list(subjects)), reason) for reason, subjects in found.items()]


def _unjudged(execution: Execution) -> list[str]:
    """Why there is no verdict, whole or of one version, and what was left out."""
    whole = [execution.reason] if execution.status not in VERDICTS and execution.reason else []
    parts = [
        f"model version {judgement.model_version}, {text.count(judgement.rows, 'row')}: {judgement.reason}"
        for judgement in execution.judgements
        if judgement.status not in VERDICTS
    ]
    return [*whole, *parts, *execution.notes]
