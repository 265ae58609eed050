"""A served instance on a throttled store, and what of a log arrived in it.

Tables take their names and clients their endpoint when the service is imported: import this module once an engine runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from app import app
from chalicelib.api.http import RESPONSE_HEADERS
from chalicelib.lanes.catalogue import POSITION
from chalicelib.logs.service_log import AUDIT_LOG
from chalicelib.store.dynamodb import schema, transport
from chalicelib.store.dynamodb.client import call
from chalicelib.store.logs.tables import AUDIT_LOGS, CONNECTION_LOGS
from scripts.gateway.application import Gateway
from scripts.local.owner import ensure_owner
from scripts.local.server import LocalServer, listen
from scripts.shipping.log import made_id
from scripts.shipping.throttling import ThrottledStore

HOST = "127.0.0.1"


class NotingGateway(Gateway):
    """A gateway that notes the status of each answer."""

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(app, RESPONSE_HEADERS)
        self._statuses = statuses

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:  # noqa: ANN401 - WSGI's
        """Answer a request."""

        def noted(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:  # noqa: ANN401 - as above
            self._statuses.append(int(status[:3]))
            return start_response(status, headers, *more)

        return super().__call__(environ, noted)


@contextmanager
def served(statuses: list[int], *, loses_calls: bool) -> Iterator[tuple[int, str]]:
    """The port of a service whose store is throttled, and its owner's token.

    Args:
        statuses: where the status of each answer is put.
        loses_calls: as of `ThrottledStore`.
    """
    schema.create_missing_tables()
    token = ensure_owner(None)
    listener = listen(HOST, 0)
    port = listener.getsockname()[1]
    with transport.replaced_by(ThrottledStore(transport.in_use(), loses_calls=loses_calls)):
        server = LocalServer(NotingGateway(statuses), listener)
        server.start()
        try:
            yield port, token
        finally:
            server.stop()


def rows(message: str) -> Counter[str]:
    """How many rows the log of a message has by id; rows that the service writes about its own tokens are left out."""
    table = (AUDIT_LOGS if message == AUDIT_LOG else CONNECTION_LOGS).table_name
    organization = made_id("organization", 0)
    counts: Counter[str] = Counter()
    request: dict[str, Any] = {"TableName": table}
    while True:
        page = call("Scan", request)
        items = (item for item in page["Items"] if POSITION in item and organization in str(item))
        counts.update(item["id"]["S"] for item in items)
        if "LastEvaluatedKey" not in page:
            return counts
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
