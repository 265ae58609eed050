"""A store that is throttled now and then: it refuses some rows for a moment, and some calls whole."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.store.dynamodb.transport import Transport

_WRITES = frozenset({"BatchExecuteStatement", "PutItem", "UpdateItem"})
"""The operations that write events; tokens are made in transactions."""
_REFUSED_STATEMENTS = 0.2
_MOST_REFUSALS_OF_A_ROW = 2
"""DynamoDB gives way in the end, and who sends nothing again depends on what the service itself sends again."""
_REFUSED_CALLS = 0.1
_REFUSED = {"Error": {"Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity."}}


class ThrottledStore:
    """Passes requests on to the transport beneath it, or refuses them as DynamoDB does when it is throttled.

    Args:
        beneath: sends what is not refused.
        loses_calls: whether whole calls are refused as well, so that a sender has to send again.
    """

    def __init__(self, beneath: Transport, *, loses_calls: bool) -> None:
        self._beneath = beneath
        self._loses_calls = loses_calls
        self._lock = threading.Lock()
        self._refusals: Counter[str] = Counter()
        # The same refusals each time, as far as calls come in the same order.
        self._chance = random.Random(7)  # noqa: S311 - chance, not a secret

    def send(self, operation: str, request: Mapping[str, Any], /) -> dict[str, Any]:
        """Send a request, or refuse it or some of its statements."""
        if operation not in _WRITES:
            return self._beneath.send(operation, request)
        with self._lock:
            is_lost = self._loses_calls and self._chance.random() < _REFUSED_CALLS
        if is_lost:
            response: Any = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
            raise ClientError(response, operation)  # type: ignore[no-untyped-call]
        if operation != "BatchExecuteStatement":
            return self._beneath.send(operation, request)
        return self._throttled(request["Statements"])

    def _throttled(self, statements: list[Mapping[str, Any]]) -> dict[str, Any]:
        with self._lock:
            refused = [self._is_refused(str(statement["Parameters"])) for statement in statements]
        taken = [statement for statement, is_refused in zip(statements, refused, strict=True) if not is_refused]
        sent = self._beneath.send("BatchExecuteStatement", {"Statements": taken})["Responses"] if taken else []
        responses = iter(sent)
        return {"Responses": [_REFUSED if is_refused else next(responses) for is_refused in refused]}

    def _is_refused(self, row: str) -> bool:
        is_refused = self._refusals[row] < _MOST_REFUSALS_OF_A_ROW and self._chance.random() < _REFUSED_STATEMENTS
        self._refusals[row] += is_refused
        return is_refused
