"""boto3 puts pages below an S3 prefix of a server here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.clients import ENVIRONMENT, program
from tests.shared import CHECKOUT
from tests.webhooks import Quiet, served
from watchkeeper.adapters.knowledge import Shelf, puts
from watchkeeper.core.incidents import Delivery

CODE = """
import sys
from pathlib import Path
from watchkeeper.adapters.knowledge import Shelf, puts
shelf = Shelf(0, "s3", {"url": sys.argv[1]}, Path("."))
done = puts("s3")(shelf, "incidents/prod/x.md", "# It drifted \u00e4\\n")
sys.stdout.write(f"{done.delivered} {done.reason}")
"""


@pytest.fixture
def bucket() -> Iterator[tuple[str, dict[str, bytes]]]:
    """S3's answer to PutObject, and what it holds; a bucket `no` is not there."""
    objects: dict[str, bytes] = {}

    class Handler(Quiet):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            known = not self.path.startswith("/no/")
            if known:
                objects[self.path] = body
            self.send_response(200 if known else 404)
            self.end_headers()
            if not known:
                self.wfile.write(b"<Error><Code>NoSuchBucket</Code><Message>not there</Message></Error>")

    with served(Handler) as url:
        yield url, objects


def put(place: str, url: str) -> str:
    environment = {**ENVIRONMENT, "PYTHONPATH": str(CHECKOUT / "src"), "AWS_ENDPOINT_URL_S3": url}
    command = [program("python"), "-c", CODE, place]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_page_is_an_object_below_the_prefix(bucket: tuple[str, dict[str, bytes]]) -> None:
    url, objects = bucket
    assert put("s3://kb/notes/", url) == "True "
    ((path, body),) = objects.items()
    assert path.split("?")[0] == "/kb/notes/incidents/prod/x.md"
    assert "# It drifted ä".encode() in body
    assert put("s3://no/notes", url).startswith("False put notes/incidents/prod/x.md: ")


def test_without_boto3_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    shelf = Shelf(0, "s3", {"url": "s3://kb/notes"}, CHECKOUT)
    wanted = "kind s3 needs boto3: pip install 'watchkeeper[aws]'"
    assert puts("s3")(shelf, "x.md", "") == Delivery(delivered=False, reason=wanted)
