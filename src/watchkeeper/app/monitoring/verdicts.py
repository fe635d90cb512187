"""What a monitor found of each model version's rows, and why of some it found nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from watchkeeper.app.baselines.making import files_of
from watchkeeper.app.captures.pseudonyms import pseudonyms
from watchkeeper.app.captures.rows import WindowRows
from watchkeeper.app.judging.judgement import Against, Judged, Watched
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.judging.segmenting import segments_by
from watchkeeper.app.judging.slas import slas_of
from watchkeeper.app.monitoring.evidence import Named, window_evidence
from watchkeeper.app.monitoring.schedule import MonitorRun, section_of
from watchkeeper.app.registry.artefacts import version_in_store
from watchkeeper.app.registry.baselines import BaselineRecord, baselines, how_to_get_one
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.schemas import schema
from watchkeeper.app.setup.sections import Sensitivity
from watchkeeper.app.setup.targets import Target
from watchkeeper.core.ports import Store
from watchkeeper.core.values import (
    VERDICTS,
    Evidence,
    Judgement,
    Status,
)
from watchkeeper.monitors.data_quality_values import Sla

_FAR_MORE = 1.5  # times the mean error of all rows


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one model version's rows; nothing when there were too few of them."""

    judgement: Judgement
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """What rows are judged by: each model version's approved baseline, None without one, and promises."""

    baselines: Mapping[int, BaselineRecord | None]
    slas: tuple[Sla, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What of it makes another execution."""
        return tuple(each.ref if each else None for each in self.baselines.values()), self.slas


def yardsticks_of(target: Target, run: MonitorRun, frame: pl.DataFrame) -> Yardsticks:
    """Those of every model version that rows name."""
    known = baselines(target.store, run.monitor)
    versions = sorted(frame["_model_version"].drop_nulls().unique().to_list())
    return Yardsticks(
        {version: known.in_use(version, run.environment) for version in versions},
        slas_of(target.project, run.environment),
    )


def verdicts_of(target: Target, run: MonitorRun, rows: WindowRows, yardsticks: Yardsticks) -> list[Verdict]:
    """One verdict a model version, in order of version, each by its own baseline and schema."""
    store, section = target.store, section_of(target.project, run)
    data = target.project.environment(run.environment).data
    sensitive, hashed = frozenset(data.sensitive), data.treated(Sensitivity.HASH)
    named = Named(hashed, pseudonyms(target.folder)) if hashed else None
    known, found, keys = catalogue(store), [], [each.key for each in rows.inputs]
    for number, record in yardsticks.baselines.items():
        own = rows.frame.filter(pl.col("_model_version") == number)
        if record is None:
            found.append(Verdict(_unjudged(store, run, number, own.height)))
            continue
        judgement = Judgement(number, own.height, Status.INSUFFICIENT_DATA, "", record.ref)
        if own.height < section.min_rows:
            reason = f"{own.height:,} rows of model v{number}, want at least {section.min_rows:,}"
            found.append(Verdict(replace(judgement, reason=reason)))
            continue
        columns = schema(store, known.version(number).schema_version)
        against = Against(
            watched=Watched(columns, section, partial(version_in_store, store, number)),
            baseline=files_of(store, record),
            slas=yardsticks.slas,
            sensitive=sensitive,
            segments=segments_by(target.project, section),
        )
        judged = JUDGES[run.monitor].judge(own, against)
        captures = [key for key in keys if key.startswith("captures/")]
        evidence = window_evidence(store, judged, own, captures, named)
        found.append(Verdict(_judgement(judgement, judged, evidence), judged))
    return found


def _unjudged(store: Store, run: MonitorRun, number: int, rows: int) -> Judgement:
    wanted = how_to_get_one(baselines(store, run.monitor), run.monitor, number, run.environment)
    reason = f"no baseline of model v{number} is approved for {run.environment}: {wanted}"
    return Judgement(number, rows, Status.NO_BASELINE, reason, None)


def _judgement(blank: Judgement, judged: Judged, evidence: tuple[Evidence, ...]) -> Judgement:
    count = len(judged.violations)
    said = f"{count or 'no'} violation{'' if count == 1 else 's'} in {blank.rows:,} rows"
    return replace(
        blank,
        status=Status.VIOLATIONS if count else Status.COMPLETED,
        reason=f"{said}{_where(judged)}",
        violations=judged.violations,
        evidence=evidence,
        segments=judged.segments,
    )


def _where(judged: Judged) -> str:
    """The worst segment, when it errs far more than the rows as a whole: that is where to look first.

    Also without a violation, as a fault in few of the rows hardly moves the figures of all.
    """
    whole = next((figure.value for figure in judged.figures if figure.metric == "model_quality_mape"), None)
    if not judged.segments or whole is None:
        return ""
    worst = judged.segments[0]
    if worst.metrics.mape < _FAR_MORE * whole:
        return ""
    return (
        f"; worst {worst.column} {worst.value}: mean error {worst.metrics.mape:.1%} of the label in "
        f"{worst.metrics.rows:,} rows, {whole:.1%} in all"
    )


def status_of(verdicts: Sequence[Verdict]) -> tuple[Status, str]:
    """The execution's status and why: no baseline, too few rows, or the worst judgement."""
    judgements = [verdict.judgement for verdict in verdicts]
    judged = [judgement for judgement in judgements if judgement.status in VERDICTS]
    if not judged:
        reasons = [judgement.reason for judgement in judgements] or ["no row names its model version"]
        lacking = any(judgement.status is Status.NO_BASELINE for judgement in judgements)
        return Status.NO_BASELINE if lacking else Status.INSUFFICIENT_DATA, "; ".join(reasons)
    worst = Status.VIOLATIONS if any(j.violations for j in judged) else Status.COMPLETED
    return worst, "; ".join(judgement.reason for judgement in judgements)
