"""An endpoint that speaks HTTP as DynamoDB does, and answers from a list."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

import pytest


class Answer(NamedTuple):
    """The answer of the endpoint: a status and a body, after a while; a status of 0 means that it hangs up."""

    status: int
    content: bytes = b"{}"
    after_seconds: float = 0.0


HANGS_UP = Answer(0)


def refused(code: str, status: int = 400, **more: Any) -> Answer:
    """A refusal as DynamoDB writes it."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more}
    return Answer(status, json.dumps(body).encode())


class Received(NamedTuple):
    """A request as it came over the network, and the connection that it came by."""

    headers: dict[str, str]
    content: bytes
    path: str
    connection: int

    @property
    def body(self) -> Any:
        return json.loads(self.content)


@dataclass
class Endpoint:
    """A server on a loopback port.

    Attributes:
        answers: given in order; when they are used up, the last one again.
        received: the requests, in order.
        url: where it listens.
    """

    answers: list[Answer] = field(default_factory=lambda: [Answer(200)])
    received: list[Received] = field(default_factory=list)
    url: str = ""

    def answer_with(self, *answers: Answer) -> None:
        self.answers[:] = answers

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def targets(self) -> Sequence[str]:
        return [request.headers["X-Amz-Target"] for request in self.received]


@contextmanager
def _serving(state: Endpoint, tls: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    stopped = Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 10

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            state.received.append(Received(dict(self.headers.items()), content, self.path, self.client_address[1]))
            answer = state.next_answer()
            # Not `time.sleep`, which tests replace.
            stopped.wait(answer.after_seconds)
            if answer is HANGS_UP:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Print nothing of a client that hangs up."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    state.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """An endpoint that the environment names, with credentials."""
    with _serving(Endpoint()) as state:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "AKIA",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "session token",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL_DYNAMODB": state.url,
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        yield state


@pytest.fixture
def tls_endpoint(authority: Path) -> Iterator[Endpoint]:
    """An endpoint that shows the certificate of `authority`."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority / "certificate.pem", authority / "key.pem")
    with _serving(Endpoint(), tls) as state:
        yield state
