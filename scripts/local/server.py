"""The whole service in one process: a Chalice app on a socket, a thread for each connection, ended at once.

With `chalicelib` behind it what works through it works through API Gateway.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any, ClassVar

from chalice.app import Chalice

from scripts.local.connection import Connection
from scripts.local.gateway import Gateway

_CLOSING_SECONDS = 1.0


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
        socketserver.BaseServer.__init__(self, self.socket.getsockname()[:2], Connection)
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
