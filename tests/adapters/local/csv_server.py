"""Somebody else's server of the container contract's CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answer = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class Served:
    """A server on this machine that gives its answers in turn, the last one for ever."""

    url: str
    answers: list[Callable[[bytes], Answer]]
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def serving(answers: Sequence[Callable[[bytes], Answer]]) -> Iterator[Served]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            served.bodies.append(body)
            code, headers, text = (served.answers.pop(0) if len(served.answers) > 1 else served.answers[0])(
                body
            )
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Nothing is written to the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Served(f"http://127.0.0.1:{server.server_address[1]}/invocations", list(answers))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def says(code: int, text: bytes = b"", **headers: str) -> Callable[[bytes], Answer]:
    return lambda _: (code, {name.replace("_", "-"): value for name, value in headers.items()}, text)
