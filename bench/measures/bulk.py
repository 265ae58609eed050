"""A large request: thousands of new events as lines, at 5 ms a call of the store, with HTTP in it.

In turns with it the same request on an engine without PartiQL, whose rows are written one by one, as DynamoDB itself
writes rows with conditions otherwise.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from botocore.credentials import Credentials

from bench import budgets, stub
from bench.measures.cpu import best, plain_client
from bench.measures.ingest import KINDS
from bench.results import Result
from bench.service import Service
from chalicelib.store.dynamodb.batch_insert import PARTIQL
from chalicelib.store.dynamodb.connections import Connections, Reply
from chalicelib.store.dynamodb.signed_transport import SignedTransport
from chalicelib.store.dynamodb.transport import replaced_by
from scripts.local.engine import EmbeddedEngine

EVENTS = {"web": 5_000, "audit": 3_000}
"""Kind -> how many of it; as many audit events as 5 MB hold."""
_ROUNDS = 3


def measure(service: Service) -> Iterator[Result]:
    """Time, calls and CPU of a request of each kind of event whose rows are new."""
    for kind in (kind for kind in KINDS if kind.name in EVENTS):
        number_of_events = EVENTS[kind.name]
        section = f"One request of {number_of_events} events as NDJSON, {stub.CALL_SECONDS * 1_000:.0f} ms a call"
        event = service.event("POST", kind.route, [])
        event["body"] = "\n".join(json.dumps(kind.make(number)) for number in range(number_of_events))
        with stub.serving() as address:
            sent = _Sent(service.engine, address)
            transport = SignedTransport(plain_client(), Credentials("local", "local"), sent.post)  # type: ignore[no-untyped-call]
            with replaced_by(transport):
                created = service.send(event).json["created"]
                if created != number_of_events:
                    raise RuntimeError(f"of {number_of_events} events of kind {kind.name} {created} were stored")
                calls = sent.calls
                seconds = min(_seconds(service, event) for _ in range(_ROUNDS))
                answer = partial(service.answer, event)
                processor, apart = best([answer, partial(_one_by_one, answer)], rounds=_ROUNDS)
        is_web = kind.name == "web"
        yield Result(section, f"{kind.name}: calls to DynamoDB", calls, "calls", budgets.BULK_CALLS if is_web else None)
        yield Result(section, f"{kind.name}: time", seconds, "s", budgets.BULK_SECONDS if is_web else None)
        yield Result(section, f"{kind.name}: CPU per event, HTTP included", processor / number_of_events * 1e6, "µs")
        what = f"{kind.name}: CPU per event against rows that are written one by one"
        yield Result(section, what, processor / apart, "x", budgets.BULK_CPU)


def _one_by_one(answer: Callable[[], object]) -> None:
    PARTIQL.is_lacking = True
    try:
        answer()
    finally:
        PARTIQL.is_lacking = False


class _Sent:
    """Sends insertions to the stub and all else, the check of the token, to the engine; counts both."""

    def __init__(self, engine: EmbeddedEngine, address: str) -> None:
        self.calls = 0
        self._engine = engine
        self._connections = Connections(address, None)

    def post(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """The reply to a request of the store."""
        self.calls += 1
        target = headers["X-Amz-Target"]
        if target.endswith((".BatchExecuteStatement", ".PutItem")):
            return self._connections.post(headers, body)
        status, _, text = self._engine.answer(target, body)
        return Reply(status, text.encode())


def _seconds(service: Service, event: Mapping[str, object]) -> float:
    began = time.perf_counter()
    service.answer(event)
    return time.perf_counter() - began
