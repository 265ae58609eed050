"""The one client to DynamoDB: every call of every table goes through `call`, and its failures are told apart here.

pynamodb builds the schemas, conditions and transactions. Sending is done by one shared connection, because each
pynamodb model would otherwise make a botocore session of its own: 50 ms and 9 MB per table at a cold start.
Time-outs are far below API Gateway's 29 seconds, so that a store that hangs becomes an answer and not a time-out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import JSONParser
from pynamodb.connection import Connection

from chalicelib.errors import Unavailable
from chalicelib.store.dynamodb.signed_call import Direct, parsed

Item = dict[str, dict[str, Any]]
"""An item as DynamoDB sends it: attribute name -> {type: value}."""

_CONNECT_TIMEOUT_SECONDS = 1
_READ_TIMEOUT_SECONDS = 3
_ATTEMPTS = 3
"""Beside the first, which is made the short way; see `chalicelib.store.dynamodb.signed_call`."""
_CONNECTIONS = 32

_TRANSIENT = frozenset(
    {
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
"""Is told of each call that was answered: the operation, the request and the answer."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)

_log = logging.getLogger(__name__)

# At DEBUG botocore logs whole requests and answers, the hashes of secrets among them; no setting may bring them out.
logging.getLogger("botocore").setLevel(logging.INFO)


class ConditionFailed(Exception):
    """The condition of a write did not hold; nothing was written.

    Attributes:
        item: the item as it stood, where the engine tells it; None where there is none or it does not tell.
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


class _Parser(JSONParser):
    """Answers as DynamoDB writes them: botocore's parser walks its model value by value, a third of a page's CPU."""

    def _do_parse(self, response: Mapping[str, Any], shape: object) -> dict[str, Any]:
        del shape
        answer = parsed(response["body"])
        self._inject_response_metadata(answer, response["headers"])  # type: ignore[no-untyped-call]
        return answer


class _Parsers:
    def create_parser(self, _protocol: str) -> _Parser:
        """The parser of every answer."""
        return _Parser()  # type: ignore[no-untyped-call]


_PARSERS = _Parsers()


@cache
def connection() -> Connection:
    """The shared connection. Safe under threads: botocore clients are, and this makes one."""
    return Connection(
        connect_timeout_seconds=_CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds=_READ_TIMEOUT_SECONDS,
        retry_configuration={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        max_pool_connections=_CONNECTIONS,
    )


def _client() -> Any:  # noqa: ANN401 - botocore makes its client classes at run time
    # pynamodb makes its client when it is first asked for, and again when credentials come late.
    client: Any = connection().client
    if client._endpoint._response_parser_factory is not _PARSERS:  # noqa: SLF001 - there is no public place for a parser
        client._endpoint._response_parser_factory = _PARSERS  # noqa: SLF001
        client._make_api_call = Direct(client)  # noqa: SLF001
    return client


def call(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Send one request, for example `call("GetItem", {"TableName": ..., "Key": ...})`.

    Raises:
        ConditionFailed: the write's condition did not hold.
        TransactionCancelled: one in the transaction did not.
        Unavailable: throttled, timed out or unreachable, after retries.
    """
    try:
        answer: dict[str, Any] = _client()._make_api_call(operation, dict(request))  # noqa: SLF001
    except ClientError as error:
        raise _translated(operation, error) from error
    except BotoCoreError as error:
        _log.warning("%s did not reach the store: %s", operation, error)
        raise Unavailable from error
    if listener := _listener.get():
        listener(operation, request, answer)
    return answer


def _translated(operation: str, error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(error.response.get("Item"))
    if code == "TransactionCanceledException":
        codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", ())]
        failed = [index for index, reason in enumerate(codes) if reason == "ConditionalCheckFailed"]
        if failed:
            return TransactionCancelled(failed)
        if _CANCELLED_TRANSIENT.intersection(codes):
            return Unavailable()
    if code in _TRANSIENT:
        _log.warning("%s was refused for now: %s", operation, code)
        return Unavailable()
    return error
