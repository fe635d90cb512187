"""A front that stands for Amazon Managed Prometheus' data plane: it verifies each request's signature, as
AWS does, and hands what is signed by a known key on to a real Prometheus."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.webhooks import Quiet, served

_CREDENTIAL = re.compile(
    r"Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)"
)


@dataclass
class Front:
    """Where it answers, and how often it took or refused a request; `keys` are secrets by key id."""

    keys: Mapping[str, str]
    prometheus: str
    url: str = ""
    taken: int = 0
    refused: list[str] = field(default_factory=list)

    def why_not(self, method: str, path: str, headers: Message, body: bytes) -> str:
        """What is wrong with a request's signature; empty when nothing is."""
        found = _CREDENTIAL.search(headers.get("authorization", ""))
        if found is None:
            return "it is not signed"
        key, _, region, service, signed, signature = found.groups()
        if service != "aps":
            return f"it is signed for {service}"
        if key not in self.keys:
            return f"nobody has the key {key}"
        request = AWSRequest(method, f"http://{headers['host']}{path}", data=body)
        for name in signed.split(";"):
            if name != "host":
                request.headers[name] = headers[name]
        request.context["timestamp"] = headers["x-amz-date"]
        auth = SigV4Auth(Credentials(key, self.keys[key]), service, region)
        made = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        return "" if made == signature else "the signature does not match"


@contextmanager
def managed(keys: Mapping[str, str], prometheus: str) -> Iterator[Front]:
    """The front before a Prometheus at `host:port`, while the block runs."""
    front = Front(keys, prometheus)

    class Handler(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if why := front.why_not("POST", self.path, self.headers, body):
                front.refused.append(why)
                self.send_error(403, why)
                return
            kept = ("content-type", "content-encoding", "x-prometheus-remote-write-version")
            connection = http.client.HTTPConnection(front.prometheus, timeout=10)
            try:
                own = {name: self.headers[name] for name in kept if name in self.headers}
                connection.request("POST", "/api/v1/write", body, own)
                answer = connection.getresponse()
                said = answer.read()
            finally:
                connection.close()
            front.taken += 1
            self.send_response(answer.status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    with served(Handler) as url:
        front.url = f"{url}/workspaces/ws-1/api/v1/remote_write"
        yield front
