"""Rejected events are counted by the hour: what is wrong for good, once, and shown to owners and auditors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib import times
from chalicelib.store.dynamodb.tables import ConnectionLogItem, RetentionItem
from tests.transport import refusal

if TYPE_CHECKING:
    from tests.api.conftest import Client, Clock
    from tests.transport import ObservedTransport, Send

PATH = "/api/v2/rejections"
LOG = "/api/v2/connectionlog"
HOUR = timedelta(hours=1)
Event = Callable[..., dict[str, Any]]


@pytest.fixture
def noon(clock: Clock) -> datetime:
    clock.moment = datetime(2026, 5, 10, 12, 34, 56, tzinfo=UTC)
    return datetime(2026, 5, 10, 12, tzinfo=UTC)


def counted(owner: Client) -> dict[str, int]:
    reply = owner.get(PATH)
    assert reply.status == 200
    return {hour["hour"]: hour["events"] for hour in reply.json["hours"]}


def wrong(make_event: Event, number: int = 1) -> list[dict[str, Any]]:
    return [make_event(time="never") for _ in range(number)]


def test_rejected_events_are_counted_by_the_hour(
    owner: Client, make_event: Event, clock: Clock, noon: datetime
) -> None:
    right = {"time": times.wire(noon)}
    assert counted(owner) == {}
    assert owner.post(LOG, [*wrong(make_event, 2), make_event(**right)]).json["rejected"] == 2
    assert owner.post("/api/v2/audit", {"resource_type": "user"}).json["rejected"] == 1
    clock.forward(HOUR)
    assert owner.post(LOG, wrong(make_event, 4)).json["rejected"] == 4
    assert owner.post(LOG, make_event(**right)).status == 200
    assert counted(owner) == {times.wire(noon): 3, times.wire(noon + HOUR): 4}


def test_a_request_without_a_rejected_event_counts_nothing_and_costs_no_call(
    owner: Client, make_event: Event, noon: datetime, transport: ObservedTransport
) -> None:
    assert owner.post(LOG, make_event(time=times.wire(noon))).status == 200
    # The first request of a process reads the state of retention, and others go by that for a while.
    del transport.requests[:]
    assert owner.post(LOG, make_event(time=times.wire(noon))).status == 200
    assert RetentionItem.Meta.table_name not in {request.get("TableName") for _, request in transport.requests}


def test_nine_days_are_shown_and_sixteen_items_are_all_there_are(
    owner: Client, make_event: Event, clock: Clock, noon: datetime, transport: ObservedTransport
) -> None:
    for _ in range(40):
        assert owner.post(LOG, wrong(make_event)).status == 200
        clock.forward(24 * HOUR)
    by_hour = counted(owner)
    assert by_hour == {times.wire(noon + day * 24 * HOUR): 1 for day in range(32, 40)}
    written = {
        request["Item"]["id"]["S"] for operation, request in transport.requests if _begins_a_day(operation, request)
    }
    assert len(written) == 16


def _begins_a_day(operation: str, request: Mapping[str, Any]) -> bool:
    return operation == "PutItem" and request["TableName"] == RetentionItem.Meta.table_name


def test_a_request_that_is_to_be_sent_again_is_counted_when_it_is_done(
    owner: Client, make_event: Event, noon: datetime, transport: ObservedTransport
) -> None:
    def full(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "PutItem" and request["TableName"] == ConnectionLogItem.Meta.table_name:
            raise refusal("ThrottlingException")
        return send(operation, request)

    sent = [*wrong(make_event), make_event(time=times.wire(noon))]
    transport.intercept(full)
    assert owner.post(LOG, sent).status == 503
    transport.restore()
    assert counted(owner) == {}
    assert owner.post(LOG, sent).status == 200
    assert counted(owner) == {times.wire(noon): 1}


def test_the_lines_that_were_taken_of_too_many_are_counted(
    owner: Client, make_event: Event, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.models.sent.MAX_EVENTS", 2)
    assert owner.post(LOG, wrong(make_event, 3)).status == 503
    assert counted(owner) == {times.wire(noon): 2}


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError"])
def test_the_answer_does_not_depend_on_the_counter(
    owner: Client, make_event: Event, noon: datetime, transport: ObservedTransport, code: str
) -> None:
    def away(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "UpdateItem" and request["TableName"] == RetentionItem.Meta.table_name:
            raise refusal(code)
        return send(operation, request)

    transport.intercept(away)
    assert owner.post(LOG, wrong(make_event)).json["rejected"] == 1
    transport.restore()
    assert counted(owner) == {}
    assert noon


def test_of_two_writers_that_begin_a_day_at_once_both_count(
    owner: Client, make_event: Event, noon: datetime, transport: ObservedTransport
) -> None:
    def overtaken(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if _begins_a_day(operation, request):
            transport.restore()
            assert owner.post(LOG, wrong(make_event, 5)).status == 200
        return send(operation, request)

    transport.intercept(overtaken)
    assert owner.post(LOG, wrong(make_event, 2)).status == 200
    assert counted(owner) == {times.wire(noon): 7}
