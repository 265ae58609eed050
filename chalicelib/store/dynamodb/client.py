"""One call to DynamoDB: every call of every table goes through `call`, and its failures are classified here.

    ConditionFailed, TransactionCancelled    an answer: the condition of a write did not hold
    Unavailable                              throttled, timed out, unreachable or contended, after every attempt
    TimeUp                                   not sent: the answer might come after the deadline
    ClientError                              refused for good: a mistake of ours or of the deployment

pynamodb builds the schemas and conditions; what sends the calls is in `chalicelib.store.dynamodb.transport`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.deadline import LONGEST_ATTEMPT_SECONDS, TimeUp, allows
from chalicelib.store.dynamodb.patience import pause
from chalicelib.store.dynamodb.signed_transport import CONTENTION
from chalicelib.store.dynamodb.transport import in_use

Item = dict[str, dict[str, Any]]
"""An item as DynamoDB sends it: attribute name -> {type: value}."""

_MAX_REPEATS = 3
_TRANSIENT = frozenset(
    {
        # What stands before DynamoDB fails with a page of HTML: botocore has no other code for it than the status.
        "500",
        "502",
        "503",
        "504",
        # Those of the process are renewed behind its back.
        "ExpiredTokenException",
        "InternalServerError",
        "ItemCollectionSizeLimitExceededException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_CANCELLED_TRANSIENT = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"})

Listener = Callable[[str, Mapping[str, Any], Mapping[str, Any]], None]
"""A function that is called after each answered call, with the operation, the request and the answer."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)

_log = logging.getLogger(__name__)

# At DEBUG botocore logs whole requests and answers, the hashes of secrets among them; no setting may bring them out.
logging.getLogger("botocore").setLevel(logging.INFO)


class ConditionFailed(Exception):
    """The condition of a write did not hold; nothing was written.

    Attributes:
        item: the item as it stood, where the engine returns it; None where there is none or it does not.
    """

    def __init__(self, item: Item | None) -> None:
        super().__init__("the condition did not hold")
        self.item = item


class TransactionCancelled(Exception):
    """A condition in a transaction did not hold; nothing of it was written.

    Attributes:
        failed: the positions, from 0, of the writes whose condition failed.
    """

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"conditions {list(failed)} did not hold")
        self.failed = tuple(failed)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Tell a listener of every call that this thread makes meanwhile."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def call(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Send one request, for example `call("GetItem", {"TableName": ..., "Key": ...})`, and return its answer.

    What another write was in the way of is sent again here, the same request with the same token; what is throttled or
    unreachable is sent again by the transport.

    Raises:
        ConditionFailed: the write's condition did not hold.
        TransactionCancelled: one in the transaction did not.
        Unavailable: throttled, timed out, unreachable or contended, after every attempt.
        TimeUp: it might be answered after the deadline, and was not sent again or at all.
    """
    attempt = 0
    while True:
        if not allows(LONGEST_ATTEMPT_SECONDS):
            raise TimeUp
        try:
            answer = in_use().send(operation, request)
        except ClientError as error:
            if attempt == _MAX_REPEATS or not _is_contended(error):
                raise _translated(operation, error) from error
        except BotoCoreError as error:
            _log.warning("%s did not reach the store: %s", operation, error)
            raise Unavailable from error
        else:
            break
        if not pause(attempt, give_up_at=inf):
            raise TimeUp
        attempt += 1
    if listener := _listener.get():
        listener(operation, request, answer)
    return answer


def _is_contended(error: ClientError) -> bool:
    """Whether the request changed nothing, and may succeed in a moment although botocore does not send it again."""
    code = error.response["Error"]["Code"]
    if code != "TransactionCanceledException":
        return code in CONTENTION
    reasons = _cancellation_codes(error)
    return "ConditionalCheckFailed" not in reasons and not _CANCELLED_TRANSIENT.isdisjoint(reasons)


def _cancellation_codes(error: ClientError) -> list[str | None]:
    reasons: Any = error.response.get("CancellationReasons", ())
    return [(reason or {}).get("Code") for reason in reasons]


def _translated(operation: str, error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(error.response.get("Item"))
    if code == "TransactionCanceledException":
        codes = _cancellation_codes(error)
        failed = [index for index, reason in enumerate(codes) if reason == "ConditionalCheckFailed"]
        if failed:
            return TransactionCancelled(failed)
        if _CANCELLED_TRANSIENT.intersection(codes):
            return Unavailable()
    if code in _TRANSIENT:
        _log.warning("%s was refused for now: %s", operation, code)
        # Of all such refusals this alone has a reason that helps: where the engine is embedded, its disk may be full.
        return Unavailable(error.response["Error"].get("Message", "") if code == "ServiceUnavailable" else "")
    return error
