"""The calls of each handler on DynamoDB while the tests run, held against its policy as it is deployed.

A call that the policy does not allow fails the test that made it. What a policy allows and no test has used is told at
the end of a run of all tests, and fails that run: no right is granted for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib.store.dynamodb.tables import TABLES
from chalicelib.store.dynamodb.transport import Transport
from scripts.deployment.handlers import HANDLERS
from scripts.deployment.table_resources import logical_id
from scripts.deployment.template import DIRECTORY

Right = tuple[str, str]
"""An action and the resource it is on, `dynamodb:GetItem` on `UsersTable` or `UsersTable/index/listing`."""

_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
_STATEMENTS = {"INSERT INTO ": "PartiQLInsert", "UPDATE ": "PartiQLUpdate"}
_LOGICAL_IDS = {table.Meta.table_name: logical_id(table) for table in TABLES}


def allowed(handler: str) -> set[Right]:
    """The rights on tables in the committed policy of a handler."""
    statements = json.loads((DIRECTORY / f"policy-{handler}.json").read_text())["Statement"]
    rights = set()
    for statement in statements:
        assert statement["Effect"] == "Allow"
        given = statement["Resource"]
        for resource in given if isinstance(given, list) else [given]:
            rights |= {(action, _named(resource)) for action in statement["Action"] if action.startswith("dynamodb:")}
    return rights


def needed(operation: str, request: Mapping[str, Any]) -> set[Right]:
    """The rights that IAM requires for a request."""
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return {_right(operation, table) for table in request["RequestItems"]}
    if operation == "BatchExecuteStatement":
        statements = (statement["Statement"].split('"') for statement in request["Statements"])
        return {_right(_STATEMENTS[verb], table) for verb, table, *_ in statements}
    if operation == "TransactWriteItems":
        parts = ((_PARTS[verb], part) for item in request["TransactItems"] for verb, part in item.items())
        return {_right(action, part["TableName"]) for action, part in parts}
    return {_right(operation, request["TableName"], request.get("IndexName"))}


def unused(used: set[tuple[str, str, str]]) -> list[str]:
    """The rights of a policy that no test has used."""
    rights = {(handler.name, *right) for handler in HANDLERS for right in allowed(handler.name)}
    return [f"{handler}: {action} on {resource}" for handler, action, resource in sorted(rights - used)]


@dataclass
class Watch:
    """Notes what the store sends.

    Attributes:
        used: the rights that calls have needed: of which handler, which action, on what.
        refused: what a policy does not allow and was called all the same.
    """

    used: set[tuple[str, str, str]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    _running: list[str] = field(default_factory=list)
    _allowed: dict[str, set[Right]] = field(
        default_factory=lambda: {handler.name: allowed(handler.name) for handler in HANDLERS}
    )

    def before(self, transport: Transport) -> Transport:
        """A transport that passes requests on to another one, and notes them here."""
        return _WatchedTransport(transport, self)

    def watches(self, transport: Transport) -> bool:
        """Whether what a transport sends is noted here."""
        return isinstance(transport, _WatchedTransport) and transport.watch is self

    @contextmanager
    def running(self, handler: str) -> Iterator[None]:
        """While a handler runs, calls are its own, those of the threads that it starts as well."""
        self._running.append(handler)
        try:
            yield
        finally:
            self._running.pop()

    def note(self, operation: str, request: Mapping[str, Any]) -> None:
        """Hold a request against the policy of the handler that runs."""
        if not self._running:
            return
        handler = self._running[-1]
        rights = needed(operation, request)
        self.used |= {(handler, *right) for right in rights}
        self.refused += [
            f"{handler} may not call {action} on {resource}" for action, resource in rights - self._allowed[handler]
        ]


class _WatchedTransport:
    def __init__(self, beneath: Transport, watch: Watch) -> None:
        self._beneath = beneath
        self.watch = watch

    def send(self, operation: str, request: Mapping[str, Any], /) -> dict[str, Any]:
        self.watch.note(operation, request)
        return self._beneath.send(operation, request)


def watched(call: Callable[..., Any], watch: Watch, handler: Callable[[Any], str | None]) -> Callable[..., Any]:
    """A handler's `__call__` under watch; `handler` tells its name."""

    def called(self: Any, event: Any, context: Any) -> Any:
        name = handler(self)
        if name is None:
            return call(self, event, context)
        with watch.running(name):
            return call(self, event, context)

    return called


def _named(resource: Mapping[str, Any] | str) -> str:
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        name: str = resource["Fn::GetAtt"][0]
        return name
    text: str = resource["Fn::Sub"]
    table, _, following = text.partition(".Arn}")
    return table.removeprefix("${") + following


def _right(operation: str, table: str, index: str | None = None) -> Right:
    name = _LOGICAL_IDS.get(table, table)
    return f"dynamodb:{operation}", f"{name}/index/{index}" if index else name
