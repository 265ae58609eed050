"""HTTP/1.1 on one client's connection, in front of the gateway's rules: strict in what it reads."""

from __future__ import annotations

import http.client
import re
import socket
import time
from contextlib import suppress
from email.errors import (
    CloseBoundaryNotFoundDefect,
    MultipartInvariantViolationDefect,
    NoBoundaryInMultipartDefect,
    StartBoundaryNotFoundDefect,
)
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from chalicelib.errors import BadRequest, GatebookError
from scripts.local.gateway import MAX_BODY_BYTES, Answer, decompressed, too_large

if TYPE_CHECKING:
    from scripts.local.server import LocalServer

MAX_HEADER_BYTES = 10_240
MAX_REQUEST_LINE_BYTES = 65_536
IDLE_SECONDS = 310.0

_BODILESS = frozenset({204, 304})
_LINGER_SECONDS = 3.0

_ABOUT_PARTS = (
    MultipartInvariantViolationDefect,
    NoBoundaryInMultipartDefect,
    StartBoundaryNotFoundDefect,
    CloseBoundaryNotFoundDefect,
)


class Connection(BaseHTTPRequestHandler):
    """One client's connection: reads requests strictly, writes each answer in one piece."""

    server: LocalServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def handle(self) -> None:
        """Answer requests until either side ends the connection; a client that goes away is no failure."""
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def handle_one_request(self) -> None:
        """Read a request and write its answer, made by the gateway when the request is malformed."""
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
        """Go on without a word to the client."""
        # Said only when the body is about to be read: one that is refused need not be sent.
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Refuse what http.server itself finds malformed."""
        self._refuse(BadRequest("Malformed HTTP request.", message or ""))

    def _check_headers(self) -> None:
        values = self.headers.items()
        # The parser also looks for the parts of a multipart body among the headers, and misses them.
        defects = [defect for defect in self.headers.defects if not isinstance(defect, _ABOUT_PARTS)]
        if defects or any(re.search(r"[\r\n\0]", value) for _, value in values):
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
