from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.api import rate_limits
from chalicelib.settings import current
from tests.transport import refusal

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, Clock, House, Reply
    from tests.transport import ObservedTransport, Send

CheckError = Callable[["Reply"], dict[str, Any]]
Event = Callable[..., dict[str, Any]]
CONNECTIONS = "/api/v2/connectionlog"
ME = "/api/v2/users/me"
WRONG = f"{'a' * 10}-{'b' * 22}"


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Callable[..., None]]:
    """Sets the limits, on a clock that stands still at the beginning of the next minute."""
    clock.moment = clock.moment.replace(second=0, microsecond=0) + timedelta(minutes=1)

    def change(**changes: int) -> None:
        changed = replace(current(), **changes)  # type: ignore[arg-type]
        monkeypatch.setattr(rate_limits, "current", lambda: changed)

    forget()
    yield change
    forget()


def forget() -> None:
    """As a process does that has just started."""
    rate_limits._held.clear()


def writes(transport: ObservedTransport) -> int:
    return sum(is_slice(operation, request) for operation, request in transport.requests)


def is_slice(operation: str, request: Mapping[str, Any]) -> bool:
    return operation == "UpdateItem" and request["Key"]["id"]["S"].startswith("limit#")


def test_without_a_limit_nothing_is_counted(owner: Client, client: Client, transport: ObservedTransport) -> None:
    assert owner.post(CONNECTIONS, "no event").status == 200
    assert replace(client, token=WRONG).get(ME).status == 401
    assert writes(transport) == 0


def test_a_token_sends_as_many_requests_as_it_may_and_no_more(
    owner: Client, house: House, root: User, limits: Callable[..., None], clock: Clock, assert_error: CheckError
) -> None:
    limits(ingest_requests_per_minute=20)
    other = house.client(root)
    assert [owner.post(CONNECTIONS, "no event").status for _ in range(22)] == [200] * 20 + [429] * 2
    clock.forward(timedelta(seconds=18))
    reply = owner.post("/api/v2/audit", "no event")
    assert assert_error(reply)["message"] == "Too many requests with events came with your token."
    assert (reply.status, reply.headers["retry-after"]) == (429, "42")
    assert other.post(CONNECTIONS, "no event").status == 200
    assert owner.get(CONNECTIONS).status == 200
    clock.forward(timedelta(seconds=42))
    assert owner.post(CONNECTIONS, "no event").status == 200


def test_an_event_that_was_refused_is_stored_when_it_is_sent_again(
    owner: Client, make_event: Event, limits: Callable[..., None], clock: Clock
) -> None:
    limits(ingest_requests_per_minute=1)
    assert owner.post(CONNECTIONS, make_event()).status == 200
    event = make_event()
    assert owner.post(CONNECTIONS, event).status == 429
    assert owner.get(CONNECTIONS).json["count"] == 1
    clock.forward(timedelta(minutes=1))
    assert owner.post(CONNECTIONS, event).json["created"] == 1


def test_collectors_are_limited_in_their_own_words(owner: Client, limits: Callable[..., None]) -> None:
    limits(ingest_requests_per_minute=1)
    assert owner.post("/services/collector", {"event": "no event"}).status == 200
    reply = owner.post("/services/collector", {"event": "no event"})
    assert (reply.status, reply.json["code"], "retry-after" in reply.headers) == (429, 9, True)


def test_an_address_brings_as_many_wrong_tokens_as_it_may_and_right_ones_all_the_same(
    client: Client, as_ann: Client, limits: Callable[..., None], assert_error: CheckError
) -> None:
    limits(failures_per_minute=10)
    guesser = replace(client, token=WRONG, source_ip="198.51.100.9")
    assert [guesser.get(ME).status for _ in range(12)] == [401] * 10 + [429] * 2
    assert assert_error(guesser.get(ME))["message"].startswith("Too many requests from your address")
    assert replace(guesser, source_ip="198.51.100.10").get(ME).status == 401
    assert replace(as_ann, source_ip="198.51.100.9").get(ME).status == 200
    assert replace(client, source_ip="198.51.100.9").get(ME).status == 401


def test_processes_share_a_minute_and_a_slice_takes_one_write(
    owner: Client, limits: Callable[..., None], transport: ObservedTransport
) -> None:
    limits(ingest_requests_per_minute=100)
    for _ in range(50):
        assert owner.post(CONNECTIONS, "no event").status == 200
    assert writes(transport) == 5
    forget()
    assert [owner.post(CONNECTIONS, "no event").status for _ in range(60)] == [200] * 50 + [429] * 10
    assert writes(transport) == 11


def test_a_store_that_does_not_answer_limits_nobody(
    owner: Client, limits: Callable[..., None], transport: ObservedTransport
) -> None:
    limits(ingest_requests_per_minute=1)

    def throttled(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if is_slice(operation, request):
            raise refusal("ThrottlingException", operation)
        return send(operation, request)

    transport.intercept(throttled)
    assert [owner.post(CONNECTIONS, "no event").status for _ in range(3)] == [200] * 3


def test_a_process_remembers_no_more_callers_than_it_has_room_for(
    client: Client, limits: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits(failures_per_minute=10)
    monkeypatch.setattr(rate_limits, "MOST_CALLERS", 3)
    for number in range(5):
        assert replace(client, token=WRONG, source_ip=f"198.51.100.{number}").get(ME).status == 401
    assert len(rate_limits._held) <= 3
