"""The endpoint with a real trained model, read from its folder."""

from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.model.models import ROWS, example, model
from tests.serving.running import ALWAYS, DEPLOYED, Running, running, settings_of
from watchkeeper.core.encoding import encode
from watchkeeper.core.values import Column, ColumnType, Deployment, Role
from watchkeeper.model.artefact import load, save
from watchkeeper.readers.captures import read_captures
from watchkeeper.serving.predicting import Predictor


def deploy(server: Running, version: int) -> httpx.Response:
    body = encode(replace(DEPLOYED, version=version))
    return server.client.put("/api/v1/endpoints/prices", content=body, headers=server.authorised())


def test_a_real_model_is_served_and_a_spoilt_folder_is_not(tmp_path: Path) -> None:
    trained = model()
    schema = replace(
        trained.schema,
        columns=(*trained.schema.columns, Column("predicted", ColumnType.FRACTIONAL, Role.PREDICTION)),
    )
    trained = replace(trained, schema=schema)
    for version in (2, 3):
        save(tmp_path / "models" / f"v{version}", trained, example())
    booster = tmp_path / "models" / "v3" / "booster.ubj"
    booster.write_bytes(booster.read_bytes()[:-1])

    def from_folder(deployment: Deployment) -> Predictor:
        return load(tmp_path / "models" / f"v{deployment.version}")

    with running(settings_of(tmp_path), from_folder, version=2) as server:
        body = "\n".join(f"{town},{area}" for town, area in zip(ROWS["town"], ROWS["area"], strict=True))
        answer = server.ask(body)
        spoilt, missing = deploy(server, 3), deploy(server, 4)
        strange = server.ask("Z,50")
        server.client.post("/api/v1/captures/flush", headers=server.authorised())
        objects = [(key, server.store.read(key)) for key in server.store.list("captures/")]
        unseen = server.client.get("/metrics").text
    values = np.array([float(line) for line in answer.text.splitlines()])
    assert values == pytest.approx(trained.predict(ROWS).values, rel=1e-12)
    assert "booster.ubj" in spoilt.json()["Message"]
    assert (spoilt.status_code, missing.status_code, strange.status_code) == (500, 500, 200)
    assert strange.headers["x-watchkeeper-model-version"] == "2"
    assert 'feature="town"' in unseen
    captured = read_captures(objects, schema, ALWAYS)
    assert (captured.requests, captured.frame.height) == (2, 91)
