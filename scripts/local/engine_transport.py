"""The way of the store's requests to an engine in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.store.dynamodb.wire_format import TARGET_PREFIX, decode, encode, refusal

_OK = 200


class EngineTransport:
    """Sends the store's requests to an engine, as text like to DynamoDB, without signature and connection.

    Args:
        answer: gives status, headers and text to the value of `X-Amz-Target` and a body.
    """

    def __init__(self, answer: Callable[[str, bytes], tuple[int, Mapping[str, str], str]]) -> None:
        self._answer = answer

    def send(self, operation: str, request: Mapping[str, Any], /) -> dict[str, Any]:
        """The engine's answer; see `chalicelib.store.dynamodb.transport.Transport`."""
        status, _, text = self._answer(TARGET_PREFIX + operation, encode(request))
        content = text.encode()
        if status != _OK:
            raise refusal(operation, content)
        return decode(content)
