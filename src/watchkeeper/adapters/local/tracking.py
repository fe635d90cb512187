"""Runs and models in MLflow, on SQLite or on a server."""

from __future__ import annotations

import watchkeeper.adapters.local.mlflow_quiet  # noqa: F401  # isort: skip

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import mlflow
import mlflow.pyfunc
from mlflow.entities import Metric, Param, RunStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from watchkeeper.core.errors import IntegrityError, PlatformError
from watchkeeper.core.ports import MISSED
from watchkeeper.core.values import ApprovalStatus

MODEL = "model"
STATUS_TAG = "approval_status"


@dataclass(frozen=True, slots=True)
class MlflowTracker:
    """A `Tracker` on `folder/mlflow.db`, with the models in `folder/artifacts`; made when first used.

    `project` names the experiment and the registered model. With `server`, a URI that MLflow takes, nothing
    is kept in the folder.
    """

    folder: Path
    project: str
    server: str = ""

    @property
    def uri(self) -> str:
        """What `mlflow ui --backend-store-uri` wants."""
        return self.server or f"sqlite:///{self.folder.resolve() / 'mlflow.db'}"

    def log_run(
        self,
        name: str,
        params: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        artefact: str,
    ) -> str:
        with self._client("log run") as client:
            run = client.create_run(self._experiment(client), run_name=name, tags=dict(tags))
            run_id: str = run.info.run_id
            try:
                now = time.time_ns() // 1_000_000
                client.log_batch(
                    run_id,
                    metrics=[Metric(key, value, now, 0) for key, value in metrics.items()],
                    params=[Param(key, text) for key, text in params.items()],
                )
                self._log_model(run_id, artefact)
            except BaseException:
                client.set_terminated(run_id, RunStatus.to_string(RunStatus.FAILED))
                raise
            ended = RunStatus.FAILED if MISSED in tags else RunStatus.FINISHED
            client.set_terminated(run_id, RunStatus.to_string(ended))
            return run_id

    def register(self, run_id: str, version: int, status: ApprovalStatus) -> None:
        """Raises IntegrityError when MLflow would give the version another number than ours."""
        with self._client(f"register version {version}") as client:
            held = self._versions(client)
            if version not in held:
                if version != max(held, default=0) + 1:
                    raise IntegrityError(
                        f"register version {version} of {self.project} in MLflow: want it to come next, "
                        f"got {max(held, default=0)} as the newest there"
                    )
                self._create_version(client, run_id, {STATUS_TAG: status.value})
            elif held[version].run_id != run_id:
                raise IntegrityError(
                    f"register version {version} of {self.project} in MLflow: want run {run_id}, "
                    f"got run {held[version].run_id} there"
                )

    def mirror(self, version: int, tags: Mapping[str, str], aliases: Sequence[str]) -> None:
        with self._client(f"mirror version {version}") as client:
            for key, text in tags.items():
                client.set_model_version_tag(self.project, str(version), key, text)
            for alias in aliases:
                client.set_registered_model_alias(self.project, alias, str(version))

    @contextmanager
    def _client(self, doing: str) -> Iterator[mlflow.MlflowClient]:
        """MLflow pointed at our folder, quiet, its errors translated."""
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            if not self.server:
                self.folder.mkdir(parents=True, exist_ok=True)
            mlflow.set_tracking_uri(self.uri)
            mlflow.set_registry_uri(self.uri)
            yield mlflow.MlflowClient(self.uri, self.uri)
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise PlatformError(
                f"{doing} in MLflow at {self.server or self.folder}: {_said(error)}", retryable=True
            ) from error

    def _experiment(self, client: mlflow.MlflowClient) -> str:
        held = client.get_experiment_by_name(self.project)
        if held is not None:
            return str(held.experiment_id)
        place = None if self.server else (self.folder.resolve() / "artifacts").as_uri()
        return str(client.create_experiment(self.project, place))

    def _log_model(self, run_id: str, artefact: str) -> None:
        # No signature: the model takes numbers and text alike, which a signature cannot say.
        with mlflow.start_run(run_id):
            mlflow.pyfunc.log_model(
                name=MODEL,
                loader_module="watchkeeper.model.pyfunc",
                data_path=artefact,
                pip_requirements=requirements(),
            )

    def _create_version(self, client: mlflow.MlflowClient, run_id: str, tags: dict[str, str]) -> None:
        if not client.search_registered_models(f"name = '{self.project}'"):
            client.create_registered_model(self.project)
        outputs = client.get_run(run_id).outputs
        if outputs is None or len(outputs.model_outputs) != 1:
            raise IntegrityError(f"register run {run_id} of {self.project} in MLflow: want one model in it")
        (logged,) = outputs.model_outputs
        source = f"models:/{logged.model_id}"
        client.create_model_version(self.project, source, run_id, tags, model_id=logged.model_id)

    def _versions(self, client: mlflow.MlflowClient) -> dict[int, ModelVersion]:
        found = client.search_model_versions(f"name = '{self.project}'")
        return {int(held.version): held for held in found}


def _said(error: Exception) -> str:
    """The error without its statement; SQLite has few words for a disk that takes no more."""
    said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    full = "disk I/O error" in said or "disk is full" in said
    return f"{said.splitlines()[0]}: no space left, or the file too large?" if full else said


def requirements() -> list[str]:
    """What loading the model needs, with the versions it was made with: said, not inferred."""
    return [
        f"{name}=={found}"
        for name in ("watchkeeper", "numpy", "xgboost-cpu", "xgboost")
        if (found := _version(name))
    ]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
