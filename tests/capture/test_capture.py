"""Services that are not ours: what they capture reads as what our endpoint captures."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.serving.running import captured_in, running, settings_of
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.capture import Capture, CaptureMiddleware, Target
from watchkeeper.readers.records import BadLine, read_capture_lines

TARGET = Target("prod", "prices", model_version=1)


async def predict(request: Request) -> Response:
    """Twice the area; for `bad` a 500."""
    body = (await request.body()).decode()
    if body == "bad":
        return PlainTextResponse("no", status_code=500)
    if request.headers["content-type"] == "text/csv":
        answers = (2 * float(row.split(",")[1]) for row in body.split("\n"))
        return Response("\n".join(map(str, answers)), media_type="text/csv")
    return Response(b'{"predictions":[4.0]}', media_type="application/json")


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Capture]:
    with Capture(tmp_path / "theirs", TARGET) as opened:
        yield opened


def ask(
    app: CaptureMiddleware, body: str, content_type: str = "text/csv", path: str = "/predict"
) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            headers = {"content-type": content_type, "x-amzn-sagemaker-inference-id": f"id-{body[:3]}"}
            return await client.post(path, content=body, headers=headers)

    return asyncio.run(once())


def wrapped(capture: Capture, *, refuse: bool = True) -> CaptureMiddleware:
    routes = [Route(path, predict, methods=["POST"]) for path in ("/predict", "/other")]
    return CaptureMiddleware(Starlette(routes=routes), capture, paths=("/predict",), refuse=refuse)


def test_what_passes_reads_as_what_our_endpoint_captures(capture: Capture, tmp_path: Path) -> None:
    app = wrapped(capture)
    bodies = [("A,2\nB,3.5", "text/csv"), ('{"instances":[["A",2]]}', "application/json")]
    answers = [ask(app, *body) for body in bodies]
    capture.flush()
    theirs = captured_in(FolderStore(tmp_path / "theirs"))
    assert (theirs.requests, theirs.bad) == (2, ())
    assert set(theirs.frame["_event_id"]) == {each.headers["x-watchkeeper-event-id"] for each in answers}
    assert [each.text for each in answers] == ["4.0\n7.0", '{"predictions":[4.0]}']
    with running(settings_of(tmp_path / "ours"), version=2) as server:
        for body, content_type in bodies:
            server.ask(body, content_type, X_Amzn_SageMaker_Inference_Id=f"id-{body[:3]}")
        ours = server.captured()
    columns = ["town", "area", "predicted", "_join_id", "_row"]
    assert sorted(theirs.frame.select(columns).rows()) == sorted(ours.frame.select(columns).rows())
    keys = [
        FolderStore(tmp_path / name).list("captures/")[0].rpartition("/")[0] for name in ("ours", "theirs")
    ]
    assert keys[0][:45] == keys[1][:45]


def test_only_answers_of_the_named_paths_are_captured(capture: Capture, tmp_path: Path) -> None:
    app = wrapped(capture)
    assert [ask(app, "bad").status_code, ask(app, "A,2", path="/other").status_code] == [500, 200]
    assert ask(app, "A,2", path="/nowhere").status_code == 404
    capture.flush()
    assert FolderStore(tmp_path / "theirs").list("captures/") == []


@pytest.mark.parametrize(("refuse", "status"), [(True, 503), (False, 200)])
def test_a_record_that_cannot_be_written(
    capture: Capture,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    refuse: bool,
    status: int,
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda at, data: write(at, data[: len(data) // 2]))
    assert ask(wrapped(capture, refuse=refuse), "A,2").status_code == status
    monkeypatch.undo()
    assert "nothing of it is kept" in caplog.text


def test_other_content_is_kept_as_base64(capture: Capture, tmp_path: Path) -> None:
    event = capture.record(b"\xff\x00", "7.0", content_types=("image/png", "text/csv"))
    capture.record(b"\xff", "7.0", content_types=("text/csv", "text/csv"))
    capture.flush()
    store = FolderStore(tmp_path / "theirs")
    records = [
        item for key in store.list("captures/") for _, item in read_capture_lines(key, store.read(key))
    ]
    first, second = (each for each in records if not isinstance(each, BadLine))
    assert {first.event_id, second.event_id} > {event}
    assert first.input is not None
    assert second.input is not None
    assert {first.input.encoding, second.input.encoding} == {"BASE64"}


def test_what_a_crash_left_is_brought_in_by_the_next(tmp_path: Path) -> None:
    crashed = Capture(tmp_path / "theirs", TARGET)
    crashed.record("A,2", "4.0", content_types=("text/csv", "text/csv"))
    store = FolderStore(tmp_path / "theirs")
    assert store.list("captures/") == []
    with Capture(tmp_path / "theirs", TARGET):
        assert captured_in(store).requests == 1
    crashed._over.set()
