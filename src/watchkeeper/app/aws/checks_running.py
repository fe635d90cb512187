"""Checks of what goes on: requests, their captures, monitors on them, a test alert, what that would start."""

from __future__ import annotations

import csv
import io
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from watchkeeper.adapters.aws.client import EndpointCaller
from watchkeeper.adapters.aws.pipeline import SageMakerPipeline
from watchkeeper.adapters.local.clock import WallClock
from watchkeeper.adapters.sources.dataset import SourceRequest
from watchkeeper.app.alerts.deciding import past_of
from watchkeeper.app.aws.checks import MARGIN, Seen, Sent, Visit, fine, unsettled, wrong
from watchkeeper.app.aws.training import executed_with
from watchkeeper.app.judging.judges import JUDGES
from watchkeeper.app.monitoring.run import look_at
from watchkeeper.app.monitoring.schedule import MonitorRun
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.schemas import schema
from watchkeeper.app.registry.stored_data import StoredData, stored_data
from watchkeeper.app.retraining.train import dataset_of
from watchkeeper.core.decisions import DecisionKind, decide
from watchkeeper.core.errors import InputError
from watchkeeper.core.rules import Action, Alert, AlertState, Rule, fingerprint_of
from watchkeeper.core.values import VERDICTS, CaptureRecord, Progress, Schema, Status, labels_of
from watchkeeper.core.windows import Window, hour_folder, utc_text
from watchkeeper.readers.records import read_capture_lines

_ROWS_A_REQUEST = 20
_PAUSES = (1.0, 20.0, 1.5)  # between two looks for captures: the first, the longest, in seconds, their growth


def traffic(visit: Visit) -> Seen:
    """Rows of the training data are asked about, through `sagemaker-runtime` as any application does."""
    version = visit.serving()
    if version is None:
        return unsettled("no version serves", "`watchkeeper models promote` brings one")
    data = stored_data(visit.landscape.central_store())
    if data is None:
        return unsettled("there are no rows to ask about", "`watchkeeper data fetch --target aws`")
    spoken = _schema(visit, version)
    bodies = _bodies(_newest_rows(visit, data), spoken, visit.effort.rows)
    caller = EndpointCaller(visit.client("sagemaker-runtime"))
    started, since, waits, ids = time.monotonic(), WallClock().now(), [], []
    for number, (body, rows) in enumerate(bodies, start=1):
        ids.append(f"validate-{uuid.uuid4()}")
        asked = time.monotonic()
        said, _ = caller.invoke(visit.endpoint, ids[-1], body)
        waits.append(time.monotonic() - asked)
        if (got := len(list(csv.reader(io.StringIO(said.decode(errors="replace")))))) != rows:
            return wrong(f"{rows} rows were asked about, {got} answers came: {said[:200]!r}", "see its logs")
        visit.report(Progress("traffic", number, len(bodies)))
    visit.sent = Sent(frozenset(ids), since, sum(rows for _, rows in bodies))
    slowest = sorted(waits)[int(0.95 * (len(waits) - 1))]
    return fine(
        f"{len(ids)} requests of {visit.sent.rows:,} rows answered in {time.monotonic() - started:.1f} s, "
        f"19 of 20 within {1000 * slowest:.0f} ms"
    )


def captures(visit: Visit) -> Seen:
    """Every request of this validation turns up in the environment's bucket, whole."""
    sent = visit.sent
    if sent is None:
        return unsettled("nothing was sent", "see traffic")
    if visit.sampling < 100:
        why = f"{visit.sampling}% of requests are captured, so some never come"
        return unsettled(why, "validate where all are")
    pause, longest, growth = _PAUSES
    started = time.monotonic()
    while True:
        found, newest = _captured(visit, sent)
        took = time.monotonic() - started
        visit.report(Progress("captures", len(found), len(sent.ids), f"{took:,.0f} s"))
        if len(found) == len(sent.ids) or took > visit.effort.patience:
            break
        time.sleep(pause)
        pause = min(pause * growth, longest)
    if newest is not None:
        visit.answers.keep("capture.line", newest.decode())
    if missing := len(sent.ids) - len(found):
        return wrong(
            f"{missing} of {len(sent.ids)} requests are not there after {took:,.0f} s",
            "`--patience MINUTES` waits longer",
        )
    halves = [each for each in found.values() if each.input is None or each.output is None]
    if halves:
        return wrong(f"{len(halves)} records lack a side", "CaptureOptions want Input and Output")
    return fine(f"all {len(found)} are in the bucket, the last after {took:,.0f} s")


def monitor(visit: Visit) -> Seen:
    """Each monitor that needs no labels judges what was sent, from the bucket; nothing is put on record."""
    sent = visit.sent
    if sent is None:
        return unsettled("nothing was sent", "see traffic")
    project, now = visit.landscape.project, WallClock().now()
    window, target = Window(sent.since - MARGIN, now + MARGIN), visit.target()
    said, verdicts = [], []
    for name in project.environment(visit.environment).monitors:
        if not JUDGES[name].needs_labels:
            look = look_at(target, MonitorRun(name, visit.environment, window.end), window)
            verdicts.append(look.status)
            said.append(f"{name}: {look.status}, {look.reason}")
    words = "; ".join(said)
    if not said:
        return unsettled("every monitor of this environment needs labels", "bring labels, and run one")
    if Status.FAILED in verdicts or Status.NO_PERMISSION in verdicts:
        return wrong(words, "the reason says what")
    if not all(status in VERDICTS for status in verdicts):
        return unsettled(words, "approve a baseline, or send more with --rows")
    return fine(words)


def alert(visit: Visit) -> Seen:
    """A made-up firing of the first rule that wishes for a retrain, decided on; nothing is put on record."""
    environment, project = visit.environment, visit.landscape.project
    wishes = [rule for rule in project.rules(environment) if rule.action is Action.RETRAIN]
    if not wishes:
        return unsettled(f"no rule of {environment} leads to a retrain", "alerts: {action: retrain}")
    firing, now = _firing(visit, wishes[0]), WallClock().now()
    past = past_of(visit.landscape.central_store(), environment)
    visit.decision = decide(firing, past, project.retrain_policy(environment), now, environment)
    if visit.decision is None:
        return wrong(f"a firing of {firing.name} was not decided on", "look at the decisions on record")
    waits = ", which waits for a person" if visit.decision.needs_approval else ""
    reasons = "; ".join(visit.decision.reasons)
    return fine(f"{firing.name} would lead to {visit.decision.kind}{waits}: {reasons}")


def retrain(visit: Visit) -> Seen:
    """What the decision would start, held against the pipeline that is deployed; nothing is started."""
    decision = visit.decision
    if decision is None:
        return unsettled("there is no decision to follow", "see alert")
    data = stored_data(visit.landscape.central_store())
    if data is None:
        return unsettled("there are no rows to train on", "`watchkeeper data fetch --target aws`")
    deployed = SageMakerPipeline(visit.central("sagemaker"), visit.landscape.names.pipeline)
    told = executed_with(visit.landscape, data, reasons=decision.id)
    if unknown := set(told) - deployed.parameters():
        return wrong(
            f"the deployed pipeline knows no parameter {', '.join(sorted(unknown))}",
            "`watchkeeper aws deploy --central --only pipeline`",
        )
    would = "would start" if decision.kind is DecisionKind.RETRAIN else "held back now, else it would start"
    return fine(f"{would} {deployed.name} on {data.rows:,} rows as {told['Commit']} (dry run)")


def _schema(visit: Visit, version: int) -> Schema:
    store = visit.landscape.central_store()
    return schema(store, catalogue(store).version(version).schema_version)


def _newest_rows(visit: Visit, data: StoredData) -> pl.DataFrame:
    """The rows in the bucket, as the project's source reads them; the newest last."""
    with tempfile.TemporaryDirectory(dir=visit.folder) as folder:
        file = Path(folder) / data.key.rpartition("/")[2]
        file.write_bytes(visit.landscape.central_store().read(data.key))
        frame = dataset_of(visit.landscape.project, SourceRequest(path=file)).frame
    return frame.sort(visit.landscape.project.settings.data.time, maintain_order=True)


def _bodies(frame: pl.DataFrame, spoken: Schema, rows: int) -> Sequence[tuple[bytes, int]]:
    """The newest rows as requests of CSV without a header, each with how many rows it has."""
    names = [column.name for column in spoken.inputs]
    if missing := [name for name in names if name not in frame.columns]:
        raise InputError(
            f"make requests of the stored rows: want columns {', '.join(missing)}, they lack them"
        )
    asked = frame.select(names).tail(rows)
    return [
        (part.write_csv(include_header=False).encode(), part.height)
        for part in asked.iter_slices(_ROWS_A_REQUEST)
    ]


def _captured(visit: Visit, sent: Sent) -> tuple[dict[str, CaptureRecord], bytes | None]:
    """This validation's records that are there, by their id, and the last one's line."""
    store, found, newest = visit.landscape.capture_store(visit.environment), {}, None
    version = visit.serving() or 0
    top = f"captures/{visit.environment}/schema-v{_schema(visit, version).version}/{visit.endpoint}/"
    hours = {hour_folder(time) for time in (sent.since - MARGIN, sent.since, WallClock().now() + MARGIN)}
    for key in store.list(top):
        if not any(f"/{hour}" in key for hour in hours):
            continue
        data = store.read(key)
        lines = data.split(b"\n")
        for number, item in read_capture_lines(key, data):
            if isinstance(item, CaptureRecord) and item.inference_id in sent.ids:
                found[item.inference_id], newest = item, lines[number - 1]
    return found, newest


def _firing(visit: Visit, rule: Rule) -> Alert:
    """An alert of the rule that nothing but this validation knows."""
    project, now = visit.landscape.project, WallClock().now()
    labels = labels_of(project=project.name, environment=visit.environment, endpoint=visit.endpoint)
    return Alert(
        name=rule.name,
        fingerprint=fingerprint_of(f"validate {utc_text(now)}", labels),
        labels=labels,
        state=AlertState.FIRING,
        severity=rule.severity,
        action=rule.action,
        notify=rule.notify,
        summary=f"a test by {visit.actor.name}",
        value=None,
        active_at=now,
        fired_at=now,
    )
