"""The CPU of a page through the handler against the bare query of the same rows: `python -m scripts.bench.page`.

Both run in this process over the same recorded answers of the engine, so that neither the engine nor the network is in
the measure, and the ratio holds on any machine.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import botocore.session
from moto.core.models import botocore_stubber

from scripts.local.engine import EmbeddedEngine

_ROUNDS = 60
_TABLE = "gatebook-connection_logs"


def main() -> None:
    """Measure pages of 100 web events and of 100 sessions, and print the ratios."""
    with EmbeddedEngine():
        _measure()


def _measure() -> None:
    # The settings and the tables are made at import, and the client must find the engine running.
    from chalice.local import LambdaContext  # noqa: PLC0415

    from app import app  # noqa: PLC0415
    from chalicelib.store.engine import connection, heard_by  # noqa: PLC0415
    from chalicelib.store.schema import create_missing_tables  # noqa: PLC0415
    from scripts.local import owner, sample  # noqa: PLC0415

    os.environ.pop("AWS_ENDPOINT_URL_DYNAMODB", None)
    create_missing_tables()
    token = owner.ensure_owner(None)
    sample.load()
    # A token's first use in an hour is noted, which is not what a page costs.
    app(_event("", token), LambdaContext("page", memory_size=1024, max_runtime_ms=60_000))
    client: Any = connection().client
    plain: Any = botocore.session.get_session().create_client("dynamodb")  # type: ignore[no-untyped-call]
    recorded = _Recorded(client, plain)
    for query in ("type:workspace_app", "type:ssh", ""):
        event = _event(query, token)

        def page(event: dict[str, Any] = event) -> dict[str, Any]:
            answer: dict[str, Any] = app(event, LambdaContext("page", memory_size=1024, max_runtime_ms=60_000))
            return answer

        with heard_by(recorded.note):
            rows = len(json.loads(page()["body"])["connection_logs"])
        request = recorded.last_query

        def bare(request: dict[str, Any] = request) -> object:
            return plain.query(**request)

        through, alone = _cpu(page), _cpu(bare)
        print(
            f"{query or 'everything':20} {rows:4} rows  handler {through:6.2f} ms  bare query {alone:6.2f} ms"
            f"  ratio {through / alone:5.2f}"
        )


class _Recorded:
    """Answers every request as it was answered before, without the engine."""

    def __init__(self, client: Any, plain: Any) -> None:  # noqa: ANN401 - botocore has no types
        self.last_query: dict[str, Any] = {}
        self._answers: dict[tuple[bytes, bytes], Any] = {}
        for one in (client, plain):
            # All handlers of an event are called, whichever answers: the engine must not be asked as well.
            one.meta.events.unregister("before-send", botocore_stubber)
            one.meta.events.register("before-send.dynamodb", self._answer)

    def note(self, operation: str, request: Mapping[str, Any], _answer: object) -> None:
        """Remember the query of the rows; made to be given to `heard_by`."""
        if operation == "Query" and request.get("Select") != "COUNT":
            self.last_query = dict(request)

    def _answer(self, request: Any, **more: Any) -> Any:  # noqa: ANN401 - botocore's
        asked = request.headers["X-Amz-Target"], request.body
        if asked not in self._answers:
            self._answers[asked] = botocore_stubber(request=request, **more)
        return self._answers[asked]


def _cpu(work: Callable[[], object]) -> float:
    """Milliseconds of CPU, the best of many rounds."""
    best = float("inf")
    for _ in range(_ROUNDS):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best * 1_000


def _event(query: str, token: str) -> dict[str, Any]:
    parameters = {"q": query, "limit": "100"}
    return {
        "resource": "/api/v2/connectionlog",
        "path": "/api/v2/connectionlog",
        "httpMethod": "GET",
        "headers": {"Coder-Session-Token": token},
        "multiValueHeaders": {"Coder-Session-Token": [token]},
        "queryStringParameters": parameters,
        "multiValueQueryStringParameters": {name: [value] for name, value in parameters.items()},
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/api/v2/connectionlog",
            "httpMethod": "GET",
            "requestId": str(uuid4()),
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": None,
        "isBase64Encoded": False,
    }


if __name__ == "__main__":
    main()
