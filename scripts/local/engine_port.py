"""The embedded engine on a loopback port, for a process of its own: `AWS_ENDPOINT_URL_DYNAMODB` leads there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

from scripts.local.engine import EmbeddedEngine
from scripts.local.loopback import Exchange, serving


@contextmanager
def served(engine: EmbeddedEngine) -> Iterator[str]:
    """Answer requests over HTTP meanwhile; gives the address."""

    class Port(Exchange):
        def do_POST(self) -> None:  # noqa: N802 - what http.server calls it
            status, headers, text = engine.answer(self.headers["X-Amz-Target"], self.sent())
            body = text.encode()
            self.answer(status, {**headers, "x-amz-crc32": str(crc32(body))}, body)

    with serving(Port) as place:
        yield f"http://{place}"
