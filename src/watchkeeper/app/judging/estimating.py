"""Estimates of model quality for windows whose labels have not come, by each version's own estimator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from watchkeeper.app.judging.judgement import LABEL, numbers
from watchkeeper.app.registry.artefacts import columns_of, version_in_store
from watchkeeper.app.registry.baselines import BaselineRecord, baselines
from watchkeeper.app.registry.executions import executions
from watchkeeper.core.errors import InputError
from watchkeeper.core.ports import Store
from watchkeeper.core.values import VERDICTS, Estimate, Execution, Role, Schema
from watchkeeper.core.windows import time_folder
from watchkeeper.model import loss_model
from watchkeeper.model.artefact import Model
from watchkeeper.monitors import model_quality
from watchkeeper.monitors.estimated_quality import LEAST_ROWS, LEVEL, Estimated, estimate, trust

SEED = 0


def keep_estimator(store: Store, record: BaselineRecord, rows: pl.DataFrame) -> None:
    """Fit an estimator on a model-quality baseline's rows, beside its files.

    There is none without labels and predictions, for fewer than 100 such rows, or where the version's model
    is not in the store: then there are no estimates, and executions say so. It is kept before the baseline's
    record is, so that whoever was interrupted makes both again.
    """
    if record.monitor != model_quality.MONITOR.name:
        return
    model = _model(store, record.model_version)
    if model is None:
        return
    prediction = model.schema.prediction.name
    scored = mixed_within_times(rows.drop_nulls([prediction, LABEL]), model.schema)
    if scored.height < LEAST_ROWS:
        return
    fitted = loss_model.fit(_matrix(model, scored), numbers(scored[prediction]), numbers(scored[LABEL]), SEED)
    for name, data in loss_model.to_files(fitted).items():
        store.write(f"{_folder(record)}{name}", data)


def mixed_within_times(rows: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Rows of one time in any order, times in the order in which they come first.

    Files of a month are often sorted by something else, and a stretch of rows would be of one town rather
    than of a while.
    """
    times = [column.name for column in schema.columns if column.role is Role.TIME and column.name in rows]
    if not times:
        return rows
    mixed = rows[np.random.Generator(np.random.PCG64(SEED)).permutation(rows.height)]
    first = {value: place for place, value in enumerate(rows[times[0]].unique(maintain_order=True))}
    order = np.argsort([first[value] for value in mixed[times[0]]], kind="stable")
    return mixed[order]


def estimates(
    store: Store, rows: pl.DataFrame, environment: str
) -> tuple[tuple[Estimate, ...], tuple[str, ...]]:
    """What the error of the rows will be, by model version, and why there is none of some of them."""
    found: list[Estimate] = []
    notes: list[str] = []
    known = baselines(store, model_quality.MONITOR.name)
    for version in sorted(rows["_model_version"].drop_nulls().unique().to_list()):
        own = rows.filter(pl.col("_model_version") == version)
        record = known.in_use(version, environment)
        said = _of_version(store, record, own) if record else "no baseline is approved"
        if isinstance(said, str):
            notes.append(f"no estimate for model v{version}: {said}")
        else:
            found += [
                Estimate(each.metric, each.value, each.low, each.high, LEVEL, own.height, version)
                for each in said
            ]
    return tuple(found), tuple(notes)


def estimated_before(store: Store, execution: Execution) -> tuple[Estimate, ...]:
    """The newest estimates on record of an execution's window."""
    found = executions(store, f"{execution.schedule}/{time_folder(execution.scheduled_at)}")
    of_window = [each for each in found if each.window == execution.window]
    return next((each.estimates for each in reversed(of_window) if each.estimates), ())


def trust_notes(of_schedule: Sequence[Execution]) -> tuple[str, ...]:
    """Whether estimates of a schedule have missed what came more often than they promise."""
    windows: dict[object, list[Execution]] = {}
    for each in of_schedule:
        windows.setdefault(each.window, []).append(each)
    pairs = [pair for found in windows.values() for pair in _pairs(found)]
    fared = trust(pairs)
    if not fared.untrustworthy:
        return ()
    return (
        f"estimates are not to be trusted here: what came was outside {fared.missed} of {fared.judged} "
        f"intervals that promised to hold it in {LEVEL:.0%} of cases",
    )


def realised(execution: Execution, metric: str) -> float | None:
    """What an execution with a verdict found of a figure."""
    name = f"watchkeeper_model_quality_{metric}"
    return next((sample.value for sample in execution.samples if sample.metric == name), None)


def _pairs(of_window: Sequence[Execution]) -> list[tuple[Estimated, float]]:
    said = next((execution.estimates for execution in of_window if execution.estimates), ())
    came = [execution for execution in of_window if execution.status in VERDICTS]
    return [
        (Estimated(each.metric, each.value, each.low, each.high), value)
        for each in said
        if came and each.metric == "rmse" and (value := realised(came[-1], each.metric)) is not None
    ]


def _of_version(store: Store, record: BaselineRecord, rows: pl.DataFrame) -> tuple[Estimated, ...] | str:
    prefix = _folder(record)
    files = {key.removeprefix(prefix): store.read(key) for key in store.list(prefix)}
    if loss_model.MANIFEST not in files:
        return f"{record.name} has no estimator, which needs {LEAST_ROWS} labelled rows"
    model = _model(store, record.model_version)
    if model is None:
        return "the model is not in the store"
    fitted = loss_model.from_files(files)
    try:
        expected = fitted.expected(_matrix(model, rows), numbers(rows[model.schema.prediction.name]))
        return estimate(expected, fitted.held_out, SEED)
    except ValueError as error:
        return str(error)


def _matrix(model: Model, rows: pl.DataFrame) -> npt.NDArray[np.float32]:
    return model.encoder.transform(columns_of(model, rows, "estimate errors")).matrix


def _model(store: Store, version: int) -> Model | None:
    try:
        return version_in_store(store, version)
    except InputError:
        return None


def _folder(record: BaselineRecord) -> str:
    return f"{record.folder}estimator/"
