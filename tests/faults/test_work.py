"""Each piece of work that no request does by each call that it makes by each way in which that call may fail.

The outcomes are those of the matrix of requests: `tests/faults/test_matrix.py`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from chalicelib.errors import GatebookError, Unavailable
from chalicelib.retention import holds
from chalicelib.store import clients
from chalicelib.store.directory import active_users
from chalicelib.store.platform import presence
from scripts.docs import figures
from tests.dispatch.test_sweep import Hook
from tests.faults.faults import at_call, faults
from tests.faults.stored import State, difference, state
from tests.faults.work import WORK, Work
from tests.transport import refusal

if TYPE_CHECKING:
    from scripts.local.engine import EmbeddedEngine
    from tests.api.conftest import House
    from tests.transport import ObservedTransport

pytestmark = pytest.mark.needs("transactions")
FAULTS = tuple(faults())
URL = "https://bucket.s3.amazonaws.com/"
OF_THE_BUCKET = {
    "refused for now": ("before-call", refusal("SlowDown", "PutObject")),
    "dropped before it was sent": ("before-call", EndpointConnectionError(endpoint_url=URL)),  # type: ignore[no-untyped-call]
    "reply lost after it was done": ("after-call", ReadTimeoutError(endpoint_url=URL)),  # type: ignore[no-untyped-call]
}
Disturbed = Callable[[], AbstractContextManager[None]]


class Bench:
    """Everything that one run of a piece of work needs, made anew for each."""

    def __init__(self, engine: EmbeddedEngine, house: House, transport: ObservedTransport) -> None:
        self._engine, self._house, self._transport = engine, house, transport

    @property
    def calls(self) -> list[str]:
        """The operations of the store that the last run has called."""
        return self._transport.operations

    def prepare(self, work: Work) -> None:
        self._engine.clear()
        for cache in (holds, presence, active_users):
            cache.forget()
        work.prepare(self._house.client(self._house.user("root", "owner")))
        self._transport.requests.clear()

    @contextmanager
    def spoilt(self, answered: Callable[..., Any]) -> Iterator[None]:
        """The store answers by a fault meanwhile."""
        self._transport.intercept(answered)
        try:
            yield
        finally:
            self._transport.restore()


@pytest.fixture
def bench(
    tables: EmbeddedEngine,
    house: House,
    transport: ObservedTransport,
    monkeypatch: pytest.MonkeyPatch,
    keeps_exports: list[str],
) -> Bench:
    assert keeps_exports == []
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return Bench(tables, house, transport)


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.end()


@contextmanager
def bucket_watched(calls: list[str], number: int = -1, fault: str = "") -> Iterator[None]:
    """Note the calls of the bucket; the one of a number fails."""
    moment, error = OF_THE_BUCKET.get(fault, ("", None))
    events = clients.client("s3").meta.events
    began: list[str] = []

    def before(model: Any, **_: Any) -> None:
        began.append(model.name)
        calls.append(model.name)
        if error is not None and moment == "before-call" and len(began) == number + 1:
            raise error

    def after(**_: Any) -> None:
        if error is not None and moment == "after-call" and len(began) == number + 1:
            raise error

    events.register("before-call.s3", before)
    events.register("after-call.s3", after)
    try:
        yield
    finally:
        events.unregister("before-call.s3", before)
        events.unregister("after-call.s3", after)


def ended(work: Work) -> str:
    """The word of a run on itself: that all is done, that something is left, or why it failed."""
    try:
        return "done" if work.run() else "left"
    except (GatebookError, ClientError) as error:
        return type(error).__name__


def whole(work: Work) -> State:
    return state() + Counter(f"beside: {line}" for line in work.leaves())


@pytest.mark.parametrize("name", WORK)
def test_a_call_that_fails_costs_nothing_but_another_run(
    bench: Bench, hook: Hook, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, name: str
) -> None:
    work = WORK[name](monkeypatch, hook)
    bench.prepare(work)
    before = whole(work)
    bench.prepare(work)
    of_the_bucket: list[str] = []
    with bucket_watched(of_the_bucket):
        assert ended(work) == "done"
    calls = list(bench.calls)
    after = whole(work)
    assert after != before
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []

    def note(what: str, disturbed: AbstractContextManager[None], *, lasting: bool) -> None:
        bench.prepare(work)
        with disturbed:
            said = ended(work)
        outcome = judged(work, said, before, after)
        if said not in ("done", "left", Unavailable.__name__) and not lasting:
            outcome = f"an error that says that another run does not help: {said}"
        outcomes[outcome] += 1
        if outcome not in ("done", "honest", "finished"):
            wrong.append(f"{what}: {outcome}")

    for number, called in enumerate(calls):
        for fault in FAULTS:
            if fault.concerns(called) and fault.name not in work.impossible:
                disturbed = bench.spoilt(at_call(number, fault))
                note(f"call {number} ({called}), {fault.name}", disturbed, lasting=fault.lasting)
    for number, called in enumerate(of_the_bucket):
        for fault_name in OF_THE_BUCKET:
            disturbed = bucket_watched([], number, fault_name)
            note(f"call {number} of the bucket ({called}), {fault_name}", disturbed, lasting=False)
    assert wrong == []
    assert outcomes
    if request.config.option.write_figures:
        figures.write("faults", name, {"calls": len(calls) + len(of_the_bucket), **outcomes})


def judged(work: Work, said: str, before: State, after: State) -> str:
    """The outcome of a run in which a call failed: what it says, what is stored, and the work run again."""
    stored = whole(work)
    if said == "done":
        return "done" if stored == after else f"says that it is done, and it is not: {difference(stored, after)}"
    again = ended(work)
    settled = whole(work)
    if settled != after:
        return f"{said}; run again ({again}) it is not what it should be: {difference(settled, after)}"
    return "honest" if stored == before else "finished"
