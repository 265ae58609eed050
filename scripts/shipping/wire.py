"""A port in front of another that keeps the bytes of each connection, as clients put them on the wire."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK = 65_536


class Wire:
    """Passes bytes on to a port of this machine and back, while in use as a context.

    Attributes:
        port: where clients connect.
        connections: the bytes that the client of each sent, in the order in which they connected.

    Args:
        target: the port behind.
    """

    def __init__(self, target: int) -> None:
        self.connections: list[bytearray] = []
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="wire", daemon=True)

    def __enter__(self) -> Self:
        """Begin to take connections."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more connections."""
        # On Linux closing alone does not wake the thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            sent = bytearray()
            self.connections.append(sent)
            server = socket.create_connection(("127.0.0.1", self._target))
            for source, sink, kept in ((client, server, sent), (server, client, bytearray())):
                threading.Thread(target=_pass_on, args=(source, sink, kept), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    # Whichever side goes away first, the other is told, and nothing else is to be done.
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            kept += chunk
            sink.sendall(chunk)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
