"""The servers that `benchmarks/serving.py` compares, each one worker in a process of its own.

Usage: serving_apps.py KIND MODEL FOLDER PORT. `captured` and `uncaptured` are ours; `fastapi` and `starlette`
serve the same loaded model one request at a time, as one writes it by hand, without any capture.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.applications import Starlette
from starlette.routing import Route

from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.core.values import Actor, Deployment
from watchkeeper.model.artefact import Model, load
from watchkeeper.readers.payloads import csv_columns
from watchkeeper.serving.run import endpoint_server, leave_out_of_collections, listening, program_of, shipping
from watchkeeper.serving.server import Hooks
from watchkeeper.serving.settings import CapturePolicy, EndpointSettings, ServerSettings

HOST = "127.0.0.1"


def ours(model: Model, folder: Path, sampling: int) -> None:
    """Our server with its capture, or with none sampled."""
    settings = ServerSettings(
        "resale-price",
        folder,
        (EndpointSettings("resale-price-prod", "prod", capture=CapturePolicy(sampling)),),
    )
    hooks = Hooks(load=lambda _: model, metrics=lambda _: "")
    server = endpoint_server(settings, FolderStore(folder), hooks)
    now, actor = datetime.now(UTC), Actor("benchmark", "service")
    server.deployments.serve(Deployment(1, "prod", "resale-price-prod", 1, "d" * 64, None, now, actor))
    leave_out_of_collections()
    with shipping(server), listening(HOST, int(sys.argv[4])) as listener:
        program_of(server).run(sockets=[listener])


def answer(model: Model, body: bytes) -> str:
    """One request, as one writes it by hand."""
    columns = csv_columns(body.decode(), [column.name for column in model.schema.inputs])
    return "\n".join(map(repr, model.predict(columns).values.tolist()))


def fastapi(model: Model) -> None:
    """Plain FastAPI."""
    app = FastAPI()

    @app.post("/invocations")
    async def invoke(request: Request) -> Response:
        return Response(answer(model, await request.body()), media_type="text/csv")

    run(app)


def starlette(model: Model) -> None:
    """Bare Starlette."""

    async def invoke(request: Request) -> Response:
        return Response(answer(model, await request.body()), media_type="text/csv")

    run(Starlette(routes=[Route("/invocations", invoke, methods=["POST"])]))


def run(app: Any) -> None:
    """Serve on the port of the command line, on the same uvicorn with uvloop and httptools."""
    with listening(HOST, int(sys.argv[4])) as listener:
        uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)).run(
            sockets=[listener]
        )


def main() -> None:
    kind, model, folder = sys.argv[1], load(Path(sys.argv[2])), Path(sys.argv[3])
    if kind in ("captured", "uncaptured"):
        ours(model, folder, 100 if kind == "captured" else 0)
    else:
        {"fastapi": fastapi, "starlette": starlette}[kind](model)


if __name__ == "__main__":
    main()
