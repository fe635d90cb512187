"""`watchkeeper serve`."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from watchkeeper.app.endpoints.model_server import ModelServer, serve_model


@click.command()
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=Path("/opt/ml/model"),
    show_default=True,
    envvar="SM_MODEL_DIR",
    show_envvar=True,
    help="The folder with the model: one that Watchkeeper trained, or any MLflow model with a signature.",
)
@click.option(
    "--host",
    default="0.0.0.0",  # noqa: S104  # a container's port is reached from outside it
    show_default=True,
    envvar="WATCHKEEPER_HOST",
    show_envvar=True,
    help="Address to listen on.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    envvar="SAGEMAKER_BIND_TO_PORT",
    show_envvar=True,
    help="0 takes any free port.",
)
@click.option(
    "--version",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    envvar="WATCHKEEPER_MODEL_VERSION",
    show_envvar=True,
    help="The model's version, for answers, captures and metrics.",
)
@click.option(
    "--capture",
    type=click.Path(path_type=Path, file_okay=False),
    help="Capture below this folder (default: not at all, as SageMaker captures by itself).",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    envvar="SAGEMAKER_MODEL_SERVER_WORKERS",
    show_envvar=True,
    help="Processes that share the port.",
)
def serve(model: Path, host: str, port: int, version: int, capture: Path | None, workers: int) -> None:
    """Be the container of a SageMaker endpoint: serve one model on /invocations and /ping.

    SageMaker starts the image with the word `serve`, the model's archive unpacked in /opt/ml/model.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    )
    serve_model(ModelServer(model, host, port, version, capture, workers))
