"""A receiver of webhooks on this machine, which answers as it is told and keeps what it heard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Heard = list[tuple[dict[str, str], bytes]]


class Quiet(BaseHTTPRequestHandler):
    """A handler that writes nothing about what it is asked."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on this machine while the block runs, by its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def listener(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[str, Heard]]:
    """A receiver on this machine that answers as it is told, and what it heard."""
    heard: Heard = []

    class Handler(Quiet):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            heard.append(
                ({name.lower(): value for name, value in self.headers.items()}, self.rfile.read(length))
            )
            answer(self)

    with served(Handler) as url:
        yield f"{url}/hook", heard


def status(code: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return answer
