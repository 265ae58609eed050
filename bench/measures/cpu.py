"""CPU: a page through the handler against the bare queries of the same rows, and events taken in per second of it.

Handler and bare queries run in turns, in this process, over the same recorded answers of the engine: neither the engine
nor the network is in the measure, and the ratio holds on any machine. Both sign what they send and read what comes. The
bare queries are those that the page reads its rows by: one of most filters, several where keys are merged.

Then the same with HTTP in it: a process answers what was recorded, and all calls of the page, the token check and the
count among them, are made bare as well, by botocore's client.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from typing import Any, NamedTuple

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.credentials import Credentials
from moto.core.models import botocore_stubber
from urllib3 import HTTPResponse

from bench import budgets, replay
from bench.budgets import Budget
from bench.measures.ingest import EVENTS_A_REQUEST, KINDS, batch
from bench.measures.pages import PAGE
from bench.queries import LOGS, Log
from bench.results import Result, Table
from bench.service import Service
from chalicelib import times
from chalicelib.store.dynamodb.connections import Connections, Reply
from chalicelib.store.dynamodb.signed_transport import SignedTransport
from chalicelib.store.dynamodb.transport import replaced_by
from scripts.local.engine import EmbeddedEngine

_ROUNDS = 25
_INGEST_ROUNDS = 15
_METHODS = {"Query": "query", "GetItem": "get_item", "BatchGetItem": "batch_get_item"}
"""Operation -> what botocore's client calls it."""


def measure_pages(service: Service) -> Iterator[Result | Table]:
    """Every query that fills a page, on the tables as they are."""
    for log in LOGS:
        yield from _of_log(service, log)


def _of_log(service: Service, log: Log) -> Iterator[Result | Table]:
    plain = plain_client()
    measured: list[_Ratio] = []
    pages: list[_Page] = []
    with _recorded(service.engine, plain) as recorded:
        for query in log.queries:
            event = service.event("GET", log.route, query={"q": query, "limit": str(PAGE)})
            recorded.requests.clear()
            if len(service.send(event).json[log.rows]) < PAGE:
                continue
            requests = list(recorded.requests)
            queries = [one for one in requests if one[0] == "Query" and one[1].get("Select") != "COUNT"]
            name = query or "(everything)"
            answer = partial(service.answer, event)
            measured.append(_Ratio(name, *best([answer, partial(_make, plain, queries)])))
            _make(plain, requests)
            pages.append(_Page(name, answer, requests))
        with_http = list(_with_http(pages, recorded.recording()))
    yield from _results(log, "", "against bare query", measured, budgets.PAGE_CPU)
    yield from _results(log, ", HTTP in it", "against the same calls", with_http, budgets.PAGE_CPU_WITH_HTTP)


class _Page(NamedTuple):
    query: str
    answer: Callable[[], object]
    requests: Sequence[_Request]


class _Ratio(NamedTuple):
    query: str
    handler: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.handler / self.bare


def _results(log: Log, how: str, beside: str, measured: list[_Ratio], budget: Budget) -> Iterator[Result | Table]:
    yield Table(
        f"cpu {log.name}{' with HTTP' if how else ''}",
        f"CPU of a page of {PAGE}, {log.name} log, its count included{how}; of this machine, but for the ratio",
        ("q", "handler ms", "bare ms", "ratio"),
        [[one.query, one.handler * 1_000, one.bare * 1_000, one.ratio] for one in measured],
    )
    section = f"CPU of a page of {PAGE}, {log.name} log{how}"
    ordered = sorted(measured, key=lambda one: one.ratio)
    for which, one in (("the median", ordered[len(ordered) // 2]), ("the most", ordered[-1])):
        yield Result(section, f"handler {beside}, {which} ({one.query})", one.ratio, "x", budget)


def _with_http(pages: Sequence[_Page], recording: Mapping[str, str]) -> Iterator[_Ratio]:
    """Seconds of the handler and of the same calls made bare, each over HTTP to what was recorded."""
    with replay.serving(recording) as address:
        plain = plain_client(address)
        plain.meta.events.unregister("before-send", botocore_stubber)
        connections = Connections(address, None)
        transport = SignedTransport(plain, Credentials("local", "local"), connections.post)  # type: ignore[no-untyped-call]
        with replaced_by(transport):
            for page in pages:
                yield _Ratio(page.query, *best([page.answer, partial(_make, plain, page.requests)]))


def _make(plain: Any, requests: Sequence[_Request]) -> None:  # noqa: ANN401 - botocore has no types
    """Make calls by botocore's client, one after the other."""
    for operation, parameters in requests:
        getattr(plain, _METHODS[operation])(**parameters)


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


def plain_client(address: str | None = None) -> Any:  # noqa: ANN401 - botocore has no types
    """A client of botocore, with nothing of the store around it, of an endpoint of its own or the usual one."""
    session: Any = botocore.session.get_session()  # type: ignore[no-untyped-call]
    return session.create_client("dynamodb", endpoint_url=address)


class _Request(NamedTuple):
    operation: str
    parameters: Mapping[str, Any]


class _Recorded:
    """Answers every request as it was answered before, without the engine.

    Attributes:
        requests: those of the store since it was cleared.
    """

    def __init__(self, engine: EmbeddedEngine) -> None:
        self.requests: list[_Request] = []
        self._engine = engine
        self._replies: dict[tuple[str, bytes], Reply] = {}
        self._bodies: dict[tuple[str, bytes], _Request] = {}

    def post(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """The reply to a request of the store."""
        target = headers["X-Amz-Target"]
        if (target, body) not in self._bodies:
            self._bodies[target, body] = _Request(target.rpartition(".")[2], json.loads(body))
        self.requests.append(self._bodies[target, body])
        return self._reply(target, body)

    def answer(self, request: Any, **_: object) -> AWSResponse:  # noqa: ANN401 - botocore's
        """The reply to a request of botocore's client, in the place of the network."""
        reply = self._reply(request.headers["X-Amz-Target"].decode(), request.body)
        raw = HTTPResponse(BytesIO(reply.content), preload_content=False)
        return AWSResponse(request.url, reply.status, {}, raw)  # type: ignore[no-untyped-call]

    def recording(self) -> dict[str, str]:
        """All replies, as `bench.replay` takes them."""
        return {replay.name_of(*place): reply.content.decode() for place, reply in self._replies.items()}

    def _reply(self, target: str, body: bytes) -> Reply:
        if (target, body) not in self._replies:
            status, _, text = self._engine.answer(target, body)
            self._replies[target, body] = Reply(status, text.encode())
        return self._replies[target, body]


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
