"""HTTP/1.1 in front of the gateway's rules: strict in what it reads, one thread per connection, ended at once.

With `chalicelib` behind it this is the whole service in one process: what works through it works through API Gateway.
"""

from __future__ import annotations

import http.client
import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Any, ClassVar

from chalice.app import Chalice

from chalicelib.errors import BadRequest, GatebookError
from scripts.local.gateway import MAX_BODY_BYTES, Answer, Gateway, decompressed, too_large

MAX_HEADER_BYTES = 10_240
MAX_REQUEST_LINE_BYTES = 65_536
IDLE_SECONDS = 310.0

_BODILESS = frozenset({204, 304})
_LINGER_SECONDS = 3.0
_CLOSING_SECONDS = 1.0


class _Connection(BaseHTTPRequestHandler):
    """One client's connection: reads requests strictly, writes each answer in one piece."""

    server: LocalServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def handle_one_request(self) -> None:
        self.command, self.close_connection = "", True
        self.raw_requestline = self.rfile.readline(MAX_REQUEST_LINE_BYTES + 1)
        if not self.raw_requestline:
            return
        try:
            if len(self.raw_requestline) > MAX_REQUEST_LINE_BYTES or len(self.raw_requestline.split()) != 3:  # noqa: PLR2004
                raise BadRequest("Malformed request line.")
            if not self.parse_request():
                return
            self._check_headers()
            body = decompressed(self._read_body(), ",".join(self.headers.get_all("Content-Encoding", [])))
        except GatebookError as error:
            self._refuse(error)
            return
        with self.server.answering():
            self._write(self.server.gateway.answer(self.command, self.path, self.headers, body, self.client_address[0]))

    def handle_expect_100(self) -> bool:
        # Said only when the body is about to be read: one that is refused need not be sent.
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        self._refuse(BadRequest("Malformed HTTP request.", message or ""))

    def _check_headers(self) -> None:
        values = self.headers.items()
        if self.headers.defects or any(re.search(r"[\r\n\0]", value) for _, value in values):
            raise BadRequest("Malformed headers.")
        if sum(len(name) + len(value) for name, value in values) > MAX_HEADER_BYTES:
            raise BadRequest("Headers too long.", f"They may take up to {MAX_HEADER_BYTES} bytes.")

    def _read_body(self) -> bytes:
        lengths = self.headers.get_all("Content-Length", [])
        codings = self.headers.get_all("Transfer-Encoding", [])
        if codings:
            if lengths or [coding.strip().lower() for coding in codings] != ["chunked"]:
                raise BadRequest("Malformed Transfer-Encoding.", "It is `chunked` alone, without a Content-Length.")
            self._continue()
            return self._read_chunks()
        if not lengths:
            return b""
        if len(set(lengths)) > 1 or not re.fullmatch(r"[0-9]{1,18}", lengths[0].strip()):
            raise BadRequest("Malformed Content-Length.")
        if int(lengths[0]) > MAX_BODY_BYTES:
            raise too_large()
        self._continue()
        return self._read_exactly(int(lengths[0]))

    def _continue(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue" and self.request_version == "HTTP/1.1":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = self._read_line().partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
                raise BadRequest("Malformed chunk.")
            if int(size, 16) == 0:
                break
            if len(body) + int(size, 16) > MAX_BODY_BYTES:
                raise too_large()
            body += self._read_exactly(int(size, 16))
            if self._read_exactly(2) != b"\r\n":
                raise BadRequest("Malformed chunk.")
        trailer_bytes = 0
        while line := self._read_line():
            trailer_bytes += len(line)
            if trailer_bytes > MAX_HEADER_BYTES:
                raise BadRequest("Headers too long.")
        return bytes(body)

    def _read_line(self) -> bytes:
        line = self.rfile.readline(MAX_HEADER_BYTES)
        if len(line) == MAX_HEADER_BYTES:
            raise BadRequest("Malformed chunk.")
        if not line.endswith(b"\n"):
            raise ConnectionAbortedError
        return line.rstrip(b"\r\n")

    def _read_exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionAbortedError
        return data

    def _refuse(self, error: GatebookError) -> None:
        self.close_connection = True
        self._write(self.server.gateway.refusal(error))
        # The client may still be sending. Closing on unread bytes resets the connection, and the answer with it.
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LINGER_SECONDS)
            give_up_at = time.monotonic() + _LINGER_SECONDS
            while time.monotonic() < give_up_at and self.connection.recv(1 << 16):
                pass

    def _write(self, answer: Answer) -> None:
        lines = [
            f"HTTP/1.1 {answer.status} {http.client.responses.get(answer.status, '')}",
            *(f"{name}: {value}" for name, value in answer.headers),
            f"Date: {self.date_time_string()}",
            f"Connection: {'close' if self.close_connection else 'keep-alive'}",
        ]
        if answer.status not in _BODILESS:
            lines.append(f"Content-Length: {len(answer.body)}")
        body = b"" if self.command == "HEAD" or answer.status in _BODILESS else answer.body
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on an IPv4 or IPv6 address or host name; port 0 takes a free one. Clients wait until served.

    Raises:
        OSError: the port is taken or not permitted, or the host is not one of this machine.
    """
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=128)


def url_of(listener: socket.socket) -> str:
    """The address that clients on this machine reach a listening socket at, such as `http://127.0.0.1:8000`."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a wildcard is no address to call
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class LocalServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves a Chalice app on a socket, a thread for each connection.

    Args:
        host: where to listen, unless a listener is given.
        port: as host; 0 takes a free one.
        app: the Chalice app, with all its routes.
        gateway_headers: headers of the answers that the gateway makes itself.
        listener: a socket from `listen`, for a caller who has to know early that the port is free.

    Attributes:
        answered: how many requests have been handled so far.
    """

    daemon_threads = True
    block_on_close = False
    _POLL_SECONDS: ClassVar[float] = 0.1

    def __init__(
        self,
        host: str,
        port: int,
        app: Chalice,
        gateway_headers: Mapping[str, str] = MappingProxyType({}),
        listener: socket.socket | None = None,
    ) -> None:
        self.socket = listener or listen(host, port)
        # TCPServer's own __init__ would open a second socket, and only an IPv4 one.
        socketserver.BaseServer.__init__(self, self.socket.getsockname()[:2], _Connection)
        self.gateway = Gateway(app, gateway_headers)
        self.answered = 0
        self._changed = threading.Condition()
        self._open: set[Any] = set()
        self._busy = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return url_of(self.socket)

    def start(self) -> None:
        """Answer requests in the background."""
        self._thread = threading.Thread(target=self.serve_forever, args=(self._POLL_SECONDS,), daemon=True)
        self._thread.start()

    def shutdown(self, grace_seconds: float = 2.0) -> None:
        """Take no more requests, give those under way their time, then close every connection, idle or not."""
        with self._changed:
            self._closing = True
        if self._thread is not None:
            super().shutdown()
            self._thread.join()
        self.server_close()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, grace_seconds)
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, _CLOSING_SECONDS)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Around each request from its last byte in to its last byte out; refuses once the server is closing."""
        with self._changed:
            if self._closing:
                raise ConnectionAbortedError
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self.answered += 1
                self._changed.notify_all()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's signature
        """Remember the connection, so that shutdown can end it, and give it its thread."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - socketserver's signature
        """Close a connection and forget it."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()
