"""Use is noted at most once an hour and never decides an answer; who is locked out is so on the very next request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib import times
from chalicelib.access.secret import generate
from chalicelib.api import usage
from chalicelib.errors import Unavailable
from chalicelib.settings import current
from chalicelib.store.directory import api_keys, people
from chalicelib.store.dynamodb import client, transaction

if TYPE_CHECKING:
    from chalicelib.records import APIKey, AuditLog, User
    from tests.api.conftest import Client, Clock, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

ME = "/api/v2/users/me"
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
WRITES = ["GetItem", "GetItem", "UpdateItem", "UpdateItem"]


def kept(client: Client) -> APIKey:
    key = api_keys.get(client.token[:10])
    assert key is not None
    return key


def user_of(client: Client) -> User:
    user = people.get_user(kept(client).user_id, consistent=True)
    assert user is not None
    return user


def test_a_use_is_noted_at_once_and_then_after_more_than_an_hour(as_ann: Client, clock: Clock) -> None:
    noted = []
    for pause in (timedelta(0), timedelta(minutes=1), timedelta(minutes=59), MICROSECOND, HOUR, MICROSECOND):
        clock.forward(pause)
        assert as_ann.get(ME).status == 200
        noted.append(kept(as_ann).last_used == clock.moment)
        assert user_of(as_ann).last_seen_at == kept(as_ann).last_used
    assert noted == [True, False, False, True, False, True]


def test_the_note_leaves_the_rest_as_it_was(as_ann: Client, clock: Clock) -> None:
    key, user = kept(as_ann), user_of(as_ann)
    clock.forward(HOUR)
    as_ann.get(ME)
    assert kept(as_ann) == replace(key, last_used=clock.moment)
    assert user_of(as_ann) == replace(user, last_seen_at=clock.moment)
    assert as_ann.get(f"{ME}/keys/{key.id}").json["last_used"] == times.wire(clock.moment)
    assert as_ann.get(ME).json["last_seen_at"] == times.wire(clock.moment)


def test_a_token_in_use_takes_two_calls_to_the_store(as_ann: Client, clock: Clock, store_calls: list[str]) -> None:
    stored = []
    for pause in (timedelta(0), timedelta(0), timedelta(minutes=59), HOUR, timedelta(0)):
        clock.forward(pause)
        store_calls.clear()
        assert as_ann.get(ME).status == 200
        stored.append(list(store_calls))
    assert stored == [WRITES, WRITES[:2], WRITES[:2], WRITES, WRITES[:2]]


def test_another_token_of_the_same_user_writes_the_token_alone(
    house: House, ann: User, as_ann: Client, clock: Clock, store_calls: list[str]
) -> None:
    as_ann.get(ME)
    clock.forward(timedelta(minutes=1))
    other = house.client(ann)
    store_calls.clear()
    assert other.get(ME).status == 200
    assert store_calls == ["GetItem", "GetItem", "UpdateItem"]


@pytest.mark.parametrize("what", ["unknown", "wrong", "expired"])
def test_refusing_takes_one_call_and_notes_nothing(
    house: House, ann: User, as_ann: Client, store_calls: list[str], what: str
) -> None:
    expired = house.token(ann, expires_at=times.now() - HOUR)
    token = {
        "unknown": generate().text,
        "wrong": generate(key_id=as_ann.token[:10]).text,
        "expired": expired,
    }[what]
    store_calls.clear()
    assert replace(as_ann, token=token).get(ME).status == 401
    assert store_calls == ["GetItem"]
    assert kept(as_ann).last_used == times.EPOCH


def test_a_use_from_elsewhere_is_no_use(house: House, ann: User) -> None:
    caller = house.client(ann, allowed_ips=("203.0.113.0/24",))
    assert caller.get(ME).status == 403
    assert kept(caller).last_used == times.EPOCH
    assert user_of(caller).last_seen_at == times.NEVER


# Sliding.


@pytest.mark.parametrize(("login_type", "slides"), [("password", True), ("token", False), ("oidc", True)])
def test_the_end_moves_with_use_for_sessions_alone(
    house: House, ann: User, clock: Clock, login_type: str, slides: bool
) -> None:
    end = clock.moment + timedelta(days=7)
    caller = house.client(ann, login_type=login_type, expires_at=end)
    clock.forward(timedelta(days=1))
    assert caller.get(ME).status == 200
    assert kept(caller).expires_at == (clock.moment + timedelta(days=7) if slides else end)


@pytest.mark.parametrize(("gone", "moved"), [(HOUR - MICROSECOND, False), (HOUR, True), (HOUR + MICROSECOND, True)])
def test_the_end_moves_once_an_hour_of_it_is_gone(
    house: House, ann: User, clock: Clock, gone: timedelta, moved: bool
) -> None:
    end = clock.moment + timedelta(days=7)
    caller = house.client(ann, login_type="password", expires_at=end)
    clock.forward(gone)
    assert caller.get(ME).status == 200
    assert (kept(caller).expires_at != end) is moved


def test_a_deployment_may_let_sessions_end_when_they_were_to(
    house: House, ann: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed = replace(current(), disable_session_expiry_refresh=True)
    monkeypatch.setattr(usage, "current", lambda: fixed)
    end = clock.moment + timedelta(days=7)
    caller = house.client(ann, login_type="password", expires_at=end)
    clock.forward(timedelta(days=1))
    assert caller.get(ME).status == 200
    assert (kept(caller).expires_at, kept(caller).last_used) == (end, clock.moment)


# A note that fails.


def answers(house: House, client: Client) -> list[tuple[int, str]]:
    assert house
    replies = [client.get(ME), client.get(f"{ME}/organizations"), client.get("/api/v2/users"), client.logs()]
    return [(reply.status, reply.text) for reply in replies]


@pytest.mark.parametrize("module", [api_keys, people], ids=["of the token", "of the user"])
def test_a_note_that_fails_changes_no_answer(
    house: House,
    ann: User,
    module: Any,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = answers(house, house.client(ann))
    clock.forward(timedelta(hours=2))
    caller = house.client(ann)
    original: Callable[..., dict[str, Any]] = module.call

    def failing(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "UpdateItem":
            raise Unavailable
        return original(operation, request)

    with monkeypatch.context() as patched:
        patched.setattr(module, "call", failing)
        answered = answers(house, caller)
    assert [status for status, _ in answered] == [200] * 4
    assert answered[1:] == seen[1:] or module is people
    assert "The use of a token could not be noted" in caplog.text
    # The next request tries again.
    assert caller.get(ME).status == 200
    assert kept(caller).last_used == clock.moment
    assert user_of(caller).last_seen_at == clock.moment


def test_of_two_first_uses_at_once_one_is_noted_and_both_are_answered(
    as_ann: Client, ann: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ann.username == "ann"
    original = api_keys.touch

    def overtaken(key: APIKey, *arguments: Any) -> None:
        original(key, *arguments)
        clock.forward(MICROSECOND)
        original(key, clock.moment, key.expires_at)

    monkeypatch.setattr(api_keys, "touch", overtaken)
    before = clock.moment
    assert as_ann.get(ME).status == 200
    assert kept(as_ann).last_used == before


# Who is let in.


def test_a_dormant_user_wakes_by_using_a_token_and_is_told_so_once(
    house: House, clock: Clock, trail: Callable[[], list[AuditLog]]
) -> None:
    dora = house.user("dora", status="dormant", last_seen_at=clock.moment)
    caller = house.client(dora)
    assert caller.get(ME).status == 200
    assert user_of(caller).status == "active"
    assert caller.get(ME).json["status"] == "active"
    (row,) = trail()
    assert (row.resource_type, row.action, row.resource_id, row.resource_target) == ("user", "write", dora.id, "dora")
    assert row.diff == {"status": {"old": "dormant", "new": "active", "secret": False}}
    assert row.additional_fields == {
        "gatebook": True,
        "automatic_actor": "coder",
        "automatic_subsystem": "dormancy",
    }


def test_nobody_wakes_without_a_row(
    house: House, monkeypatch: pytest.MonkeyPatch, trail: Callable[[], list[AuditLog]]
) -> None:
    caller = house.client(house.user("dora", status="dormant"))
    original = client.call

    def failing(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            raise Unavailable
        answer: dict[str, Any] = original(operation, request)
        return answer

    with monkeypatch.context() as broken:
        broken.setattr(transaction, "call", failing)
        assert caller.get(ME).status == 200
    assert (user_of(caller).status, trail()) == ("dormant", [])
    assert caller.get(ME).status == 200
    assert (user_of(caller).status, len(trail())) == ("active", 1)


@pytest.mark.parametrize("refused", ["wrong secret", "expired", "elsewhere"])
def test_a_dormant_user_sleeps_on_when_the_token_opens_nothing(house: House, refused: str) -> None:
    dora = house.user("dora", status="dormant")
    held: dict[str, dict[str, Any]] = {
        "wrong secret": {},
        "expired": {"expires_at": times.now() - HOUR},
        "elsewhere": {"allowed_ips": ("203.0.113.0/24",)},
    }
    caller = house.client(dora, **held[refused])
    token = generate(key_id=caller.token[:10]).text if refused == "wrong secret" else caller.token
    assert replace(caller, token=token).get(ME).status in (401, 403)
    assert user_of(caller).status == "dormant"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "suspended"}, 'User is not active (status = "suspended").'),
        ({"deleted": True}, "You are signed out or your session has expired."),
    ],
)
@pytest.mark.parametrize("used", [False, True])
def test_a_suspended_or_deleted_user_is_locked_out_on_the_very_next_request(
    *,
    house: House,
    owner: Client,
    ann: User,
    as_ann: Client,
    assert_error: CheckError,
    change: dict[str, Any],
    words: str,
    used: bool,
) -> None:
    session = house.client(ann, login_type="password")
    if used:
        assert as_ann.get(ME).status == session.get(ME).status == 200
    if "status" in change:
        body = {"username": "ann", "email": "ann@example.com", **change}
        assert owner.put(f"/api/v2/users/{ann.id}", body).status == 200
    else:
        assert owner.delete(f"/api/v2/users/{ann.id}").status == 200
    for caller in (as_ann, session):
        for reply in (caller.get(ME), caller.post(f"{ME}/keys/tokens", {}), caller.post(f"{ME}/keys")):
            assert reply.status == 401
            assert assert_error(reply)["message"].startswith(words)


def test_a_suspended_user_is_not_woken_by_a_request_under_way(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora = house.user("dora", status="dormant")
    caller, original = house.client(dora), people.touch_user
    clock.forward(HOUR)

    def late(user: User, *arguments: Any) -> None:
        people.save_user(replace(user, status="suspended", updated_at=clock.moment), user)
        original(user, *arguments)

    monkeypatch.setattr(people, "touch_user", late)
    assert caller.get(ME).status == 200
    assert user_of(caller).status == "suspended"
    assert caller.get(ME).status == 401


def test_the_tokens_of_one_who_comes_back_stay_shut(house: House, owner: Client, ann: User, as_ann: Client) -> None:
    assert house
    owner.delete(f"/api/v2/users/{ann.id}")
    body = {"username": "ann", "email": "ann@example.com"}
    assert owner.put(f"/api/v2/users/{ann.id}", body).status == 201
    assert as_ann.get(ME).status == 401
