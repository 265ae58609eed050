"""The one way to DynamoDB: what sends the store's requests, and how something else takes its place.

In production that is `SignedTransport`. The embedded engine, the tests' faults and the meter of costs are transports
too: each sends by itself, or through the one that was in use before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from chalicelib.store.dynamodb.signed_transport import connected


class Transport(Protocol):
    """Sends requests to DynamoDB, from any number of threads."""

    def send(self, operation: str, request: Mapping[str, Any], /) -> dict[str, Any]:
        """Send one request and return its answer. Binary values are bytes in both.

        Args:
            operation: as DynamoDB names it, `GetItem`.
            request: the parameters of the operation.

        Raises:
            ClientError: DynamoDB refused the request.
            BotoCoreError: the request did not reach DynamoDB, or its answer did not arrive.
        """


_replacements: list[Transport] = []


def in_use() -> Transport:
    """The transport that sends the store's requests now."""
    return _replacements[-1] if _replacements else connected()


@contextmanager
def replaced_by(transport: Transport) -> Iterator[None]:
    """Send every request of this process through another transport, until the context ends."""
    _replacements.append(transport)
    try:
        yield
    finally:
        _replacements.remove(transport)
