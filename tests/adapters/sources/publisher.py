"""A server that answers as the publisher's does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from watchkeeper.adapters.sources.lookalike import COLUMNS

ROW = (
    "2020-01",
    "BEDOK",
    "4 ROOM",
    "12A",
    "BEDOK AVE 1",
    "04 TO 06",
    "92",
    "Model A",
    "1990",
    "69 years",
    "400000",
)


ROWS: list[tuple[str, ...]] = [
    ("2020-02", *ROW[1:]),
    *[(*ROW[:-1], str(400_000 + 1_000 * i)) for i in range(24)],
]


Answer = tuple[int, dict[str, str], Any]


Handler = Callable[[dict[str, str]], Answer]


@contextmanager
def publisher(answer: Handler) -> Iterator[str]:
    """A server that answers each query with `answer`'s status, headers and body."""

    class Publisher(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            status, headers, body = answer(query)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Publisher) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api/action/datastore_search"
        finally:
            server.shutdown()
            thread.join()


def pages(query: dict[str, str], most: int = 10) -> Answer:
    """The API's answer as its developer guide describes it, at most `most` rows at a time."""
    offset, limit = int(query.get("offset", 0)), min(int(query.get("limit", 100)), most)
    records = [
        {"_id": number + 1, **dict(zip(COLUMNS, row, strict=True))}
        for number, row in list(enumerate(ROWS))[offset : offset + limit]
    ]
    result = {"resource_id": query["resource_id"], "records": records, "limit": limit, "total": len(ROWS)}
    return 200, {"Content-Type": "application/json"}, {"help": "", "success": True, "result": result}
