"""The caller's side of an endpoint: what is sent, and whose fault an error is."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from watchkeeper.adapters.local.client import EndpointClient, Invocation
from watchkeeper.core.errors import InputError, PlatformError

ASKED = Invocation("prices", "id-1", datetime(2020, 1, 31, 7, 5, tzinfo=UTC), "text/csv", b"A,2")


def client(handler: Callable[[httpx.Request], httpx.Response]) -> EndpointClient:
    return EndpointClient("http://127.0.0.1:1", httpx.Client(transport=httpx.MockTransport(handler)))


def test_a_request_is_sagemaker_s() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"4.0")

    assert client(answer).invoke(ASKED) == b"4.0"
    (request,) = seen
    assert (request.method, request.url.path) == ("POST", "/endpoints/prices/invocations")
    assert request.headers["x-amzn-sagemaker-inference-id"] == "id-1"
    assert (request.headers["content-type"], request.content) == ("text/csv", b"A,2")
    assert "x-watchkeeper-time" not in request.headers


def test_a_rehearsed_request_says_what_time_it_is() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=request.headers["x-watchkeeper-time"])

    assert client(answer).invoke(ASKED, rehearsed=True) == b"2020-01-31T07:05:00Z"


@pytest.mark.parametrize(("status", "retryable"), [(404, False), (424, False), (500, True), (503, True)])
def test_an_answer_that_is_an_error_is_the_platform_s(status: int, retryable: bool) -> None:
    with pytest.raises(PlatformError, match=f"invoke prices with inference id id-1: {status}: why") as caught:
        client(lambda _: httpx.Response(status, text="why")).invoke(ASKED)
    assert caught.value.retryable is retryable


@pytest.mark.parametrize("status", [400, 406, 413, 415])
def test_a_request_that_is_refused_is_the_caller_s_to_mend(status: int) -> None:
    with pytest.raises(InputError, match=f"{status}: want 2 columns"):
        client(lambda _: httpx.Response(status, text="want 2 columns")).invoke(ASKED)


def test_without_an_answer_trying_again_may_help() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody is there")

    with pytest.raises(PlatformError, match="ConnectError: nobody is there") as caught:
        client(refuse).invoke(ASKED)
    assert caught.value.retryable
