"""Usage events: each counted once, and sent on until they are taken or for good refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib import times
from chalicelib.dispatch import usage as publisher
from chalicelib.dispatch.usage import BATCH, NotSent, publish
from chalicelib.store.directory import active_users
from chalicelib.store.platform import usage

if TYPE_CHECKING:
    from tests.api.conftest import Client, House
    from tests.transport import ObservedTransport

EVENTS, DAILY = "/api/v2/usage/events", "/api/v2/usage/daily"
AGENTS, SEATS = "dc_managed_agents_v1", "hb_ai_seats_v1"


def event(count: int = 1, event_type: str = AGENTS, **more: Any) -> dict[str, Any]:
    moment = times.wire(times.now())
    return {"id": str(uuid4()), "event_type": event_type, "event_data": {"count": count}, "created_at": moment, **more}


def send(client: Client, *events: dict[str, Any]) -> tuple[int, int]:
    reply = client.post(EVENTS, {"events": list(events)})
    assert reply.status == 200, reply.text
    return reply.json["created"], reply.json["known"]


def daily(client: Client, **query: str) -> dict[tuple[str, str], int]:
    rows = client.get(DAILY, query=query or None).json
    return {(row["event_type"], row["day"]): row["count"] for row in rows}


def test_an_event_counts_once_however_often_it_is_sent(owner: Client) -> None:
    one, other = event(2, created_at="2026-07-08T23:59:59Z"), event(3, created_at="2026-07-08T00:00:00Z")
    assert send(owner, one, other) == (2, 0)
    assert send(owner, one, event(5, created_at="2026-07-09T00:00:00Z")) == (1, 1)
    wanted = {"from": "2026-07-01", "to": "2026-07-31"}
    assert daily(owner, **wanted) == {(AGENTS, "2026-07-08"): 5, (AGENTS, "2026-07-09"): 5}
    assert daily(owner, **{"from": "2026-07-09", "to": "2026-07-09"}) == {(AGENTS, "2026-07-09"): 5}


def test_of_heartbeats_the_largest_of_a_day_counts(owner: Client) -> None:
    beats = [event(count, SEATS, created_at="2026-07-08T12:00:00Z") for count in (4, 7, 2)]
    send(owner, *beats)
    send(owner, beats[0])
    assert daily(owner, **{"from": "2026-07-08", "to": "2026-07-08"}) == {(SEATS, "2026-07-08"): 7}


@pytest.mark.parametrize("data", [{}, {"count": 0}, {"count": "1"}, {"count": 1, "more": 2}, {"count": True}])
def test_data_that_are_not_those_of_the_type_are_refused(owner: Client, data: dict[str, Any]) -> None:
    reply = owner.post(EVENTS, {"events": [event(), event(event_data=data)]})
    assert (reply.status, reply.json["validations"][0]["field"]) == (400, "events.1.event_data")
    assert daily(owner) == {}


def test_days_that_are_none_are_refused(owner: Client) -> None:
    assert owner.get(DAILY, query={"from": "2026-07-09", "to": "2026-07-08"}).status == 400
    assert owner.get(DAILY, query={"from": "yesterday"}).status == 400
    assert owner.get(DAILY, query={"to": "0001-01-02"}).json == []
    assert owner.get(DAILY, query={"from": "2020-01-01", "to": "2026-07-08"}).status == 400


class Address:
    """Where events are sent on to."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.refusals: dict[str, bool] = {}
        self.silent: set[str] = set()
        self.is_down = False

    def __call__(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        ids = [one["id"] for one in body["events"]]
        self.sent.append(ids)
        if self.is_down:
            raise NotSent("down")
        accepted = [one for one in ids if one not in self.refusals and one not in self.silent]
        rejected = [
            {"id": one, "message": "no", "permanent": self.refusals[one]} for one in ids if one in self.refusals
        ]
        return {"accepted_events": [{"id": one} for one in accepted], "rejected_events": rejected}


def test_what_is_refused_for_now_is_sent_again_and_nothing_else(owner: Client) -> None:
    taken, temporary, permanent, silent = (event() for _ in range(4))
    send(owner, taken, temporary, permanent, silent)
    address = Address()
    address.refusals = {temporary["id"]: False, permanent["id"]: True}
    address.silent = {silent["id"]}
    now = times.now()
    assert publish(now, address) == 1
    address.refusals, address.silent = {}, set()
    assert publish(now, address) == 2
    assert {*address.sent[1]} == {temporary["id"], silent["id"]}
    assert publish(now, address) == 0
    assert len(address.sent) == 2


def test_an_address_that_is_down_gets_all_of_it_later(owner: Client) -> None:
    send(owner, event(), event())
    address = Address()
    address.is_down = True
    assert publish(times.now(), address) == 0
    address.is_down = False
    assert publish(times.now(), address) == 2


def test_batches_are_sent_oldest_first_until_there_are_no_more(owner: Client) -> None:
    now = times.now()
    events = [event(created_at=times.wire(now - timedelta(minutes=number))) for number in range(BATCH + 5)]
    send(owner, *events)
    address = Address()
    assert publish(now, address) == BATCH + 5
    assert [len(ids) for ids in address.sent] == [BATCH, 5]
    assert [one for ids in address.sent for one in ids] == [one["id"] for one in reversed(events)]


def test_an_event_of_a_month_ago_is_not_sent_on(owner: Client) -> None:
    send(owner, event(created_at=times.wire(times.now() - timedelta(days=31))))
    assert publish(times.now(), Address()) == 0


def test_an_event_that_another_process_sends_is_left_to_it_for_an_hour(owner: Client) -> None:
    send(owner, event())
    now = times.now()
    (waiting,) = usage.waiting(now, BATCH)
    assert usage.claim(waiting, now) is not None
    assert usage.claim(waiting, now) is None
    assert publish(now + timedelta(minutes=59), Address()) == 0
    assert publish(now + timedelta(minutes=61), Address()) == 1


def test_a_round_is_due_every_seventeen_minutes(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = Address()
    settings = type("Settings", (), {"usage_url": "https://usage.example.com"})()
    monkeypatch.setattr(publisher, "current", lambda: settings)
    monkeypatch.setattr(publisher, "post", address)
    now = times.now()
    send(owner, event())
    assert publisher.run(now) == 1
    send(owner, event())
    assert publisher.run(now + timedelta(minutes=16)) == 0
    assert publisher.run(now + timedelta(minutes=17)) == 1


def test_entitlements_count_the_agents_of_the_licence_that_decides(owner: Client, house: House) -> None:
    now = times.now()
    moments = {"iat": times.wire(now - timedelta(days=2)), "nbf": times.wire(now - timedelta(days=2))}
    claims = {**moments, "exp": times.wire(now + timedelta(days=300)), "features": {"managed_agent_limit_soft": 3}}
    path = f"/api/v2/licenses/{uuid4()}"
    member = house.client(house.user("carl"))
    assert member.get("/api/v2/entitlements").json["has_license"] is False
    assert owner.put(path, claims).status == 204
    assert owner.put(path, claims).status == 204
    send(owner, event(4), event(9, created_at=times.wire(now - timedelta(days=9))))
    body = member.get("/api/v2/entitlements").json
    feature = body["features"]["managed_agent_limit"]
    assert (feature["limit"], feature["actual"], feature["enabled"], len(body["warnings"])) == (3, 4, True, 1)
    assert body["features"]["audit_log"] == {"entitlement": "entitled", "enabled": True}


def test_entitlements_count_the_active_users_of_the_last_minutes(
    owner: Client, house: House, transport: ObservedTransport
) -> None:
    house.user("carl")
    house.user("gone", status="suspended")
    feature = owner.get("/api/v2/entitlements").json["features"]["user_limit"]
    assert feature == {"entitlement": "not_entitled", "enabled": False, "actual": 2}
    house.user("dora")
    transport.requests.clear()
    body = owner.get("/api/v2/entitlements").json
    assert (body["features"]["user_limit"]["actual"], "Query" in transport.operations) == (2, False)
    active_users.forget()
    assert owner.get("/api/v2/entitlements").json["features"]["user_limit"]["actual"] == 3
