"""New events take few calls to DynamoDB: what a thousand of them, and five thousand, may take."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.transport import ObservedTransport, Send

if TYPE_CHECKING:
    from tests.api.conftest import Client

CONNECTIONS, AUDIT = "/api/v2/connectionlog", "/api/v2/audit"
A_THOUSAND, FIVE_THOUSAND = 45, 220
"""Calls for so many new events, the token's check included."""


def all_stored(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """A store in which every statement succeeds: what counts here is how many calls are made."""
    if operation == "BatchExecuteStatement":
        return {"Responses": [{} for _ in request["Statements"]]}
    return send(operation, request)


def audit_event() -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "time": "2026-05-10T10:00:00Z",
        "user_id": str(uuid4()),
        "resource_type": "workspace",
        "resource_id": str(uuid4()),
        "resource_target": "dev",
        "action": "write",
        "status_code": 200,
    }


@pytest.mark.parametrize(("number", "most"), [(1_000, A_THOUSAND), (5_000, FIVE_THOUSAND)])
@pytest.mark.parametrize("kind", ["web", "connect", "audit"])
def test_new_events_are_written_twenty_five_a_call(
    owner: Client,
    make_event: Callable[..., dict[str, Any]],
    transport: ObservedTransport,
    kind: str,
    number: int,
    most: int,
) -> None:
    transport.intercept(all_stored)
    common = make_event()
    if kind == "audit":
        events = [audit_event() for _ in range(number)]
    elif kind == "connect":
        events = [{**common, "connection_id": str(uuid4())} for _ in range(number)]
    else:
        common |= {"type": "workspace_app"}
        del common["connection_id"]
        events = [{**common, "id": str(uuid4())} for _ in range(number)]
    body = "\n".join(map(json.dumps, events))
    reply = owner.post(AUDIT if kind == "audit" else CONNECTIONS, body)
    assert (reply.status, reply.json["created"]) == (200, number)
    assert len(transport.operations) <= most
    assert transport.operations.count("BatchExecuteStatement") == number / 25
