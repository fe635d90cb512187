"""One run of the analyzer's container, from its variables to its files and its last word (contract 8, 9.5).

The message is there from the beginning, as the word of a run that came to no end, so that also a run
which is killed says something. Files are written when everything is known, all of them or none.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.app.container.inputs import NoData, check_encodings, data_set, input_blobs, sides_left_out
from watchkeeper.app.container.preprocessing import preprocessed, selected
from watchkeeper.app.container.quality import judge_quality
from watchkeeper.app.container.scripts import Script, run_postprocessor
from watchkeeper.app.container.sending import PutMetrics, in_cloudwatch
from watchkeeper.app.container.settings import Job, read_job
from watchkeeper.app.files.analysis import AnalysisRequest, Judged, Tools, Yardstick, analyse
from watchkeeper.app.files.profiling import DataSet
from watchkeeper.app.files.suggestion import Suggestion
from watchkeeper.core.errors import Interrupted, PlatformError, WatchkeeperError
from watchkeeper.core.statistics.distances import Mode
from watchkeeper.core.values import Column, Role, Schema, Violation
from watchkeeper.monitors import data_quality
from watchkeeper.monitors.data_quality_values import DataQualityStatistics
from watchkeeper.readers import contract as read
from watchkeeper.readers.blobs import FileBlob
from watchkeeper.render.cloudwatch import MetricLabels, data_quality_metrics, model_quality_metrics
from watchkeeper.render.contract import constraints_json, statistics_json, violations_json

MESSAGE, METRICS = "message", "metrics/cloudwatch/cloudwatch_metrics.jsonl"
STATISTICS, CONSTRAINTS, VIOLATIONS = "statistics.json", "constraints.json", "constraint_violations.json"
BEGUN = "The analysis came to no end: its process was killed or broke off. The log says more."
STOPPED = "stopped"
_MESSAGE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a run takes place. `now` is its time, `log` is told each line of the log, `undisturbed` holds
    back a signal to stop while files are put in their place."""

    root: Path
    now: datetime
    tools: Tools
    log: Callable[[str], None]
    undisturbed: Callable[[], AbstractContextManager[None]]
    put_metrics: PutMetrics = in_cloudwatch


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found: the files, the metric lines (None when they are not wanted), the violations."""

    statistics: str
    constraints: str
    violations: tuple[Violation, ...]
    metrics: str | None = None
    notes: tuple[str, ...] = ()


def run_container(variables: Mapping[str, str], here: Surroundings, time_limit: float | None = None) -> str:
    """Do what the variables ask for; the message that was left.

    Raises the WatchkeeperError that ended it, once the message says so; `Interrupted` leaves "stopped".
    """
    with last_word(here) as say:
        job = read_job(variables, here.root, time_limit)
        result = judge(job, here)
        with here.undisturbed():
            publish(job, result, here.log)
        if result.metrics and job.metrics.namespace:
            put_all(here, job.metrics.namespace, result.metrics)
        if job.postprocessor is not None:
            run_postprocessor(Script(job.postprocessor, job.time_limit))
        return say(closing_message(len(result.violations)))


@contextmanager
def last_word(here: Surroundings) -> Iterator[Callable[[str], str]]:
    """Leave the block's message, or why there is none: the error that ended it, a stop, or its death."""
    output = FolderStore(here.root / "output")
    output.write(MESSAGE, BEGUN.encode())

    def say(message: str) -> str:
        output.write(MESSAGE, shortened(message))
        here.log(f"Write to file {here.root / 'output' / MESSAGE}.")
        return message

    try:
        yield say
    except Interrupted:
        output.write(MESSAGE, STOPPED.encode())
        raise
    except WatchkeeperError as error:
        output.write(MESSAGE, shortened(str(error)))
        raise


def put_all(here: Surroundings, namespace: str, lines: str) -> None:
    """Put metric lines into CloudWatch, and say how many they were."""
    sent = here.put_metrics(namespace, lines, here.now)
    here.log(f"Put {sent:,} metrics into CloudWatch's namespace {namespace}.")


def closing_message(violations: int) -> str:
    """The service's own words, "1 violations" too (contract 8.2)."""
    if not violations:
        return "Completed: Job completed successfully with no violations."
    return f"CompletedWithViolations: Job completed successfully with {violations} violations."


def shortened(text: str) -> bytes:
    """The text as UTF-8 on one line, whole characters of it up to what the service reads."""
    data = " ".join(text.split()).encode(errors="replace")
    return data[:_MESSAGE_BYTES].decode(errors="ignore").encode()


def judge(job: Job, here: Surroundings) -> Result:
    """Read the data, run the preprocessor, analyse what came out."""
    blobs = input_blobs(job)
    here.log(f"Read {len(blobs):,} files below {job.source} in {job.mode} mode.")
    yardstick = None if job.quality else baseline_of(job)
    names = tuple(feature.name for feature in yardstick.constraints().features) if yardstick else ()
    with tempfile.TemporaryDirectory(prefix="watchkeeper-") as work:
        if job.preprocessor is not None:
            data, made = preprocessed(job, blobs, Path(work), names)
            here.log(f"The preprocessor made {made.rows:,} rows of {made.records:,} records.")
        elif not job.quality and sides_left_out(job, blobs):
            data, _ = selected(job, blobs, Path(work), names)
        else:
            if job.format.captured and job.mode is Mode.COMPATIBLE and not job.quality:
                check_encodings(blobs, job.window)
            data = data_set(job, blobs, names)
        return _quality(job, data, here) if job.quality else _data_quality(job, data, yardstick, here)


def baseline_of(job: Job) -> Yardstick | None:
    """The baseline's two files. Of one alone the other is made: nothing known, or what statistics suggest."""
    if job.baselining:
        return None
    statistics = _file(job.statistics, STATISTICS)
    constraints = _file(job.constraints, CONSTRAINTS)
    if statistics is None:
        statistics = statistics_json(DataQualityStatistics(0, ()))
    if constraints is None:
        constraints = _suggested(statistics, job)
    named = " and ".join(path.as_posix() for path in (job.statistics, job.constraints) if path is not None)
    return Yardstick(named, Suggestion.of(statistics, constraints))


def publish(job: Job, result: Result, log: Callable[[str], None]) -> None:
    """Put the files in their place, all of them or none; without violations there is no file of them."""
    files = {STATISTICS: result.statistics, CONSTRAINTS: result.constraints}
    if result.violations:
        files[VIOLATIONS] = violations_json(result.violations, job.mode)
    placed = [(FolderStore(job.output), name, text) for name, text in files.items()]
    if result.metrics is not None and not job.metrics.namespace:
        placed.append((FolderStore(job.root / "output"), METRICS, result.metrics))
    _take_away(job.output / VIOLATIONS)
    for number, (store, name, text) in enumerate(placed):
        try:
            store.write(name, text.encode())
        except PlatformError:
            for other, earlier, _ in placed[:number]:
                _take_away(other.path(earlier))
            raise
        log(f"Write to file {name} at path {store.root}.")


def _take_away(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise PlatformError(f"take away {file}: {error.strerror or error}", retryable=False) from error


def _data_quality(job: Job, data: DataSet, yardstick: Yardstick | None, here: Surroundings) -> Result:
    window = job.window if job.format.captured else None
    request = AnalysisRequest(data, yardstick, mode=job.mode, window=window, shown=0)
    judged = analyse(request, here.tools)
    analysis = judged.analysis
    _tell(here, analysis.violations, analysis.notes)
    if not analysis.rows:
        if not analysis.bad_lines:
            raise NoData
        first = analysis.bad[0]
        raise NoData(
            f"none of {analysis.bad_lines:,} records can be read, the first is "
            f"{first.key}:{first.line_number}: {first.reason}"
        )
    constraints, emits = _new_constraints(job, judged)
    metrics = _metrics_of(job, judged, here) if job.metrics.publish and emits else None
    return Result(judged.files.statistics, constraints, analysis.violations, metrics, analysis.notes)


def _new_constraints(job: Job, judged: Judged) -> tuple[str, bool]:
    """The suggested constraints with the job's own method of drift, and whether metrics are emitted."""
    suggested = read.data_quality_constraints(judged.files.constraints, CONSTRAINTS)
    config = suggested.monitoring_config
    emits = (judged.asked.monitoring_config if judged.asked else config).emit_metrics
    if job.drift_method is None:
        return judged.files.constraints, emits
    distribution = replace(config.distribution, categorical_drift_method=job.drift_method)
    changed = replace(suggested, monitoring_config=replace(config, distribution=distribution))
    return constraints_json(changed, job.mode), emits


def _metrics_of(job: Job, judged: Judged, here: Surroundings) -> str:
    """A p-value is no distance: an alarm on large ones would ring for what is alike, so it is left out."""
    distances = {
        drift.column: drift.score
        for drift in judged.analysis.drifts
        if drift.kind == "distance" and drift.score is not None
    }
    return data_quality_metrics(judged.statistics, distances, _labels(job, here))


def _quality(job: Job, data: DataSet, here: Surroundings) -> Result:
    asked = _file(job.constraints, CONSTRAINTS)
    constraints = read.quality_constraints(asked, f"{job.constraints}") if asked is not None else None
    found = judge_quality(job, data, constraints, here.tools.engine)
    _tell(here, found.violations, found.notes)
    return Result(
        statistics_json(found.statistics),
        constraints_json(found.suggested),
        found.violations,
        model_quality_metrics(found.statistics, _labels(job, here)) if job.metrics.publish else None,
        found.notes,
    )


def _labels(job: Job, here: Surroundings) -> MetricLabels:
    return MetricLabels(job.metrics.time or here.now, job.metrics.endpoint, job.metrics.schedule)


def _tell(here: Surroundings, violations: Sequence[Violation], notes: Sequence[str]) -> None:
    for each in violations:
        here.log(f"{each.subject}: {each.check}: {each.description}")
    for note in notes:
        here.log(f"Note: {note}")


def _file(path: Path | None, name: str) -> str | None:
    """A baseline file's text; a folder is one that holds it."""
    if path is None:
        return None
    found = path / name if path.is_dir() else path
    return FileBlob(found, found.as_posix()).read().decode(errors="replace")


def _suggested(statistics: str, job: Job) -> str:
    known = read.data_quality_statistics(statistics, f"{job.statistics}")
    columns = tuple(Column(each.name, each.inferred_type, Role.FEATURE) for each in known.features)
    given = data_quality.Circumstances(mode=job.mode)
    return constraints_json(data_quality.suggest(known, Schema(0, columns), given=given), job.mode)
