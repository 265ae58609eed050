"""Each operation by each call that it makes by each way in which that call may fail, and what may come of it.

done       the answer says that it is done, and what is stored is what an undisturbed request leaves
honest     the answer is an error, nothing is stored, and the same request does it once the store is well
finished   the answer is an error, it was done all the same or half-way, and the same request finishes it, once
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.api.http import Call
from chalicelib.store.platform import presence
from scripts.docs import figures
from tests.faults.faults import at_call, faults
from tests.faults.operations import OPERATIONS, Operation, set_up
from tests.faults.stored import State, difference, state

if TYPE_CHECKING:
    from scripts.local.engine import EmbeddedEngine
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport, Send

FAULTS = tuple(faults())


class Bench:
    """Everything that one run of an operation needs, made anew for each."""

    def __init__(self, engine: EmbeddedEngine, house: House, transport: ObservedTransport) -> None:
        self.engine, self.house, self.transport = engine, house, transport

    def fresh(self, operation: Operation) -> Client:
        self.transport.restore()
        self.engine.clear()
        presence.forget()
        owner: Client = self.house.client(self.house.user("root", "owner"))
        set_up(self.house, operation, owner)
        # Noting that the token is in use is no part of the operation.
        assert owner.get("/api/v2/users/me").status == 200
        return owner

    def run(self, operation: Operation, fault: Callable[..., Any] | None = None) -> tuple[Client, Reply, list[str]]:
        owner = self.fresh(operation)
        self.transport.requests.clear()
        if fault is not None:
            self.transport.intercept(fault)
        reply = operation.send(owner)
        self.transport.restore()
        return owner, reply, self.transport.operations


@pytest.fixture
def bench(
    tables: EmbeddedEngine,
    house: House,
    transport: ObservedTransport,
    monkeypatch: pytest.MonkeyPatch,
    keeps_secrets: None,
    keeps_exports: list[str],
) -> Bench:
    assert keeps_secrets is None
    assert keeps_exports == []
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return Bench(tables, house, transport)


def is_failed(reply: Reply) -> bool:
    """Whether an answer tells its sender to send again; a batch says so by its own status."""
    return reply.status >= 500


@pytest.mark.needs("transactions")
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_call_that_fails_costs_nothing_but_a_retry(bench: Bench, request: pytest.FixtureRequest, name: str) -> None:
    operation = OPERATIONS[name]
    bench.fresh(operation)
    before = state()
    owner, reply, calls = bench.run(operation)
    assert reply.status < 300, reply
    after = state()
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    for number, called in enumerate(calls):
        for fault in FAULTS:
            if not fault.concerns(called) or fault.name in operation.impossible:
                continue
            owner, reply, _ = bench.run(operation, at_call(number, fault))
            outcome = judged(operation, owner, reply, before, after)
            if reply.status == 500 and not fault.lasting:
                outcome = "an error that says that sending again does not help"
            outcomes[outcome] += 1
            if outcome not in ("done", "honest", "finished"):
                wrong.append(f"call {number} ({called}), {fault.name}: {outcome}; {reply.status} {reply.text[:200]}")
    assert wrong == []
    assert outcomes
    if request.config.option.write_figures:
        figures.write("faults", name, {"calls": len(calls), **outcomes})


def judged(operation: Operation, owner: Client, reply: Reply, before: State, after: State) -> str:
    """The outcome of a request whose call failed: its answer, the stored items, and the request repeated."""
    stored = state()
    if reply.status < 400:
        return "done" if stored == after else f"says that it is done, and it is not: {difference(stored, after)}"
    if not is_failed(reply) and reply.status not in operation.done_already:
        return "an error that blames the sender"
    if reply.status == 503 and "retry-after" not in reply.headers:
        return "no Retry-After"
    again = operation.send(owner)
    if again.status >= 300 and again.status not in operation.done_already:
        return f"sent again it is {again.status} {again.text[:200]}"
    settled = state()
    added = [item for item in settled - after if not item.startswith(operation.adds_to)]
    if added or after - settled:
        return f"sent again it is not what it should be: {difference(settled, after)}"
    return "honest" if stored == before else "finished"


@pytest.mark.needs("transactions")
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_slow_store_is_answered_within_the_time_of_the_gateway(
    bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = OPERATIONS[name]
    owner = bench.fresh(operation)
    began, passed = time.monotonic(), [0.0]

    def wait(seconds: float) -> None:
        passed[0] += seconds

    def slow(send: Send, called: str, request: Mapping[str, Any]) -> dict[str, Any]:
        wait(2.7)
        return send(called, request)

    monkeypatch.setattr(time, "monotonic", lambda: began + passed[0])
    monkeypatch.setattr(time, "sleep", wait)
    monkeypatch.setattr(Call, "remaining_seconds", property(lambda _call: 29.0 - passed[0]))
    bench.transport.intercept(slow)
    reply = operation.send(owner)
    assert passed[0] < 29.0
    assert reply.status < 300 or (reply.status == 503 and reply.headers["retry-after"])
