"""Each piece of work that no request does by each call that it makes by each way in which that call may fail.

The outcomes are those of the matrix of requests: `tests/faults/test_matrix.py`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from chalicelib.api import exports
from chalicelib.errors import GatebookError, Unavailable
from chalicelib.retention import holds
from chalicelib.settings import Settings
from chalicelib.store.directory import active_users
from chalicelib.store.exports import function
from chalicelib.store.platform import presence
from scripts.deployment.handlers import HANDLERS
from scripts.docs import figures
from tests.api import test_queued_ingest
from tests.dispatch.test_sweep import MailServer
from tests.faults import schedule_work
from tests.faults import work as works
from tests.faults.faults import at_call, faults
from tests.faults.schedule_work import Addresses
from tests.faults.services import Services, service_faults
from tests.faults.stored import State, difference, state
from tests.faults.work import WORK, Work

if TYPE_CHECKING:
    from scripts.local.engine import EmbeddedEngine
    from tests.api.conftest import House
    from tests.transport import ObservedTransport, Send

pytestmark = pytest.mark.needs("transactions")
FAULTS = tuple(faults())
SLOW_SECONDS = 2.7
START = function.start
"""As it is before a test has the function started in another way."""
MAIL_ANSWERS = {
    "refused for now": b"451 later\r\n",
    "refused": b"554 no\r\n",
    "connection ended": b"",
}
"""Answers of a mail server in the place of its own; the last loses that of a letter which it has taken."""


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
    monkeypatch.setattr(function, "start", START)
    monkeypatch.setattr(exports, "current", lambda: Settings(export_function="write_export"))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return Bench(tables, house, transport)


@pytest.fixture
def addresses() -> Iterator[Addresses]:
    made = Addresses()
    yield made
    made.end()


@pytest.fixture
def services(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Services:
    assert bench
    return Services(monkeypatch)


@contextmanager
def mail_answering(server: MailServer, number: int, answer: bytes) -> Iterator[None]:
    """The mail server gives its answer of a number so."""
    server.answers[number] = answer
    try:
        yield
    finally:
        server.answers.clear()


def ended(work: Work) -> str:
    """The word of a run on itself: that all is done, that something is left, or why it failed."""
    try:
        return "done" if work.run() else "left"
    except (GatebookError, ClientError) as error:
        return type(error).__name__


def whole(work: Work) -> State:
    return state() + Counter(f"beside: {line}" for line in work.leaves())


class Disturbance(NamedTuple):
    """One way in which one call of a piece of work fails, for as long as the context lasts."""

    what: str
    context: AbstractContextManager[None]
    lasting: bool = False


class Calls(NamedTuple):
    """The calls of a piece of work that nothing disturbs: of the store, of services, and of the mail server."""

    of_store: Sequence[str]
    of_services: Sequence[str]
    of_mail: Sequence[str]


def disturbances(
    work: Work, calls: Calls, bench: Bench, services: Services, server: MailServer
) -> Iterator[Disturbance]:
    """Each call by each way in which it may fail."""
    for number, called in enumerate(calls.of_store):
        for fault in FAULTS:
            if fault.concerns(called) and fault.name not in work.impossible:
                spoilt = bench.spoilt(at_call(number, fault))
                yield Disturbance(f"call {number} ({called}), {fault.name}", spoilt, fault.lasting)
    for number, called in enumerate(calls.of_services):
        for spoiling in service_faults(called):
            what = f"call {number} of a service ({called}), {spoiling.name}"
            yield Disturbance(what, services.spoilt(number, spoiling))
    for number, verb in enumerate(calls.of_mail):
        for name, answer in MAIL_ANSWERS.items():
            # A recipient who is refused for good is not written to again: see tests/dispatch/test_sweep.py.
            if (verb, name) != ("RCPT", "refused"):
                yield Disturbance(f"{verb} of the mail server, {name}", mail_answering(server, number, answer))


@pytest.mark.parametrize("name", WORK)
def test_a_call_that_fails_costs_nothing_but_another_run(
    bench: Bench,
    addresses: Addresses,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    name: str,
) -> None:
    work = WORK[name](monkeypatch, addresses)
    bench.prepare(work)
    before = whole(work)
    bench.prepare(work)
    services.reset()
    assert ended(work) == "done"
    calls = Calls(list(bench.calls), list(services.calls), list(addresses.mail.verbs))
    assert {call.partition(" ")[0] for call in calls.of_services} == {*work.services}
    after = whole(work)
    assert after != before
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    for disturbance in disturbances(work, calls, bench, services, addresses.mail):
        bench.prepare(work)
        with disturbance.context:
            said = ended(work)
        outcome = judged(work, said, before, after)
        if said not in ("done", "left", Unavailable.__name__) and not disturbance.lasting:
            outcome = f"an error that says that another run does not help: {said}"
        outcomes[outcome] += 1
        if outcome not in ("done", "honest", "finished"):
            wrong.append(f"{disturbance.what}: {outcome}")
    assert wrong == []
    assert outcomes
    if request.config.option.write_figures:
        figures.write("faults", name, {"calls": sum(map(len, calls)), **outcomes})


class SlowStart:
    """The context of a function whose every call is slow; its time runs with the answers."""

    function_name = "write_export"

    def __init__(self, passed: list[float], seconds: float) -> None:
        self._passed, self._ends_at = passed, passed[0] + seconds

    def get_remaining_time_in_millis(self) -> float:
        return (self._ends_at - self._passed[0]) * 1_000


@pytest.mark.parametrize("name", [name for name in WORK if not name.startswith("backfill")])
def test_slow_answers_leave_no_function_without_time(
    bench: Bench, addresses: Addresses, services: Services, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    work = WORK[name](monkeypatch, addresses)
    bench.prepare(work)
    began, passed = time.monotonic(), [0.0]
    starts: list[SlowStart] = []

    def wait(seconds: float = SLOW_SECONDS) -> None:
        passed[0] += seconds
        assert not starts or starts[-1].get_remaining_time_in_millis() > 0, "the function is killed"

    def start(*_: Any, **__: Any) -> SlowStart:
        (limit,) = (handler.timeout_seconds for handler in HANDLERS if handler.name == work.function)
        starts.append(SlowStart(passed, limit))
        return starts[-1]

    def slow(send: Send, called: str, request: Mapping[str, Any]) -> dict[str, Any]:
        wait()
        return send(called, request)

    monkeypatch.setattr(time, "monotonic", lambda: began + passed[0])
    monkeypatch.setattr(time, "sleep", wait)
    for module, name_of in ((works, "Lambda"), (schedule_work, "Lambda"), (test_queued_ingest, "LambdaContext")):
        monkeypatch.setattr(module, name_of, start)
    services.delayed_by(wait)
    with bench.spoilt(slow):
        assert ended(work) == "done"
    assert starts
    assert passed[0] > SLOW_SECONDS * len(bench.calls)


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
