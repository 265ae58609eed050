"""Asks an address once: no redirect, a bounded answer and a bounded time, however slowly the other side sends.

The name of a host is resolved once, and what is connected to is one of the addresses that were looked at: a name that
means another address a moment later leads nowhere else.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Timer
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from chalicelib.version import VERSION

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_BLOCK_BYTES: Final = 65_536
_LEAST_SECONDS: Final = 0.001


class NoAnswer(Exception):
    """No answer came; the message says why in one word, and nothing of what was sent."""


class Reply(NamedTuple):
    """The status of an answer, and as much of its body as may be read."""

    status: int
    body: bytes


class Limits(NamedTuple):
    """The bounds of asking.

    Attributes:
        seconds: from the connection to the end of the answer; what has come of a body by then is the body.
        most_bytes: of the body that are read.
        may_connect: whether an address may be connected to; any may where a deployment has named the host.
    """

    seconds: float
    most_bytes: int
    may_connect: Callable[[str], bool] = lambda _address: True


def ask(method: str, url: str, body: bytes, headers: Mapping[str, str], limits: Limits) -> Reply:
    """Send a request once.

    Raises:
        NoAnswer: the address may not be connected to, or gave no status in time.
    """
    place = urlsplit(url)
    ends_at = time.monotonic() + limits.seconds
    try:
        with _connected(place, limits, ends_at) as connection:
            target = f"{place.path or '/'}{'?' if place.query else ''}{place.query}"
            named = {"User-Agent": f"gatebook/{VERSION}", "Connection": "close", **headers}
            connection.request(method, target, body, named)
            response = connection.getresponse()
            if time.monotonic() >= ends_at:
                # What was cut may look like a short head.
                raise TimeoutError
            return Reply(response.status, _body(response, limits.most_bytes, ends_at))
    except (OSError, HTTPException, ValueError) as error:
        late = time.monotonic() >= ends_at
        raise NoAnswer("TimeoutError" if late else type(error).__name__) from error


@contextmanager
def _connected(place: SplitResult, limits: Limits, ends_at: float) -> Iterator[HTTPConnection]:
    """A connection to one of the addresses of a host, which is cut when the time is over."""
    host, port = place.hostname or "", place.port or _DEFAULT_PORTS[place.scheme]
    connection = HTTPSConnection(host, port) if place.scheme == "https" else HTTPConnection(host, port)
    opened = _opened(_addresses(host, port, limits.may_connect), port, ends_at)
    cut = Timer(max(0.0, ends_at - time.monotonic()), _cut, [opened])
    cut.daemon = True
    cut.start()
    try:
        if place.scheme == "https":
            opened = _tls().wrap_socket(opened, server_hostname=host, do_handshake_on_connect=False)
            cut.args = [opened]
            opened.do_handshake()
        connection.sock = opened
        yield connection
    finally:
        cut.cancel()
        connection.close()
        opened.close()


def _addresses(host: str, port: int, may_connect: Callable[[str], bool]) -> list[str]:
    resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(one[4][0]) for one in resolved))
    if not all(map(may_connect, addresses)):
        raise NoAnswer("the address is not a public one")
    return addresses


def _opened(addresses: list[str], port: int, ends_at: float) -> socket.socket:
    problem: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), max(_LEAST_SECONDS, ends_at - time.monotonic()))
        except OSError as error:
            problem = error
    raise problem or OSError


def _cut(opened: socket.socket) -> None:
    # Of the plain socket: that of TLS would wait for the other side's farewell.
    with suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


def _body(response: HTTPResponse, most_bytes: int, ends_at: float) -> bytes:
    """As much of a body as comes: the status is there, and counts whatever becomes of the body."""
    read = bytearray()
    with suppress(OSError, HTTPException, ValueError):
        while len(read) < most_bytes and time.monotonic() < ends_at:
            block = response.read1(min(_BLOCK_BYTES, most_bytes - len(read)))
            if not block:
                break
            read += block
    return bytes(read)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
