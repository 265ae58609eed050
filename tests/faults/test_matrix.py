"""Each operation by each call that it makes by each way in which that call may fail, and what may come of it.

done       the answer says that it is done, and what is stored is what an undisturbed request leaves
honest     the answer is an error, nothing is stored, and the same request does it once the store is well
finished   the answer is an error, it was done all the same or half-way, and the same request finishes it, once
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import chalicelib
from chalicelib.api import exports
from chalicelib.api.http import Call
from chalicelib.settings import Settings
from chalicelib.store.dynamodb.tables import ExportItem
from chalicelib.store.exports import function
from chalicelib.store.platform import presence
from chalicelib.store.queue import messages
from chalicelib.store.secrets import data_keys
from scripts.docs import figures
from tests.api.test_queued_ingest import Queue
from tests.faults.client_operations import OF_CLIENTS
from tests.faults.faults import Fault, at_call, faults
from tests.faults.operations import OF_LOGS_AND_DIRECTORY, OF_THE_PLATFORM, Operation, set_up
from tests.faults.service_operations import OF_SERVICES
from tests.faults.services import HTTP, Services, clear_files, kept_files, service_faults
from tests.faults.stored import State, difference, state

if TYPE_CHECKING:
    from scripts.local.engine import EmbeddedEngine
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport
    from tests.transport import Send as Sent

Send = Callable[[], "Reply"]
OPERATIONS: Mapping[str, Operation] = {**OF_LOGS_AND_DIRECTORY, **OF_THE_PLATFORM, **OF_SERVICES, **OF_CLIENTS}
OF_WORK = {"http", "lambda", "s3", "sesv2"}
"""The services that work calls which no request does: see `tests/faults/work.py`."""
SLOW_SECONDS = 2.7
START = function.start
"""As it is before a test has the function started in another way."""
FAULTS = tuple(faults())


class Bench:
    """Everything that one run of an operation needs, made anew for each."""

    def __init__(
        self, engine: EmbeddedEngine, house: House, transport: ObservedTransport, services: Services, queue: Queue
    ) -> None:
        self.transport, self.services = transport, services
        self._engine, self._house, self._queue = engine, house, queue

    def fresh(self, operation: Operation) -> Send:
        """A function that sends the request, to a store in which all that it needs is."""
        self.transport.restore()
        self._engine.clear()
        clear_files()
        presence.forget()
        owner: Client = self._house.client(self._house.user("root", "owner"))
        sender, path = set_up(self._house, operation, owner)
        # Noting that the token is in use is no part of the operation.
        assert sender.get("/api/v2/users/me").status < 500
        self.services.reset()
        return lambda: operation.send(sender, path)

    def run(self, operation: Operation, disturbed: Callable[[], AbstractContextManager[None]]) -> tuple[Send, Reply]:
        send = self.fresh(operation)
        self.transport.requests.clear()
        with disturbed():
            reply = send()
        return send, reply

    @contextmanager
    def spoilt(self, number: int, fault: Fault) -> Iterator[None]:
        """The call of the store of a number fails meanwhile."""
        self.transport.intercept(at_call(number, fault))
        try:
            yield
        finally:
            self.transport.restore()

    def state(self) -> State:
        """The stored items, once the queue is empty, and all that is done beside the store."""
        assert self._queue.deliver() == []
        # An object of the queue whose message was never sent is the bucket's to delete: its message may come still.
        begun = Counter({f"{ExportItem.Meta.table_name}: started": len(self.services.started)})
        return state() + Counter(f"file {name}" for name in kept_files()) + begun


@pytest.fixture
def bench(
    tables: EmbeddedEngine,
    house: House,
    transport: ObservedTransport,
    monkeypatch: pytest.MonkeyPatch,
    keeps_exports: list[str],
) -> Bench:
    assert keeps_exports == []
    queue = Queue()
    key: str = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]  # type: ignore[no-untyped-call]
    monkeypatch.setattr(messages, "current", queue.settings)
    monkeypatch.setattr(data_keys, "current", lambda: Settings(secrets_key=key))
    monkeypatch.setattr(exports, "current", lambda: Settings(export_function="write_export"))
    monkeypatch.setattr(function, "start", START)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return Bench(tables, house, transport, Services(monkeypatch), queue)


def is_failed(reply: Reply) -> bool:
    """Whether an answer tells its sender to send again; a batch says so by its own status."""
    return reply.status >= 500


@pytest.mark.needs("transactions", "services")
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_call_that_fails_costs_nothing_but_a_retry(bench: Bench, request: pytest.FixtureRequest, name: str) -> None:
    operation = OPERATIONS[name]
    bench.fresh(operation)
    before = bench.state()
    _, reply = bench.run(operation, nullcontext)
    assert reply.status < 300, reply
    calls, of_services = bench.transport.operations, [*bench.services.calls]
    assert {call.partition(" ")[0] for call in of_services} == {*operation.services}
    after = bench.state()
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []

    def note(what: str, disturbed: Callable[[], AbstractContextManager[None]], *, lasting: bool) -> None:
        send, reply = bench.run(operation, disturbed)
        outcome = judged(operation, bench, send, reply, before, after)
        if reply.status == 500 and not lasting:
            outcome = "an error that says that sending again does not help"
        outcomes[outcome] += 1
        if outcome not in ("done", "honest", "finished"):
            wrong.append(f"{what}: {outcome}; {reply.status} {reply.text[:200]}")

    for number, called in enumerate(calls):
        for fault in FAULTS:
            if fault.concerns(called) and fault.name not in operation.impossible:
                disturbed = partial(bench.spoilt, number, fault)
                note(f"call {number} ({called}), {fault.name}", disturbed, lasting=fault.lasting)
    for number, called in enumerate(of_services):
        for spoiling in service_faults(called):
            disturbed = partial(bench.services.spoilt, number, spoiling)
            note(f"call {number} of a service ({called}), {spoiling.name}", disturbed, lasting=False)
    assert wrong == []
    assert outcomes
    if request.config.option.write_figures:
        figures.write("faults", name, {"calls": len(calls) + len(of_services), **outcomes})


def judged(operation: Operation, bench: Bench, send: Send, reply: Reply, before: State, after: State) -> str:
    """The outcome of a request whose call failed: its answer, the stored items, and the request repeated."""
    stored = bench.state()
    if reply.status < 400:
        return "done" if stored == after else f"says that it is done, and it is not: {difference(stored, after)}"
    if not is_failed(reply) and reply.status not in operation.done_already:
        return "an error that blames the sender"
    if reply.status == 503 and "retry-after" not in reply.headers:
        return "no Retry-After"
    again = send()
    if again.status >= 300 and again.status not in operation.done_already:
        return f"sent again it is {again.status} {again.text[:200]}"
    settled = bench.state()
    added = [item for item in settled - after if not item.startswith(operation.adds_to)]
    if added or after - settled:
        return f"sent again it is not what it should be: {difference(settled, after)}"
    return "honest" if stored == before else "finished"


@pytest.mark.needs("transactions", "services")
@pytest.mark.parametrize("name", OPERATIONS)
def test_slow_answers_are_answered_within_the_time_of_the_gateway(
    bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = OPERATIONS[name]
    send = bench.fresh(operation)
    began, passed = time.monotonic(), [0.0]

    def wait(seconds: float = SLOW_SECONDS) -> None:
        passed[0] += seconds

    def slow(sent: Sent, called: str, request: Mapping[str, Any]) -> dict[str, Any]:
        wait()
        return sent(called, request)

    monkeypatch.setattr(time, "monotonic", lambda: began + passed[0])
    monkeypatch.setattr(time, "sleep", wait)
    monkeypatch.setattr(Call, "remaining_seconds", property(lambda _call: 29.0 - passed[0]))
    bench.transport.intercept(slow)
    bench.services.delayed_by(wait)
    reply = send()
    assert passed[0] < 29.0
    assert reply.status < 300 or (reply.status == 503 and reply.headers["retry-after"])


def test_whatever_is_called_beside_the_store_is_called_in_the_matrix() -> None:
    sources = [path.read_text() for path in Path(chalicelib.__file__).parent.rglob("*.py")]
    named = {name for text in sources for name in re.findall(r'\bclient\("([a-z0-9]+)"\)', text)}
    assert {*named, HTTP} == {service for operation in OPERATIONS.values() for service in operation.services} | OF_WORK
