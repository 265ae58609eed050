"""The faults of the matrix: each spoils the call of one number, and says of which operations of the store it is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError, ResponseStreamingError

from tests.transport import Send, refusal

URL = "https://dynamodb.us-east-1.amazonaws.com/"
CANCELLATIONS = (
    "ConditionalCheckFailed",
    "ItemCollectionSizeLimitExceeded",
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "TransactionConflict",
    "ValidationError",
)
LASTING = ("ItemCollectionSizeLimitExceeded", "ValidationError")
STATEMENT_ERRORS = ("ConditionalCheckFailed", "DuplicateItem", "InternalServerError", "ThrottlingError")
_WRITES = ("DeleteItem", "PutItem", "UpdateItem")
Answered = Callable[[Send, str, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Fault:
    """One way in which one call may fail.

    Attributes:
        answered: what answers the call in the place of the engine.
        operations: of the store that can fail so; none named are all.
        lasting: whether sending again does not help, because the request itself is refused.
    """

    name: str
    answered: Answered
    operations: tuple[str, ...] = ()
    lasting: bool = False

    def concerns(self, operation: str) -> bool:
        return not self.operations or operation in self.operations


def faults() -> Iterator[Fault]:
    for code in ("ThrottlingException", "InternalServerError", "500", "ExpiredTokenException"):
        yield Fault(NAMES[code], _refused(code))
    yield Fault("dropped before it was sent", _dropped)
    yield Fault("reply lost after the commit", _unanswered)
    yield Fault("answer truncated", _truncated)
    yield Fault("condition failed on its own write", _failed_on_own, _WRITES)
    for whole in (True, False):
        which = "whole" if whole else "in part"
        yield Fault(f"unprocessed items {which}", _unprocessed(whole=whole), ("BatchWriteItem",))
        yield Fault(f"unprocessed keys {which}", _unread(whole=whole), ("BatchGetItem",))
    for code in STATEMENT_ERRORS:
        yield Fault(f"statement error {code}", _statements_refused(code), ("BatchExecuteStatement",))
    for code in CANCELLATIONS:
        yield Fault(f"cancelled for {code}", _cancelled(code), ("TransactWriteItems",), code in LASTING)


def at_call(number: int, fault: Fault) -> Callable[[Send, str, Mapping[str, Any]], dict[str, Any]]:
    """The fault at the call of a number, and none before or after it."""
    calls = iter(range(10_000))

    def answered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        # Calls that go out side by side do so in any order.
        is_spoilt = next(calls) == number and fault.concerns(operation)
        return fault.answered(send, operation, request) if is_spoilt else send(operation, request)

    return answered


NAMES = {
    "ThrottlingException": "throttled",
    "InternalServerError": "500 with JSON",
    "500": "500 with HTML",
    "ExpiredTokenException": "credentials expired",
}


def _refused(code: str) -> Answered:
    def answered(_send: Send, operation: str, _request: Mapping[str, Any]) -> dict[str, Any]:
        raise refusal(code, operation)

    return answered


def _dropped(_send: Send, _operation: str, _request: Mapping[str, Any]) -> dict[str, Any]:
    raise EndpointConnectionError(endpoint_url=URL)  # type: ignore[no-untyped-call]


def _unanswered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    send(operation, request)
    raise ReadTimeoutError(endpoint_url=URL)  # type: ignore[no-untyped-call]


def _truncated(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The connection ends within the answer: it was done, and half a text says so."""
    send(operation, request)
    raise ResponseStreamingError(error="IncompleteRead(512 bytes read, 1024 more expected)")  # type: ignore[no-untyped-call]


def _failed_on_own(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The first answer is lost, and what is sent again meets what it has written itself."""
    send(operation, request)
    return send(operation, request) if "ConditionExpression" in request else {}


def _unprocessed(*, whole: bool) -> Answered:
    def answered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        ((table, writes),) = request["RequestItems"].items()
        done, left = ([], writes) if whole else (writes[:1], writes[1:])
        if done:
            send(operation, {**request, "RequestItems": {table: done}})
        return {"UnprocessedItems": {table: left} if left else {}}

    return answered


def _unread(*, whole: bool) -> Answered:
    def answered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        asked = request["RequestItems"]
        if whole:
            return {"Responses": {}, "UnprocessedKeys": dict(asked)}
        first = next(iter(asked))
        answer = send(operation, {**request, "RequestItems": {first: asked[first]}})
        return {**answer, "UnprocessedKeys": {table: keys for table, keys in asked.items() if table != first}}

    return answered


def _statements_refused(code: str) -> Answered:
    def answered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if code in ("ConditionalCheckFailed", "DuplicateItem"):
            # It was sent twice: the second time each statement meets its own item.
            send(operation, request)
            return send(operation, request)
        return {"Responses": [{"Error": {"Code": code, "Message": "no"}} for _ in request["Statements"]]}

    return answered


def _cancelled(code: str) -> Answered:
    def answered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        writes = [body for item in request["TransactItems"] for body in item.values()]
        guarded = [index for index, body in enumerate(writes) if "ConditionExpression" in body]
        if code == "ConditionalCheckFailed" and not guarded:
            return send(operation, request)
        reasons = [{"Code": "None"} for _ in writes]
        reasons[guarded[0] if code == "ConditionalCheckFailed" else 0] = {"Code": code}
        raise refusal("TransactionCanceledException", operation, CancellationReasons=reasons)

    return answered
