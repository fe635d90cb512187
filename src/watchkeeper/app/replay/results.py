"""What a rehearsal leaves behind: every row's scores, the versions, and the summary of it all."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from watchkeeper.app.alerts.alerting import alert_history
from watchkeeper.app.alerts.deciding import decisions
from watchkeeper.app.captures.rows import read_labelled_rows, read_rows, source_of
from watchkeeper.app.judging.judgement import LABEL
from watchkeeper.app.pages.summary import (
    UNWATCHED,
    Counts,
    DecisionSummary,
    ModelSummary,
    StackSummary,
    Summary,
    alert_summaries,
    half_years,
    month_column,
    month_summaries,
    problems,
    retrain_summaries,
)
from watchkeeper.app.registry.artefacts import load_version
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.executions import executions, newest_revisions
from watchkeeper.app.replay.rehearsal import Rehearsal
from watchkeeper.app.replay.traffic import PlannedRequest
from watchkeeper.app.retraining.retrains import retrains
from watchkeeper.app.setup.audit import verify_log
from watchkeeper.app.setup.sections import PREDICTION
from watchkeeper.core.encoding import encode
from watchkeeper.core.windows import Window, add_months, month_start


def summarise(run: Rehearsal, sent: Sequence[PlannedRequest], stack: StackSummary | None = None) -> Summary:
    """Read everything back from the workspace; write `scores.parquet` and `models.json`."""
    target, environment = run.target, run.environment
    found = newest_revisions(executions(target.store))
    alerts = alert_history(target.store, environment)
    scores = _scores(run)
    _write_scores(run, scores)
    _write_models(run)
    counts, audit = _counts(run, sent, scores), verify_log(target.trail)
    open_ends = problems(counts, found, audit, sorted(request.time for request in sent))
    open_ends += stack.differences if stack else ()
    return Summary(
        project=target.project.name,
        data_source=run.rows.source,
        data_description=run.rows.description,
        first=run.request.first,
        until=run.request.until,
        closed=not open_ends,
        problems=open_ends,
        seconds=dict(run.seconds),
        search_seconds=run.search_seconds,
        counts=counts,
        half_years=half_years(scores, PREDICTION),
        months=month_summaries(scores, found, alerts, PREDICTION, _served(run)),
        alerts=alert_summaries(alerts, found, environment),
        decisions=tuple(
            DecisionSummary(each.kind.value, each.alert, each.reasons)
            for each in decisions(target.store, environment)
        ),
        retrains=retrain_summaries(retrains(target.store, environment)),
        audit=audit,
        stack=stack,
    )


def _served(run: Rehearsal) -> dict[str, int]:
    """Each month with the version that served when it ended."""
    made = [each for each in catalogue(run.target.store).deployments if each.environment == run.environment]
    return {
        month: [each.version for each in made if each.time < add_months(month_start(month), 1)][-1]
        for month in run.request.months
    }


def _scores(run: Rehearsal) -> pl.DataFrame:
    """Every captured row with its label, and what the first model, left alone, says of it."""
    source = source_of(run.target.project, run.environment, run.request.span)
    known_by = Window(source.window.start, run.clock.now() + timedelta(days=1))
    rows = read_labelled_rows(run.target.store, source, known_by).frame.with_columns(month_column())
    first = catalogue(run.target.store).versions[0]
    model = load_version(run.target.store, first.version, first.digest)
    answers = model.predict({name: rows[name].to_list() for name in model.columns}).values
    return rows.with_columns(pl.Series(UNWATCHED, answers, dtype=pl.Float64))


def _write_scores(run: Rehearsal, scores: pl.DataFrame) -> None:
    table = scores.select(
        pl.col("_join_id").alias("inference_id"),
        pl.col("_row").alias("row"),
        "month",
        pl.col(LABEL).cast(pl.Float64).alias(run.target.project.settings.data.label),
        pl.col(PREDICTION).cast(pl.Float64),
        UNWATCHED,
        pl.col("_model_version").alias("model_version"),
    )
    written = io.BytesIO()
    table.write_parquet(written)
    run.target.store.write("scores.parquet", written.getvalue())


def _write_models(run: Rehearsal) -> None:
    versions = [
        ModelSummary(each.version, each.trained_from, each.trained_through, each.labels_known_in, each.digest)
        for each in catalogue(run.target.store).versions
    ]
    run.target.store.write("models.json", encode(versions))


def _counts(run: Rehearsal, sent: Sequence[PlannedRequest], scores: pl.DataFrame) -> Counts:
    source = source_of(run.target.project, run.environment, run.request.span)
    captured = read_rows(run.target.store, source)
    asked = Counter(request.inference_id for request in sent)
    heard = Counter(captured.frame.filter(pl.col("_row") == 0)["_join_id"].to_list())
    return Counts(
        requests=len(sent),
        captured=captured.requests,
        rows=sum(request.rows for request in sent),
        labels=sum(len(request.truth.labels) for request in sent if request.labelled_at <= run.clock.now()),
        scored=scores.height,
        unmatched=sum(1 for identity in asked | heard if (asked[identity], heard[identity]) != (1, 1)),
    )
