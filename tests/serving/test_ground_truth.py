"""Labels over real HTTP: every form of body, every refusal, and what is handed on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
import pytest

from tests.serving.running import DEPLOYED, load, settings_of
from watchkeeper.adapters.local.store import FolderStore
from watchkeeper.adapters.memory.clock import MovedClock
from watchkeeper.adapters.memory.trail import MemoryTrail
from watchkeeper.app.endpoints.serving import store_labels
from watchkeeper.app.setup.audit import log
from watchkeeper.core.values import GroundTruth
from watchkeeper.render.exposition import exposition
from watchkeeper.render.records import ground_truth_line
from watchkeeper.serving.capture import CaptureWriter
from watchkeeper.serving.ground_truth import read_truths
from watchkeeper.serving.refusals import BODY_LIMIT, RequestRefused
from watchkeeper.serving.run import endpoint_server, listening, program_of
from watchkeeper.serving.server import Hooks, no_labels

AT = datetime(2020, 2, 1, tzinfo=UTC)
TRUTHS = (GroundTruth("a", (10.0,)), GroundTruth("b", (1.5, -2.0)))
LINES = b"".join(ground_truth_line(truth, AT) for truth in TRUTHS)
ENTRIES = b'[{"inferenceId":"a","label":10},{"eventId":"b","labels":[1.5,-2]}]'
PATH = "/endpoints/prices/ground-truth"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A server that stores labels, and what it stored."""

    client: httpx.Client
    store: FolderStore
    trail: MemoryTrail
    capture: CaptureWriter

    def post(self, body: bytes, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(PATH, content=body, headers=named)


@contextlib.contextmanager
def labelling(workspace: Path, *, rehearsal: bool = False, keeps: bool = True) -> Iterator[Labelled]:
    store, trail = FolderStore(workspace), MemoryTrail(MovedClock(AT))
    labels = (lambda sent: store_labels(store, trail, sent)) if keeps else no_labels
    server = endpoint_server(
        settings_of(workspace, rehearsal=rehearsal), store, Hooks(load, exposition, labels=labels)
    )
    server.deployments.serve(replace(DEPLOYED))
    program = program_of(server)
    with listening("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=program.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
                yield Labelled(client, store, trail, server.capture)
        finally:
            program.should_exit = True
            thread.join()
            server.capture.flush()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Labelled]:
    with labelling(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labelled]:
    """For bodies that are refused, and leave nothing behind."""
    with labelling(tmp_path_factory.mktemp("shared")) as started:
        yield started


@pytest.mark.parametrize(
    "body",
    [
        LINES,
        ENTRIES,
        b'{"inferenceId":"a","label":10}\n\n{"eventId":"b","inferenceId":null,"labels":[1.5,-2.0]}\n',
        b"[" + LINES.strip().replace(b"\n", b",") + b"]",
    ],
    ids=["records", "list", "lines", "list-of-records"],
)
def test_every_form_of_body_says_the_same(body: bytes) -> None:
    assert read_truths(body) == TRUTHS


def test_one_object_is_one_entry() -> None:
    assert read_truths(b'{"eventId":"a","inferenceId":"i","label":1}') == (GroundTruth("i", (1.0,)),)
    assert read_truths(ground_truth_line(TRUTHS[1], AT)) == (TRUTHS[1],)


BAD = [
    (b"", "want at least one entry, got an empty body"),
    (b"[]", "want at least one entry"),
    (b"id,label\na,1\n", "entry 1: want JSON"),
    (LINES + b"{\n", "entry 3: want JSON"),
    (b"\xff", "entry 1: want JSON"),
    (b"[" * 100_000, "entry 1: want JSON"),
    (b"[1]", "entry 1: want an object with an id and labels"),
    (b'[{"inferenceId":"a","label":1},{"label":1}]', "entry 2: want an inferenceId or eventId"),
    (b'[{"inferenceId":" ","label":1}]', "entry 1: want an inferenceId or eventId"),
    (b'[{"inferenceId":7,"label":1}]', "entry 1: want an inferenceId or eventId that is a text"),
    (b'[{"inferenceId":"a"}]', "entry 1: want either label or labels"),
    (b'[{"inferenceId":"a","label":1,"labels":[1]}]', "entry 1: want either label or labels"),
    (b'[{"inferenceId":"a","labels":[]}]', "entry 1: labels: want a list of numbers"),
    (b'[{"inferenceId":"a","labels":1}]', "entry 1: labels: want a list of numbers"),
    (b'[{"inferenceId":"a","label":null}]', "entry 1: want finite numbers as labels, got 'None'"),
    (b'[{"inferenceId":"a","label":"1"}]', "entry 1: want finite numbers as labels, got '1'"),
    (b'[{"inferenceId":"a","label":true}]', "entry 1: want finite numbers as labels"),
    (b'[{"inferenceId":"a","label":NaN}]', "entry 1: want JSON"),
    (b'[{"inferenceId":"a","lable":1}]', 'got "lable"'),
    (LINES + ground_truth_line(GroundTruth("c", ("dear",)), AT), "entry 3: want finite numbers as labels"),
    (b'{"groundTruthData":{"data":"1","encoding":"XML"},"eventMetadata":{"eventId":"a"}}', "entry 1: ground"),
]


@pytest.mark.parametrize(("body", "message"), BAD)
def test_one_wrong_entry_refuses_the_whole_body(shared_server: Labelled, body: bytes, message: str) -> None:
    response = shared_server.post(body)
    assert (response.status_code, response.headers["x-amzn-errortype"]) == (400, "ValidationError")
    assert message in response.json()["Message"]
    assert shared_server.store.list("ground-truth/") == []
    assert log(shared_server.trail) == ()


def test_the_body_limit_is_that_of_invocations(shared_server: Labelled) -> None:
    response = shared_server.post(b" " * (BODY_LIMIT + 1))
    assert (response.status_code, str(BODY_LIMIT) in response.json()["Message"]) == (413, True)


def test_an_endpoint_that_is_not_there_has_no_labels(shared_server: Labelled) -> None:
    response = shared_server.client.post("/endpoints/other/ground-truth", content=ENTRIES)
    assert (response.status_code, "no such endpoint" in response.json()["Message"]) == (404, True)
    assert shared_server.client.get(PATH).status_code == 405


def test_a_server_without_labels_says_so(tmp_path: Path) -> None:
    with labelling(tmp_path, keeps=False) as started:
        response = started.post(ENTRIES)
        assert (response.status_code, "keeps none" in response.json()["Message"]) == (404, True)


def test_the_same_body_twice_is_stored_once(server: Labelled) -> None:
    first, again = server.post(ENTRIES), server.post(LINES)
    assert (first.status_code, again.status_code) == (200, 200)
    told = orjson.loads(first.content)
    assert [told[name] for name in ("received", "stored", "already", "conflicting", "unknown")] == [
        2,
        2,
        0,
        0,
        2,
    ]
    assert told["samples"]["unknown"] == ["a", "b"]
    told = orjson.loads(again.content)
    assert [told[name] for name in ("received", "stored", "already", "key")] == [2, 0, 2, None]
    assert server.store.list("ground-truth/") == [orjson.loads(first.content)["key"]]
    events = [entry.event for entry in log(server.trail)]
    assert [(each.action, each.subject, each.actor.how) for each in events] == [
        ("labels.import", "prices", "service")
    ], "what stored nothing is not on the log"


def test_a_label_may_come_before_its_capture_is_in_the_store(server: Labelled) -> None:
    asked = server.client.post(
        "/endpoints/prices/invocations",
        content="A,2\nB,3",
        headers={"content-type": "text/csv", "x-amzn-sagemaker-inference-id": "b"},
    )
    assert asked.status_code == 200
    early = server.post(b'{"inferenceId":"b","labels":[1,2]}').json()
    assert (early["stored"], early["unknown"]) == (1, 1)
    server.capture.flush()
    known = server.post(b'[{"inferenceId":"b","labels":[1,2]},{"inferenceId":"c","label":1}]').json()
    assert (known["already"], known["stored"], known["samples"]["unknown"]) == (1, 1, ["c"])
    short = server.post(b'{"inferenceId":"b","labels":[1]}').json()
    assert (short["conflicting"], short["mismatched"]) == (1, 1)
    assert short["samples"]["conflicting"] == [{"id": "b", "before": [1.0, 2.0], "after": [1.0]}]
    assert short["samples"]["mismatched"] == [{"id": "b", "labels": 1, "rows": 2}]


def test_in_a_rehearsal_the_header_says_when_labels_were_collected(tmp_path: Path) -> None:
    with labelling(tmp_path, rehearsal=True) as started:
        done = started.post(ENTRIES, X_Watchkeeper_Time="2020-03-04T05:06:07Z").json()
        assert done["key"].startswith("ground-truth/prod/prices/2020/03/04/05/06-07-000-")
        assert done["collected_at"] == "2020-03-04T05:06:07Z"
        assert started.post(ENTRIES, X_Watchkeeper_Time="soon").status_code == 400


def test_any_other_server_refuses_the_header(shared_server: Labelled) -> None:
    response = shared_server.post(ENTRIES, X_Watchkeeper_Time="2020-03-04T05:06:07Z")
    assert (response.status_code, "not started for a rehearsal" in response.json()["Message"]) == (400, True)


def test_bodies_at_the_same_time_are_stored_once(server: Labelled) -> None:
    answers: list[int] = []

    def send() -> None:
        answers.append(server.post(ENTRIES).json()["stored"])

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [0, 0, 0, 2]


def test_a_refusal_is_an_error_of_the_caller_s() -> None:
    with pytest.raises(RequestRefused):
        read_truths(b"{}")
