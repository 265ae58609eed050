"""The store's transport as tests see it: every request is noted, and a fault may stand before the engine.

The fixture `transport` in `tests/conftest.py` puts it in use for one test. It is the only place where tests count what
the store sends, or change what happens to it:

    def test_a_lost_answer_is_no_lost_event(transport: ObservedTransport) -> None:
        def unanswered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
            send(operation, request)
            raise UNANSWERED

        transport.intercept(unanswered)
        ...
        transport.restore()
        assert transport.operations == ["PutItem"]

A fault raises what a transport raises, ClientError or a BotoCoreError, after its own repeats: one call, one fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.transport import Transport
from scripts.local.moto_statements import Insert, statement_of

Send = Callable[[str, Mapping[str, Any]], dict[str, Any]]
Fault = Callable[[Send, str, Mapping[str, Any]], dict[str, Any]]
"""Answers a request in place of the engine; its first argument asks the engine."""

UNANSWERED = ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com/")  # type: ignore[no-untyped-call]


def refusal(code: str, operation: str = "PutItem", **more: object) -> ClientError:
    """The error of a request that DynamoDB refuses."""
    response: Any = {"Error": {"Code": code, "Message": "no"}, **more}
    return ClientError(response, operation)  # type: ignore[no-untyped-call]


def inserted(statement: Mapping[str, Any]) -> Item:
    """The item that a statement inserts."""
    insert = statement_of(statement)
    assert isinstance(insert, Insert)
    return insert.item


def refusing(refuses: Callable[[Item], bool], code: str = "ThrottlingError") -> Fault:
    """A fault by which the store refuses to insert some items, and does all else."""
    refused = {"Error": {"Code": code, "Message": "no"}}

    def fault(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "PutItem" and refuses(request["Item"]):
            raise refusal(f"{code.removesuffix('Error')}Exception")
        if operation != "BatchExecuteStatement":
            return send(operation, request)
        statements = request["Statements"]
        taken = [statement for statement in statements if not refuses(inserted(statement))]
        responses = iter(send(operation, {"Statements": taken})["Responses"] if taken else ())
        return {"Responses": [refused if refuses(inserted(sent)) else next(responses) for sent in statements]}

    return fault


class ObservedTransport:
    """Passes requests on to the transport beneath it, or to a fault.

    Attributes:
        requests: operation and request of each that the store has sent, in order; those that a fault sends are not
            among them.

    Args:
        beneath: answers what no fault answers.
        has_transactions: whether it takes transactions; a test that sends one to an engine without is left out.
    """

    def __init__(self, beneath: Transport, *, has_transactions: bool = True) -> None:
        self.requests: list[tuple[str, Mapping[str, Any]]] = []
        self._beneath = beneath
        self._has_transactions = has_transactions
        self._fault: Fault | None = None

    @property
    def operations(self) -> list[str]:
        """The operation of each request that the store has sent, in order."""
        return [operation for operation, _ in self.requests]

    def send(self, operation: str, request: Mapping[str, Any], /) -> dict[str, Any]:
        """Note a request, and answer it."""
        self.requests.append((operation, request))
        if self._fault is None:
            return self._ask(operation, request)
        return self._fault(self._ask, operation, request)

    def _ask(self, operation: str, request: Mapping[str, Any], /) -> dict[str, Any]:
        if operation == "TransactWriteItems" and not self._has_transactions:
            # What is counted here, or fails here, is one transaction; without them it is several calls.
            pytest.skip("needs transactions")
        return self._beneath.send(operation, request)

    def intercept(self, fault: Fault) -> None:
        """Let a fault answer every request from now on, in place of the one before it."""
        self._fault = fault

    def restore(self) -> None:
        """Let the engine answer again."""
        self._fault = None
