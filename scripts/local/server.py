"""waitress in front of the gateway: it reads and writes HTTP/1.1, and stops at once.

It is chosen beside werkzeug and cheroot because it checks what it reads (lengths, chunks, headers), bounds
headers and bodies, closes idle connections, and stops while requests are under way, by public parts.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

import waitress.server
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from chalicelib.errors import GatebookError, TooLarge
from scripts.gateway.application import Gateway
from scripts.gateway.limits import MAX_HEADER_BYTES
from scripts.gateway.refusals import Misread

IDLE_SECONDS = 310
"""How long API Gateway keeps an idle connection."""

_THREADS = 32
# The gateway refuses a body of over 10 MB, in an answer that the client waits for. This only keeps a client from
# filling the disk; its connection is cut.
_CUT_BODY_BYTES = 64 * 1024 * 1024
_POLL_SECONDS = 1.0
_ENDING_POLL_SECONDS = 0.02
_ENDING_SECONDS = 0.5


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


class _HeadersTooLong(GatebookError):
    status = 431


class _UnknownTransferCoding(GatebookError):
    status = 501


_REFUSALS: Mapping[int, type[GatebookError]] = {
    400: Misread,
    413: TooLarge,
    431: _HeadersTooLong,
    500: GatebookError,
    501: _UnknownTransferCoding,
}
"""By the statuses that waitress has for what it does not take."""


class _Refusal(ErrorTask):
    """The answer to what waitress cannot read or does not take, in the one error shape."""

    def execute(self) -> None:
        """Send it."""
        error = self.request.error
        gateway: Gateway = self.channel.server.application
        answer = gateway.refusal(_REFUSALS[error.code](f"{error.reason}.", error.body))
        self.status = f"{answer.status} {error.reason}"
        self.response_headers.extend(answer.headers)
        self.set_close_on_finish()
        self.content_length = len(answer.body)  # type: ignore[assignment] # waitress begins with None
        self.write(answer.body)  # type: ignore[no-untyped-call] # inherited from waitress


class _Channel(HTTPChannel):
    """One client's connection."""

    error_task_class = _Refusal

    @property
    def is_busy(self) -> bool:
        """Whether a request is under way or its answer is not sent yet."""
        return bool(self.requests or self.total_outbufs_len)


class LocalServer:
    """Serves a gateway on a listening socket, from `start` to `stop`.

    Args:
        gateway: the WSGI application.
        listener: a socket from `listen`; it is closed by `stop`.
    """

    def __init__(self, gateway: Gateway, listener: socket.socket) -> None:
        self.url = url_of(listener)
        self._sockets: dict[int, Any] = {}
        self._server = waitress.server.create_server(
            gateway,
            map=self._sockets,
            sockets=[listener],
            threads=_THREADS,
            ident="",
            channel_timeout=IDLE_SECONDS,
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=_CUT_BODY_BYTES,
            log_socket_errors=False,
            clear_untrusted_proxy_headers=False,
        )
        self._server.channel_class = _Channel
        self._stopping = threading.Event()
        self._grace_seconds = 0.0
        self._thread = threading.Thread(target=self._serve, name="server", daemon=True)

    def start(self) -> None:
        """Answer requests in the background."""
        self._thread.start()

    def stop(self, grace_seconds: float = 2.0) -> None:
        """Take no more requests, give those under way their time, then close every connection, idle or not."""
        self._grace_seconds = grace_seconds
        self._stopping.set()
        self._server.pull_trigger()
        if self._thread.ident is None:
            self._end()
        else:
            self._thread.join()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._poll(_POLL_SECONDS)
        self._server.accepting = False
        end_at = time.monotonic() + self._grace_seconds
        while any(channel.is_busy for channel in self._channels()) and time.monotonic() < end_at:
            for channel in self._channels():
                channel.will_close |= not channel.is_busy
            self._poll(_ENDING_POLL_SECONDS)
        self._end()

    def _poll(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._sockets, count=1)

    def _channels(self) -> list[_Channel]:
        return [channel for channel in self._sockets.values() if isinstance(channel, _Channel)]

    def _end(self) -> None:
        for channel in self._channels():
            channel.handle_close()  # type: ignore[no-untyped-call] # as above
        self._server.task_dispatcher.shutdown(timeout=_ENDING_SECONDS)
        self._server.close()
