"""A real endpoint server on loopback, in a thread, with a real model of a few lines."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import numpy.typing as npt

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.errors import InputError, IntegrityError
from watchkeeper.core.values import Actor, Column, ColumnType, Deployment, Role, Schema
from watchkeeper.core.windows import Window
from watchkeeper.readers.captures import Captured, read_captures
from watchkeeper.render.exposition import exposition
from watchkeeper.serving.deployments import Load
from watchkeeper.serving.invocations import Withdrawn
from watchkeeper.serving.predicting import Predictor
from watchkeeper.serving.run import endpoint_server, listening, program_of
from watchkeeper.serving.server import EndpointServer, Hooks, Labels, no_labels, nobody_told
from watchkeeper.serving.settings import CapturePolicy, EndpointSettings, ServerSettings

SCHEMA = Schema(
    1,
    (
        Column("town", ColumnType.STRING, Role.FEATURE),
        Column("area", ColumnType.FRACTIONAL, Role.FEATURE),
        Column("price", ColumnType.FRACTIONAL, Role.LABEL),
        Column("predicted", ColumnType.FRACTIONAL, Role.PREDICTION),
    ),
)
DEPLOYED = Deployment(
    1, "prod", "prices", 1, "d" * 64, None, datetime(2020, 1, 1, tzinfo=UTC), Actor("ana", "os-user")
)
ALL = CapturePolicy()
ALWAYS = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Predictions:
    values: npt.NDArray[np.float64]
    unseen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PerSquareMetre:
    """Area times a price. Town `bug` breaks it, `nan` makes it answer NaN, `lease` it cannot read."""

    price: float
    schema: Schema = SCHEMA

    def predict(self, columns: Mapping[str, Sequence[str | None]]) -> Predictions:
        towns = columns["town"]
        if "bug" in towns:
            raise ZeroDivisionError("the model divides by zero")
        if "lease" in towns:
            raise InputError('read column "town": want a town, got "lease"')
        areas = np.array([float(area) if area is not None else 0.0 for area in columns["area"]])
        areas[[town == "nan" for town in towns]] = np.nan
        return Predictions(areas * self.price, {"town": n} if (n := towns.count("new")) else {})


def load(deployment: Deployment) -> Predictor:
    """Version 666 is broken on disk; any other costs its version per square metre."""
    if deployment.version == 666:
        raise IntegrityError("read model v666: booster.ubj is not what the manifest says")
    return PerSquareMetre(float(deployment.version))


def settings_of(workspace: Path, *, rehearsal: bool = False, capture: CapturePolicy = ALL) -> ServerSettings:
    return ServerSettings(
        "demo", workspace, (EndpointSettings("prices", "prod", capture=capture),), rehearsal, port=0
    )


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers, and a client of it."""

    server: EndpointServer
    client: httpx.Client
    store: FolderStore

    def ask(self, body: str | bytes, content_type: str = "text/csv", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            "/endpoints/prices/invocations", content=body, headers={"content-type": content_type, **named}
        )

    def authorised(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.server.seat.token}"}

    def captured(self) -> Captured:
        """Everything captured so far, after a flush over HTTP."""
        assert self.client.post("/api/v1/captures/flush", headers=self.authorised()).status_code == 204
        return captured_in(self.store)


def captured_in(store: FolderStore) -> Captured:
    return read_captures([(key, store.read(key)) for key in store.list("captures/")], SCHEMA, ALWAYS)


@contextlib.contextmanager
def running(
    settings: ServerSettings,
    load: Load = load,
    version: int = 1,
    withdrawn: Withdrawn = nobody_told,
    labels: Labels = no_labels,
) -> Iterator[Running]:
    """The server with a version deployed to its first endpoint."""
    store, first = FolderStore(settings.workspace), settings.endpoints[0]
    server = endpoint_server(settings, store, Hooks(load, exposition, labels=labels, withdrawn=withdrawn))
    deployed = replace(DEPLOYED, endpoint=first.name, environment=first.environment, version=version)
    server.deployments.serve(deployed)
    program = program_of(server)
    with listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=program.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
                yield Running(server, client, store)
        finally:
            program.should_exit = True
            thread.join()
            server.capture.flush()
