"""A token says how it is used: its end draws near, it was refused, it went unused; and it may be sent in other ways."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid5

import pytest

from chalicelib import times
from chalicelib.access.secret import generate
from chalicelib.api import http
from chalicelib.logs.connection import NAMESPACE
from chalicelib.settings import Settings
from chalicelib.store.directory import api_keys
from chalicelib.store.dynamodb.tables import APIKeyItem, AuditLogItem
from tests.transport import refusal

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, Clock, House
    from tests.transport import ObservedTransport, Send

ME = "/api/v2/users/me"
KEYS = f"{ME}/keys"
DAY = timedelta(days=1)
Trail = Callable[[], list["AuditLog"]]


# The end draws near.


def test_answers_in_the_last_tenth_of_a_token_tell_its_end(house: House, ann: User, clock: Clock) -> None:
    end = clock.moment + 10 * DAY
    client = house.client(ann, expires_at=end)
    clock.forward(9 * DAY - timedelta.resolution)
    assert "coder-session-expires" not in client.get(ME).headers
    clock.forward(timedelta.resolution)
    for reply in (client.get(ME), client.get(f"{KEYS}/gbk_aaaaaa"), client.post(f"{KEYS}/tokens", {"lifetime": -1})):
        assert reply.headers["coder-session-expires"] == times.wire(end)
    clock.forward(DAY)
    assert "coder-session-expires" not in client.get(ME).headers


def test_a_secret_in_its_grace_is_told_when_that_ends(as_ann: Client, clock: Clock) -> None:
    as_ann.post(f"{KEYS}/{as_ann.token[:10]}/rotate", {"grace": 3_600 * 10**9})
    reply = as_ann.get(ME)
    assert reply.headers["coder-session-expires"] == times.wire(clock.moment + timedelta(hours=1))


def test_a_session_that_slides_tells_no_end(as_ann: Client, clock: Clock) -> None:
    session = replace(as_ann, token=as_ann.post(KEYS).json["key"])
    clock.forward(7 * DAY - timedelta(hours=1))
    assert "coder-session-expires" not in session.get(ME).headers


# Basic authentication.


@pytest.mark.parametrize("user", ["", "anybody", "ann@example.com"])
def test_the_password_of_basic_authentication_is_a_token(client: Client, as_ann: Client, user: str) -> None:
    sent = b64encode(f"{user}:{as_ann.token}".encode()).decode()
    for scheme in ("Basic", "basic"):
        assert client.get(ME, headers={"Authorization": f"{scheme} {sent}"}).status == 200


def test_what_is_no_basic_authentication_opens_nothing(client: Client, as_ann: Client) -> None:
    encoded = b64encode(as_ann.token.encode()).decode()
    for sent in ("Basic", "Basic ", "Basic !", f"Basic {encoded}", f"Basic {as_ann.token}", "Basic /w==", "Basic Og=="):
        assert client.get(ME, headers={"Authorization": sent}).status == 401


# Refused and failed uses.


def noted(trail: Trail) -> list[tuple[str, int, str]]:
    rows = [row for row in trail() if row.action == "login"]
    return [(row.user_id, row.status_code, str(row.additional_fields["reason"])) for row in rows]


NOBODY = "00000000-0000-0000-0000-000000000000"


def test_a_wrong_secret_of_a_known_token_is_noted_once_an_hour(as_ann: Client, clock: Clock, trail: Trail) -> None:
    wrong = replace(as_ann, token=generate(key_id=as_ann.token[:10]).text, source_ip="198.51.100.1")
    clock.moment = clock.moment.replace(minute=5)
    for _ in range(20):
        assert wrong.get(ME).status == 401
        clock.forward(timedelta(minutes=2))
    assert noted(trail) == [(NOBODY, 401, "API key secret is invalid.")]
    (row,) = trail()
    assert (row.ip, row.additional_fields["api_key_id"]) == ("198.51.100.1", as_ann.token[:10])
    assert wrong.token[11:] not in repr(row)
    clock.forward(timedelta(hours=1))
    assert wrong.get(ME).status == 401
    assert len(noted(trail)) == 2


def test_no_sender_of_events_takes_the_place_of_a_row_that_is_to_come(
    owner: Client, as_ann: Client, clock: Clock, trail: Trail
) -> None:
    key_id, hour = as_ann.token[:10], times.wire(clock.moment.replace(minute=0, second=0, microsecond=0))
    foreseen = uuid5(NAMESPACE, f"wrong secret of {key_id} at {hour}")
    event = {
        "id": str(foreseen),
        "time": times.wire(clock.moment),
        "user_id": NOBODY,
        "resource_type": "template",
        "resource_id": NOBODY,
        "resource_target": "rust",
        "action": "write",
        "status_code": 200,
    }
    assert owner.post("/api/v2/audit", event).json["created"] == 1
    assert replace(as_ann, token=generate(key_id=key_id).text).get(ME).status == 401
    assert noted(trail) == [(NOBODY, 401, "API key secret is invalid.")]


def test_unknown_tokens_leave_no_row(client: Client, as_ann: Client, trail: Trail) -> None:
    del as_ann
    for token in (generate().text, "nonsense", ""):
        assert replace(client, token=token).get(ME).status == 401
    assert noted(trail) == []


def test_the_refusals_of_a_wrong_secret_and_of_an_unknown_token_take_the_same_calls(
    client: Client, as_ann: Client, transport: ObservedTransport, clock: Clock
) -> None:
    wrong, unknown = generate(key_id=as_ann.token[:10]).text, generate().text
    del transport.requests[:]

    def calls(token: str) -> list[tuple[str, str]]:
        assert replace(client, token=token).get(ME).status == 401
        sent = [(operation, request["TableName"]) for operation, request in transport.requests]
        del transport.requests[:]
        return sent

    first = [calls(token) for token in (wrong, unknown)]
    later = [calls(token) for token in (wrong, unknown, generate().text)]
    clock.forward(timedelta(hours=1))
    next_hour = [calls(token) for token in (unknown, wrong)]
    assert first[0] == [("GetItem", APIKeyItem.Meta.table_name), ("PutItem", AuditLogItem.Meta.table_name)]
    assert all(sent == first[0] for sent in (*first, *later, *next_hour))


def test_a_wrong_secret_writes_nothing_that_the_holder_needs(
    client: Client, as_ann: Client, transport: ObservedTransport
) -> None:
    kept = api_keys.get(as_ann.token[:10])
    for _ in range(3):
        replace(client, token=generate(key_id=as_ann.token[:10]).text).get(ME)
    assert api_keys.get(as_ann.token[:10]) == kept
    assert {request["TableName"] for operation, request in transport.requests if operation != "GetItem"} == {
        AuditLogItem.Meta.table_name
    }


def test_a_refusal_is_answered_though_it_cannot_be_noted(
    client: Client, as_ann: Client, transport: ObservedTransport, trail: Trail
) -> None:
    def full(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "PutItem":
            raise refusal("ThrottlingException")
        return send(operation, request)

    transport.intercept(full)
    for token in (generate(key_id=as_ann.token[:10]).text, generate().text):
        assert replace(client, token=token).get(ME).status == 401
    transport.restore()
    assert noted(trail) == []


def test_a_strangers_failures_do_not_hide_what_the_holder_does(as_ann: Client, ann: User, trail: Trail) -> None:
    replace(as_ann, token=generate(key_id=as_ann.token[:10]).text).get(ME)
    assert as_ann.get("/api/v2/audit").status == 403
    assert [(user, status) for user, status, _ in noted(trail)] == [(NOBODY, 401), (ann.id, 403)]
    assert as_ann.get("/api/v2/audit").status == 403
    assert len(noted(trail)) == 2


@pytest.mark.parametrize(
    ("changes", "user", "status"),
    [
        ({"expires_at": times.EPOCH}, {}, 401),
        ({"allowed_ips": ("198.51.100.0/24",)}, {}, 403),
        ({}, {"status": "suspended"}, 401),
    ],
)
def test_a_token_that_may_not_be_used_is_noted(
    house: House,
    trail: Trail,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    user: dict[str, Any],
    status: int,
) -> None:
    monkeypatch.setattr(api_keys, "current", lambda: Settings(api_keys_retention=0))
    bea = house.user("bea", **user)
    client = house.client(bea, **changes)
    assert [client.get(ME).status for _ in range(3)] == [status] * 3
    assert [(one, code) for one, code, _ in noted(trail)] == [(bea.id, status)]


# A token that goes unused.


@pytest.fixture
def _ends_unused(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(unused_tokens_end=30 * 86_400 * 10**9)
    monkeypatch.setattr(api_keys, "current", lambda: settings)


@pytest.mark.usefixtures("_ends_unused")
def test_a_token_that_goes_unused_ends(house: House, ann: User, clock: Clock) -> None:
    used, unused = house.client(ann), house.client(ann, token_name="ci")
    for _ in range(3):
        clock.forward(15 * DAY - timedelta(hours=1))
        assert used.get(ME).status == 200
    clock.forward(timedelta(hours=3))
    assert unused.get(ME).status == 401
    assert [key["id"] for key in used.get(f"{KEYS}/tokens").json] == [used.token[:10]]
    assert used.post(f"{KEYS}/tokens", {"token_name": "ci"}).status == 201
    clock.forward(30 * DAY)
    assert used.get(ME).status == 401


def test_by_default_no_token_ends_by_going_unused(as_ann: Client, clock: Clock) -> None:
    clock.forward(400 * DAY)
    assert as_ann.get(ME).status == 200


# Behind a proxy.


def test_behind_a_trusted_proxy_the_clients_address_counts(
    house: House, ann: User, monkeypatch: pytest.MonkeyPatch, trail: Trail
) -> None:
    settings = Settings(proxy_trusted_headers=("X-Forwarded-For",), proxy_trusted_origins=("10.0.0.0/8",))
    monkeypatch.setattr(http, "current", lambda: settings)
    client = house.client(ann, allowed_ips=("203.0.113.0/24",))
    behind, direct = replace(client, source_ip="10.0.0.9"), replace(client, source_ip="198.51.100.1")
    headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
    assert behind.get(ME, headers=headers).status == 200
    assert behind.get(ME).status == 403
    assert behind.get(ME, headers={"X-Forwarded-For": "203.0.113.7, 198.51.100.1"}).status == 403
    assert direct.get(ME, headers=headers).status == 403
    assert behind.post(f"{KEYS}/tokens", {}, headers=headers).status == 201
    assert [row.ip for row in trail() if row.action == "create"] == ["203.0.113.7"]
