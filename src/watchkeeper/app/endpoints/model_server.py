"""One model folder behind SageMaker's container contract: `GET /ping` and `POST /invocations`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import cast

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.errors import InputError
from watchkeeper.core.values import Actor, Deployment
from watchkeeper.model.artefact import MANIFEST
from watchkeeper.render.exposition import exposition
from watchkeeper.serving.predicting import Predictor
from watchkeeper.serving.run import Served, serve
from watchkeeper.serving.server import Hooks
from watchkeeper.serving.settings import CapturePolicy, EndpointSettings, ServerSettings

# Which file says what a folder is, and what reads it; each is imported when it is needed.
LOADERS = {
    MANIFEST: "watchkeeper.model.artefact:load",
    "MLmodel": "watchkeeper.adapters.local.mlflow_model:load_mlflow",
}
NAME = "model"


@dataclass(frozen=True, slots=True)
class ModelServer:
    """What is served where. Without `capture`, a folder, nothing is captured: SageMaker does so by itself."""

    model: Path
    host: str = "0.0.0.0"  # noqa: S104  # a container's port is reached from outside it
    port: int = 8080
    version: int = 1
    capture: Path | None = None
    workers: int = 1


def load_folder(folder: Path) -> Predictor:
    """The model in a folder, or in the only folder below it, as an archive unpacks: ours, or any of MLflow's.

    Raises InputError when there is none, and what its reader raises.
    """
    below = [path for path in sorted(folder.iterdir()) if path.is_dir()] if folder.is_dir() else []
    for place in (folder, *(below if len(below) == 1 else [])):
        for file, loader in LOADERS.items():
            if (place / file).is_file():
                module, _, name = loader.partition(":")
                load = cast(Callable[[Path], Predictor], getattr(import_module(module), name))
                return load(place)
    raise InputError(f"find a model in {folder}: want a folder with {' or '.join(LOADERS)}")


def serve_model(order: ModelServer) -> None:
    """Serve it until SIGTERM or SIGINT; see `serving.run.serve`. Raises InputError without a model."""
    model = load_folder(order.model)
    policy = CapturePolicy(100 if order.capture else 0)
    with tempfile.TemporaryDirectory(prefix="watchkeeper-") as scratch:
        workspace = order.capture.resolve() if order.capture else Path(scratch)
        settings = ServerSettings(
            project=NAME,
            workspace=workspace,
            endpoints=(EndpointSettings(NAME, NAME, capture=policy),),
            host=order.host,
            port=order.port,
            workers=order.workers,
        )
        deployment = Deployment(
            number=1,
            environment=NAME,
            endpoint=NAME,
            version=order.version,
            digest="",
            previous=None,
            time=datetime.now(UTC),
            actor=Actor("container", "service"),
        )
        hooks = Hooks(load=lambda _: model, metrics=exposition)
        serve(settings, FolderStore(workspace), Served([deployment]), hooks)
