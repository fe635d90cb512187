"""The endpoint over real HTTP: every body, every refusal, and what is captured of them."""

import base64
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
import polars as pl
import pytest

from tests.serving.running import DEPLOYED, Running, captured_in, load, running, settings_of
from watchkeeper.core.encoding import encode
from watchkeeper.core.values import Deployment
from watchkeeper.serving.predicting import Predictor
from watchkeeper.serving.refusals import BODY_LIMIT
from watchkeeper.serving.settings import CaptureMode, CapturePolicy, EndpointSettings, ServerSettings

JSON, LINES = "application/json", "application/jsonlines"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """For requests that are refused, and leave nothing behind."""
    with running(settings_of(tmp_path_factory.mktemp("shared"))) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(settings_of(tmp_path)) as started:
        yield started


def deploy(server: Running, version: int, **changes: object) -> httpx.Response:
    body = encode(replace(DEPLOYED, version=version, **changes))  # type: ignore[arg-type]
    return server.client.put("/api/v1/endpoints/prices", content=body, headers=server.authorised())


@pytest.mark.parametrize(
    ("body", "content_type", "answer"),
    [
        ("A,2\nB,3.5", "text/csv", "2.0\n3.5"),
        ('"A, B",2\r\n"C",\r\n', "text/csv; charset=utf-8", "2.0\n0.0"),
        ('{"instances":[{"area":2,"town":"A"},{"town":"B","area":null}]}', JSON, '{"predictions":[2.0,0.0]}'),
        ('{"instances":[["A",2]]}', JSON, '{"predictions":[2.0]}'),
        ('{"town":"A","area":2}\n{"town":"B","area":3}\n', LINES, '{"predicted":2.0}\n{"predicted":3.0}\n'),
    ],
)
def test_each_content_type_is_answered_in_kind_and_captured(
    server: Running, body: str, content_type: str, answer: str
) -> None:
    response = server.ask(body, content_type, X_Amzn_SageMaker_Inference_Id="id-1")
    assert (response.status_code, response.text) == (200, answer)
    assert response.headers["x-amzn-invoked-production-variant"] == "AllTraffic"
    assert response.headers["x-watchkeeper-model-version"] == "1"
    captured = server.captured()
    assert (captured.requests, captured.bad) == (1, ())
    assert captured.frame["town"].to_list()[0] in ("A", "A, B")
    assert set(captured.frame["_join_id"]) == {"id-1"}
    assert set(captured.frame["_event_id"]) == {response.headers["x-amzn-requestid"]}
    assert set(captured.frame["_model_version"]) == {1}


def test_accept_chooses_the_answer_s_form(server: Running) -> None:
    assert server.ask("A,2", accept=JSON).text == '{"predictions":[2.0]}'
    assert server.ask("A,2", accept="text/html, application/jsonlines;q=0.5").text == '{"predicted":2.0}\n'
    assert server.ask("A,2", accept="*/*").text == "2.0"
    assert server.ask("A,2", accept="text/html").status_code == 406
    assert server.captured().frame["predicted"].to_list() == ["2.0", "2.0", "2.0"]


REFUSED = [
    ("A,2,3", "text/csv", 400, "row 1: want 2 columns (town, area), got 3"),
    ("A,2\nB", "text/csv", 400, "row 2: want 2 columns (town, area), got 1"),
    ("", "text/csv", 400, "want at least one row, got an empty body"),
    ("\n", "text/csv", 400, "got an empty body"),
    ("town,area\nA,2", "text/csv", 400, "got a header line"),
    ("A,two", "text/csv", 400, 'row 1, column "area": want a number, got "two"'),
    ("A,nan", "text/csv", 400, 'want a number, got "nan"'),
    ('"A,2', "text/csv", 400, "CSV cannot be read"),
    (b"\xff,2", "text/csv", 400, "utf-8"),
    ("", JSON, 400, "got an empty body"),
    ("{", JSON, 400, "the body is not JSON"),
    ("[" * 100_000, JSON, 400, "not JSON"),
    ("[1]", JSON, 400, 'want a JSON object with a list under "instances"'),
    ('{"instances":[]}', JSON, 400, "want at least one row, got none"),
    ('{"instances":[{"town":"A","aera":2}]}', JSON, 400, 'no column "aera" (did you mean "area"?)'),
    ('{"instances":[{"town":"A"}]}', JSON, 400, 'want column "area", which is missing'),
    ('{"instances":[{"town":"A","area":true}]}', JSON, 400, 'column "area": want a number, got "true"'),
    (
        '{"instances":[{"town":["A"],"area":1}]}',
        JSON,
        400,
        'column "town": want a text, a number or null, got a list',
    ),
    ('{"town":"A","area":1}\n{', LINES, 400, "line 2 is not JSON"),
    ("lease,1", "text/csv", 400, 'want a town, got "lease"'),
    ("A,2", "application/x-parquet", 415, "want a content type of text/csv"),
    ("A,2", "text/csv; charset=latin-1", 415, 'want text in utf-8, got charset "latin-1"'),
    ("A,2\n" * (BODY_LIMIT // 4 + 1), "text/csv", 413, f"at most {BODY_LIMIT} bytes"),
]


@pytest.mark.parametrize(("body", "content_type", "status", "message"), REFUSED)
def test_a_bad_body_is_refused_in_sagemaker_s_shape(
    shared_server: Running, body: str | bytes, content_type: str, status: int, message: str
) -> None:
    response = shared_server.ask(body, content_type)
    assert response.status_code == status
    assert response.headers["x-amzn-errortype"] == response.json()["ErrorCode"] == "ValidationError"
    assert message in response.json()["Message"]
    assert shared_server.captured().requests == 0


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"X_Watchkeeper_Time": "2020-01-01T00:00:00Z"}, "not started for a rehearsal"),
        ({"X_Amzn_SageMaker_Inference_Id": "x" * 65}, "at most 64 ASCII characters, got 65: 'xxx"),
        ({"X_Amzn_SageMaker_Custom_Attributes": "x" * 1025}, "at most 1024 ASCII characters"),
    ],
)
def test_a_bad_header_is_refused(shared_server: Running, headers: dict[str, str], message: str) -> None:
    response = shared_server.ask("A,2", **headers)
    assert response.status_code == 400
    assert message in response.json()["Message"]


def test_an_unknown_endpoint_is_a_validation_error(shared_server: Running) -> None:
    response = shared_server.client.post("/endpoints/rents/invocations", content="A,2")
    assert (response.status_code, response.headers["x-amzn-errortype"]) == (400, "ValidationError")


@pytest.mark.parametrize(
    ("town", "words"), [("bug", "ZeroDivisionError"), ("nan", "want finite predictions, got 1 of 1")]
)
def test_a_failing_model_is_a_model_error_whose_id_is_in_the_log(
    server: Running, caplog: pytest.LogCaptureFixture, town: str, words: str
) -> None:
    with caplog.at_level(logging.ERROR):
        response = server.ask(f"{town},2")
    body = response.json()
    assert (response.status_code, body["ErrorCode"], body["OriginalStatusCode"]) == (424, "ModelError", 500)
    assert words in body["Message"]
    assert body["Id"] in caplog.text
    assert (
        server.client.post("/invocations", content="bug,2", headers={"content-type": "text/csv"}).status_code
        == 500
    )
    assert server.captured().requests == 0


def test_the_container_contract(server: Running) -> None:
    assert server.client.get("/ping").status_code == 200
    response = server.client.post("/invocations", content="A,2", headers={"content-type": "text/csv"})
    assert (response.status_code, response.text) == (200, "2.0")


def test_with_several_endpoints_an_invocation_must_name_one(tmp_path: Path) -> None:
    names = EndpointSettings("prices", "prod"), EndpointSettings("prices-dev", "dev")
    with running(ServerSettings("demo", tmp_path, names, port=0)) as server:
        response = server.client.post("/invocations", content="A,2", headers={"content-type": "text/csv"})
        empty = server.client.post("/endpoints/prices-dev/invocations", content="A,2")
    assert response.status_code == 400
    assert "prices, prices-dev" in response.json()["Message"]
    assert (empty.status_code, empty.json()["ErrorCode"]) == (503, "ServiceUnavailable")
    assert "no model is deployed" in empty.json()["Message"]


def test_a_rehearsal_s_requests_have_their_own_time(tmp_path: Path) -> None:
    with running(settings_of(tmp_path, rehearsal=True)) as server:
        assert server.ask("A,2", X_Watchkeeper_Time="2020-01-31T23:59:59.5Z").status_code == 200
        assert server.ask("A,2", X_Watchkeeper_Time="yesterday").status_code == 400
        captured = server.captured()
        (key,) = server.store.list("captures/")
    assert captured.frame["_time"].to_list() == [datetime(2020, 1, 31, 23, 59, 59, tzinfo=UTC)]
    assert key.startswith("captures/prod/schema-v1/prices/AllTraffic/2020/01/31/23/59-59-500-")


def test_every_concurrent_request_is_captured_once(server: Running) -> None:
    def ask(number: int) -> str:
        body = "\n".join(f"T{number},{row}" for row in range(1 + number % 5))
        response = server.ask(body, X_Amzn_SageMaker_Inference_Id=f"id-{number}")
        assert response.text.count("\n") == number % 5
        return response.headers["x-amzn-requestid"]

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(ask, range(200)))
    captured = server.captured()
    assert captured.requests == 200
    assert captured.bad == ()
    assert sorted(captured.frame["_event_id"].unique()) == sorted(ids)
    assert captured.frame.height == sum(1 + number % 5 for number in range(200))
    assert set(captured.frame.select("_join_id", "town").rows()) == {(f"id-{n}", f"T{n}") for n in range(200)}


def test_a_request_of_many_rows_is_one_record(server: Running) -> None:
    body = "\n".join(f"A,{row}" for row in range(50_000))
    assert server.ask(body).text.count("\n") == 49_999
    captured = server.captured()
    assert (captured.requests, captured.frame.height) == (1, 50_000)
    assert captured.frame["_row"].to_list() == list(range(50_000))


def test_a_masked_column_is_asked_and_not_captured(tmp_path: Path) -> None:
    policy = CapturePolicy(mask=frozenset({"area"}))
    with running(settings_of(tmp_path, capture=policy)) as server:
        assert server.ask("A,2\nB,3").text == "2.0\n3.0"
        frame = server.captured().frame
    assert frame.select("town", "area", "predicted").rows() == [("A", None, "2.0"), ("B", None, "3.0")]


def captured_sides(server: Running) -> list[dict[str, dict[str, str]]]:
    """What the capture files hold under `captureData`, in their order."""
    server.captured()
    return [
        orjson.loads(line)["captureData"]
        for key in server.store.list("captures/")
        for line in server.store.read(key).splitlines()
    ]


@pytest.mark.parametrize("mode", CaptureMode)
def test_one_side_alone_can_be_captured(tmp_path: Path, mode: CaptureMode) -> None:
    with running(settings_of(tmp_path, capture=CapturePolicy(options=frozenset({mode})))) as server:
        assert server.ask("A,2").text == "2.0"
        (sides,) = captured_sides(server)
    assert list(sides) == [f"endpoint{mode}"]
    assert sides[f"endpoint{mode}"]["data"] == {"Input": "A,2", "Output": "2.0"}[mode]


def test_content_that_no_list_names_is_captured_in_base64_and_read_again(tmp_path: Path) -> None:
    policy = CapturePolicy(csv_content_types=(), json_content_types=("application/json",))
    with running(settings_of(tmp_path, capture=policy)) as server:
        assert server.ask("A,2").text == "2.0"
        (sides,) = captured_sides(server)
        assert {side["encoding"] for side in sides.values()} == {"BASE64"}
        assert base64.b64decode(sides["endpointInput"]["data"]) == b"A,2"
        frame = server.captured().frame
    assert frame.select("town", "area", "predicted").rows() == [("A", "2", "2.0")]


def test_sampling_keeps_about_its_share_and_answers_all(tmp_path: Path) -> None:
    with running(settings_of(tmp_path, capture=CapturePolicy(30))) as server:
        assert all(server.ask("A,2").status_code == 200 for _ in range(200))
        assert 30 <= server.captured().requests <= 90


def test_a_deployment_takes_over_and_a_broken_one_does_not(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    assert deploy(server, 2).json()["deployment"]["version"] == 2
    assert server.ask("A,2").text == "4.0"
    broken = deploy(server, 666)
    assert broken.status_code == 500
    assert (
        "booster.ubj is not what the manifest says; what was served before still is"
        in broken.json()["Message"]
    )
    assert broken.json()["Id"] in caplog.text
    after = server.ask("A,2")
    assert (after.text, after.headers["x-watchkeeper-model-version"]) == ("4.0", "2")
    (state,) = server.client.get("/api/v1/endpoints").json()
    assert (state["name"], state["deployment"]["version"], state["problem"]) == ("prices", 2, "")


def test_no_request_is_dropped_while_versions_change(server: Running) -> None:
    """Thirty-two clients ask until twenty versions have been deployed, one of them broken."""
    over = threading.Event()

    def ask_on(number: int) -> list[tuple[str, str, str]]:
        found = []
        with httpx.Client(base_url=server.client.base_url, trust_env=False, timeout=30) as client:
            while not over.is_set():
                response = client.post(
                    "/invocations", content=f"A,{number}", headers={"content-type": "text/csv"}
                )
                assert response.status_code == 200, response.text
                version = response.headers["x-watchkeeper-model-version"]
                assert float(response.text) == number * float(version)
                found.append((response.headers["x-amzn-requestid"], version, response.text))
        return found

    with ThreadPoolExecutor(32) as pool:
        asking = [pool.submit(ask_on, number) for number in range(32)]
        try:
            codes = [
                deploy(server, 666 if version == 10 else version).status_code for version in range(2, 22)
            ]
        finally:
            over.set()
        answers = [answer for each in asking for answer in each.result()]
    assert Counter(codes) == {200: 19, 500: 1}
    frame = server.captured().frame.with_columns(pl.col("_model_version").cast(str))
    assert sorted(frame.select("_event_id", "_model_version", "predicted").rows()) == sorted(answers)
    assert len({version for _, version, _ in answers}) > 5


@pytest.mark.parametrize("fault", [ModuleNotFoundError("No module named 'lightgbm'"), EOFError("cut off")])
def test_a_model_whose_code_cannot_be_loaded_is_a_failed_deployment(tmp_path: Path, fault: Exception) -> None:
    def load_one(deployment: Deployment) -> Predictor:
        if deployment.version == 1:
            return load(deployment)
        raise fault

    with running(settings_of(tmp_path), load_one) as server:
        response = deploy(server, 2)
        assert (response.status_code, response.json()["ErrorCode"]) == (500, "DeploymentFailed")
        assert str(fault) in response.json()["Message"]
        assert server.ask("A,2").headers["x-watchkeeper-model-version"] == "1"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "read the deployment"),
        (encode(replace(DEPLOYED, endpoint="rents")), "names endpoint rents"),
        (encode(replace(DEPLOYED, environment="dev")), "want environment prod, got dev"),
    ],
)
def test_a_deployment_that_is_not_this_endpoint_s_is_refused(
    shared_server: Running, body: bytes, message: str
) -> None:
    response = shared_server.client.put(
        "/api/v1/endpoints/prices", content=body, headers=shared_server.authorised()
    )
    assert response.status_code == 400
    assert message in response.json()["Message"]


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"authorization": "Basic x"}])
def test_what_changes_something_wants_the_token(shared_server: Running, headers: dict[str, str]) -> None:
    client = shared_server.client
    assert client.post("/api/v1/captures/flush", headers=headers).status_code == 401
    assert (
        client.put("/api/v1/endpoints/prices", content=encode(DEPLOYED), headers=headers).status_code == 401
    )


def test_metrics_count_every_request_under_its_code(server: Running) -> None:
    for body in ("A,2", "new,2\nnew,3", "A", "bug,1"):
        server.ask(body)
    text = server.client.get("/metrics").text
    labels = 'endpoint="prices",environment="prod",project="demo",variant="AllTraffic"'
    for code, count in ((200, 2), (400, 1), (500, 1)):
        assert f'watchkeeper_endpoint_requests_total{{code="{code}",{labels}}} {count}\n' in text
    assert (
        'watchkeeper_endpoint_unseen_categories_total{endpoint="prices",environment="prod",feature="town"'
        in text
    )
    assert f"watchkeeper_endpoint_request_seconds_count{{{labels}}} 4\n" in text
    assert 'le="+Inf"' in text


def test_captures_are_whole_lines_of_the_contract(server: Running) -> None:
    server.ask("A,2", X_Amzn_SageMaker_Custom_Attributes="trace=7")
    server.captured()
    (key,) = server.store.list("captures/")
    (line,) = server.store.read(key).splitlines()
    record = orjson.loads(line)
    assert record["captureData"]["endpointInput"] == {
        "observedContentType": "text/csv",
        "mode": "INPUT",
        "data": "A,2",
        "encoding": "CSV",
    }
    assert record["eventMetadata"]["customAttributes"] == ["trace=7"]
    assert captured_in(server.store).requests == 1
