"""Training on AWS: data and code put in place, the pipeline brought up to date and started."""

from __future__ import annotations

import contextlib
import gzip
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from watchkeeper.adapters.aws.pipeline import PipelineRun, SageMakerPipeline
from watchkeeper.adapters.sources.dataset import Dataset
from watchkeeper.app.aws.central_layers import PIPELINE
from watchkeeper.app.aws.deploying import Choice, Outcome, deploy
from watchkeeper.app.aws.landscape import Landscape
from watchkeeper.app.registry.catalogue import catalogue
from watchkeeper.app.registry.packages import package_of
from watchkeeper.app.registry.records import create_record
from watchkeeper.app.registry.stored_data import StoredData, stored_data
from watchkeeper.app.retraining.train import code_version
from watchkeeper.app.setup.aws_sections import CENTRAL
from watchkeeper.core.errors import ExistsError, InputError, Refused
from watchkeeper.core.ports import Clock, Store
from watchkeeper.core.values import Actor, Progress

NEWEST = "newest"
STEPS = 8  # of an execution that makes a model, its condition too
Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Started:
    """An execution of the pipeline, and what it came to where it was waited for."""

    execution: str
    data: str
    commit: str
    run: PipelineRun | None
    model: int | None


def put_data(store: Store, rows: Dataset, actor: Actor, clock: Clock) -> StoredData:
    """Put rows into the bucket, CSV and gzipped; rows that are there already are not put again."""
    key = f"data/{rows.digest[:16]}/rows.csv.gz"
    held = stored_data(store)
    if held is not None and held.digest == rows.digest:
        return held
    with contextlib.suppress(ExistsError):  # put by a run that was interrupted before its record, or long ago
        store.create(key, gzip.compress(rows.frame.write_csv().encode(), mtime=0))
    number = held.number + 1 if held else 1
    stored = StoredData(number, key, rows.digest, rows.frame.height, rows.source, clock.now(), actor)
    create_record(store, f"data/records/{number:06d}.json", stored)
    return stored


def executed_with(
    landscape: Landscape, data: StoredData, through: str = NEWEST, reasons: str = "none"
) -> dict[str, str]:
    """What an execution of the pipeline is told."""
    return {
        "DataUri": f"s3://{landscape.bucket(CENTRAL)}/{data.key}",
        "Through": through,
        "Commit": code_version(),
        "Reasons": reasons,
    }


@dataclass(frozen=True, slots=True)
class Order:
    """What an execution is told; `token` names it, so that a second start of it starts nothing."""

    through: str = NEWEST
    reasons: str = "none"
    token: str = ""
    wait: bool = False


def train_on_aws(landscape: Landscape, order: Order, report: Report) -> Started:
    """Bring the pipeline's stack up to date, start it, and wait for it where that is asked.

    Raises Refused when images or data are wanted first, with the command that brings them.
    """
    store = landscape.central_store()
    for stage in deploy(landscape, Choice((CENTRAL,), PIPELINE.name), report).stages:
        if stage.outcome is Outcome.WAITING and stage.waiting is not None:
            raise Refused(f"train on AWS: {stage.waiting.reason}; run `{stage.waiting.command}`")
    data = stored_data(store)
    if data is None:
        raise Refused("train on AWS: want rows in the bucket; run `watchkeeper data fetch --target aws`")
    pipeline = SageMakerPipeline(landscape.account_of(CENTRAL).client("sagemaker"), landscape.names.pipeline)
    told = executed_with(landscape, data, order.through, order.reasons)
    before = len(catalogue(store).versions)
    arn = pipeline.start(told, order.token or secrets.token_hex(16))
    if not order.wait:
        return Started(arn, data.key, told["Commit"], None, None)
    run = pipeline.follow(arn, STEPS, report)
    if run.status == "Stopped":
        raise InputError(f"train on AWS: {arn} was stopped")
    made = [each.version for each in catalogue(store).versions[before:] if package_of(store, each.version)]
    return Started(arn, data.key, told["Commit"], run, made[-1] if made else None)
