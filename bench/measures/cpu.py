"""CPU: a page through the handler against the bare query of the same rows, and events taken in per second of it.

Handler and bare query run in turns, in this process, over the same recorded answers of the engine: neither the engine
nor the network is in the measure, and the ratio holds on any machine. Both sign what they send and read what comes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from typing import Any

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.credentials import Credentials
from moto.core.models import botocore_stubber
from urllib3 import HTTPResponse

from bench import budgets
from bench.measures.ingest import EVENTS_A_REQUEST, KINDS, batch
from bench.measures.pages import PAGE
from bench.queries import LOGS, Log
from bench.results import Result, Table
from bench.service import Service
from chalicelib import times
from chalicelib.store.dynamodb.connections import Reply
from chalicelib.store.dynamodb.signed_transport import SignedTransport
from chalicelib.store.dynamodb.transport import replaced_by
from scripts.local.engine import EmbeddedEngine

_ROUNDS = 25
_INGEST_ROUNDS = 15


def measure_pages(service: Service) -> Iterator[Result | Table]:
    """Every query that fills a page, on the tables as they are."""
    for log in LOGS:
        yield from _of_log(service, log)


def _of_log(service: Service, log: Log) -> Iterator[Result | Table]:
    section = f"CPU of a page of {PAGE}, {log.name} log"
    plain = plain_client()
    times: list[tuple[str, float, float]] = []
    with _recorded(service.engine, plain) as recorded:
        for query in log.queries:
            event = service.event("GET", log.route, query={"q": query, "limit": str(PAGE)})
            if len(service.send(event).json[log.rows]) < PAGE:
                continue
            request = recorded.last_query
            handler, bare = best([partial(service.answer, event), partial(plain.query, **request)])
            times.append((query or "(everything)", handler, bare))
    yield Table(
        f"cpu {log.name}",
        f"CPU of a page of {PAGE}, {log.name} log, its count included; on this machine, of which the ratio is free",
        ("q", "handler ms", "bare query ms", "ratio"),
        [[query, handler * 1_000, bare * 1_000, handler / bare] for query, handler, bare in times],
    )
    ratios = sorted((handler / bare, query) for query, handler, bare in times)
    for which, (ratio, query) in (("the median", ratios[len(ratios) // 2]), ("the most", ratios[-1])):
        yield Result(section, f"handler against bare query, {which} ({query})", ratio, "x", budgets.PAGE_CPU)


def measure_ingest(service: Service) -> Iterator[Result]:
    """How many events of each kind one second of CPU takes in; the answer's JSON is part of it."""
    section = f"CPU of ingest, {EVENTS_A_REQUEST} events a request"
    for kind in KINDS:
        event = service.event("POST", kind.route, batch(kind))
        with _recorded(service.engine, plain_client()):
            service.send(event)
            (seconds,) = best([partial(service.answer, event)], rounds=_INGEST_ROUNDS)
        yield Result(section, f"{kind.name}: events per second of CPU", EVENTS_A_REQUEST / seconds, "events/s")
    for table in {kind.table for kind in KINDS}:
        service.forget(table)


def best(works: Sequence[Callable[[], object]], rounds: int = _ROUNDS) -> list[float]:
    """Seconds of CPU of each, the best of many rounds in turns."""
    least = [float("inf")] * len(works)
    for _ in range(rounds):
        for index, work in enumerate(works):
            begun = time.process_time()
            work()
            least[index] = min(least[index], time.process_time() - begun)
    return least


def plain_client() -> Any:  # noqa: ANN401 - botocore has no types
    """A client of botocore, with nothing of the store around it."""
    return botocore.session.get_session().create_client("dynamodb")  # type: ignore[no-untyped-call]


class _Recorded:
    """Answers every request as it was answered before, without the engine."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self.last_query: Mapping[str, Any] = {}
        self._engine = engine
        self._replies: dict[tuple[str, bytes], Reply] = {}

    def post(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """The reply to a request of the store."""
        target = headers["X-Amz-Target"]
        if (target, body) not in self._replies:
            status, _, text = self._engine.answer(target, body)
            self._replies[target, body] = Reply(status, text.encode())
            self._note(target, body)
        return self._replies[target, body]

    def answer(self, request: Any, **_: object) -> AWSResponse:  # noqa: ANN401 - botocore's
        """The reply to a request of botocore's client, in the place of the network."""
        reply = self.post({"X-Amz-Target": request.headers["X-Amz-Target"].decode()}, request.body)
        raw = HTTPResponse(BytesIO(reply.content), preload_content=False)
        return AWSResponse(request.url, reply.status, {}, raw)  # type: ignore[no-untyped-call]

    def _note(self, target: str, body: bytes) -> None:
        asked = json.loads(body)
        if target.endswith(".Query") and asked.get("Select") != "COUNT":
            self.last_query = asked


@contextmanager
def _recorded(engine: EmbeddedEngine, client: Any) -> Iterator[_Recorded]:  # noqa: ANN401 - botocore has no types
    """The store and a client of botocore both send to the same record meanwhile."""
    recorded = _Recorded(engine)
    # What is asked again must be the same to the microsecond: cut-offs of the retention are in it.
    now, moment = times.now, times.now()
    times.now = lambda: moment
    # All handlers of an event are called, whichever answers: the engine must not be asked as well.
    client.meta.events.unregister("before-send", botocore_stubber)
    client.meta.events.register("before-send.dynamodb", recorded.answer)
    try:
        with replaced_by(SignedTransport(client, Credentials("local", "local"), recorded.post)):  # type: ignore[no-untyped-call]
            yield recorded
    finally:
        times.now = now
        client.meta.events.unregister("before-send.dynamodb", recorded.answer)
        client.meta.events.register("before-send", botocore_stubber)
