"""Asking an endpoint for predictions: a real server that answers, is busy, breaks, or answers nonsense."""

from __future__ import annotations

import pytest

from tests.adapters.local.csv_server import Answer, says, serving
from watchkeeper.adapters.local.predictor import ROWS_AT_ONCE, EndpointPredictor
from watchkeeper.core.errors import InputError, PlatformError
from watchkeeper.model.features import Columns


def doubled(body: bytes) -> Answer:
    """Twice the first column of each row."""
    lines = body.decode().splitlines()
    return (
        200,
        {"content-type": "text/csv"},
        "\n".join(str(2 * float(x.split(",")[0])) for x in lines).encode(),
    )


def test_rows_go_as_csv_some_at_a_time() -> None:
    count = ROWS_AT_ONCE + 5
    texts: list[str | None] = ['x,"y"', None, *["z"] * (count - 2)]
    columns: Columns = {"a": [str(n) for n in range(count)], "b": texts}
    with serving([doubled]) as served:
        found = EndpointPredictor(served.url)(columns)
    assert found.tolist() == [2.0 * n for n in range(count)]
    assert [body.count(b"\n") for body in served.bodies] == [ROWS_AT_ONCE, 5]
    assert served.bodies[0].startswith(b'0,"x,""y"""\n1,\n2,z\n')


def test_json_is_understood_too() -> None:
    with serving([says(200, b'{"predictions": [1, 2.5]}', content_type="application/json")]) as served:
        assert EndpointPredictor(served.url)({"a": ["1", "2"]}).tolist() == [1.0, 2.5]


def test_a_busy_endpoint_is_asked_again_after_longer_and_longer_waits() -> None:
    waits: list[float] = []
    busy = [says(500, b"out of memory"), says(429, retry_after="7"), says(503, retry_after="soon")]
    with serving([*busy, doubled]) as served:
        found = EndpointPredictor(served.url, wait=waits.append)({"a": ["4"]})
    assert found.tolist() == [8.0]
    assert waits == [0.5, 7.0, 14.0]
    assert len(set(served.bodies)) == 1


def test_an_endpoint_that_stays_broken_is_said_so_after_five_tries() -> None:
    waits: list[float] = []
    with serving([says(500, b"out of memory")]) as served:
        with pytest.raises(PlatformError, match=r"/invocations for predictions: 5 tries, .* 500: out of mem"):
            EndpointPredictor(served.url, wait=waits.append)({"a": ["4"]})
        assert len(served.bodies) == 5
    assert waits == [0.5, 1.0, 2.0, 4.0]
    with pytest.raises(PlatformError, match="5 tries, the last one ConnectError"):
        EndpointPredictor(served.url, wait=waits.append)({"a": ["4"]})


def never(seconds: float) -> None:
    pytest.fail(f"nothing to wait {seconds} s for")


def test_a_refused_request_is_not_tried_again() -> None:
    with serving([says(400, b"row 1: want 10 columns")]) as served:
        with pytest.raises(InputError, match="400: row 1: want 10 columns"):
            EndpointPredictor(served.url, wait=never)({"a": ["4"]})
        assert len(served.bodies) == 1


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        (b"1\n2\n", {}),
        (b"nan\n", {}),
        (b"dear\n", {}),
        (b"", {}),
        (b'{"predictions": 3}', {"content_type": "application/json"}),
        (b'{"predictions": [null]}', {"content_type": "application/json"}),
    ],
)
def test_an_answer_without_a_number_for_each_row_is_an_error(text: bytes, headers: dict[str, str]) -> None:
    with serving([says(200, text, **headers)]) as served, pytest.raises(InputError, match=r"want .* number"):
        EndpointPredictor(served.url)({"a": ["4"]})
