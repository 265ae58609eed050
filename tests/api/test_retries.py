"""A request whose answer was lost is sent again and gives a secret that opens, and what was promised before holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.errors import Unavailable
from chalicelib.store.directory import api_keys, operations
from chalicelib.store.dynamodb import transaction
from chalicelib.store.dynamodb.tables import APIKeyItem

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, Clock, House, Reply
    from tests.transport import ObservedTransport

CheckError = Callable[["Reply"], dict[str, Any]]

ME = "/api/v2/users/me"
KEYS = f"{ME}/keys"
MINE = f"{KEYS}/tokens"
HOUR = 3_600 * 10**9
AGAIN = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


@pytest.fixture(params=[True, False], ids=["transactions", "no transactions"])
def _engines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction.TRANSACTIONS, "is_lacking", not request.param)


def opens(client: Client, token: str) -> bool:
    reply = replace(client, token=token).get(ME)
    assert reply.status in (200, 401)
    return reply.status == 200


def rotate(client: Client, key_id: str, grace: int = 0, headers: dict[str, str] | None = None) -> Reply:
    return client.post(f"{KEYS}/{key_id}/rotate", {"grace": grace}, headers=headers)


@contextmanager
def lost(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While what is written is written, and the store does not say so."""
    with monkeypatch.context() as patch:
        original = transaction.transact

        def written(*arguments: Any) -> None:
            original(*arguments)
            raise Unavailable

        patch.setattr("chalicelib.store.directory.commit.transact", written)
        yield


# A rotation.


@pytest.mark.usefixtures("_engines")
@pytest.mark.parametrize("grace", [0, HOUR])
@pytest.mark.parametrize("times_lost", [1, 3])
def test_a_token_that_lost_the_answer_to_its_own_rotation_sends_it_again(
    house: House, ann: User, monkeypatch: pytest.MonkeyPatch, grace: int, times_lost: int
) -> None:
    caller = house.client(ann, scopes=("user:read", "api_key:read", "api_key:update"))
    key_id = caller.token[:10]
    with lost(monkeypatch):
        for _ in range(times_lost):
            reply = rotate(caller, key_id, grace, AGAIN)
            assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    until = api_keys.get(key_id).previous_until  # type: ignore[union-attr]
    reply = rotate(caller, key_id, grace, AGAIN)
    assert reply.status == 201
    assert api_keys.get(key_id).previous_until == until  # type: ignore[union-attr]
    assert opens(caller, caller.token) is bool(grace)
    assert opens(caller, reply.json["key"])


@pytest.mark.parametrize("grace", [0, HOUR])
def test_what_an_owner_rotates_again_keeps_the_grace_of_the_secret_in_use(
    owner: Client, as_ann: Client, clock: Clock, grace: int
) -> None:
    key_id = as_ann.token[:10]
    first = rotate(owner, key_id, grace, AGAIN)
    clock.forward(timedelta(minutes=30))
    second = rotate(owner, key_id, grace, AGAIN)
    assert (first.status, second.status) == (201, 201)
    assert not opens(owner, first.json["key"])
    assert opens(owner, second.json["key"])
    assert opens(owner, as_ann.token) is bool(grace)
    clock.forward(timedelta(minutes=30))
    assert not opens(owner, as_ann.token)
    assert opens(owner, second.json["key"])


def test_a_retired_secret_repeats_its_rotation_and_opens_nothing_else(
    house: House, ann: User, assert_error: CheckError
) -> None:
    caller, other = house.client(ann), house.token(ann)
    key_id = caller.token[:10]
    rotate(caller, key_id, 0, AGAIN)
    refused = [
        caller.get(ME),
        caller.post(MINE, {}, headers=AGAIN),
        caller.post(KEYS, headers=AGAIN),
        caller.patch(f"{KEYS}/{key_id}", {"token_name": "x"}, headers=AGAIN),
        caller.delete(f"{KEYS}/{key_id}", headers=AGAIN),
        rotate(caller, key_id),
        rotate(caller, key_id, 0, {"Idempotency-Key": '"another"'}),
        rotate(caller, other[:10]),
        rotate(caller, other[:10], 0, {"Idempotency-Key": '"another"'}),
    ]
    for reply in refused:
        assert reply.status == 401
        assert assert_error(reply)["detail"] == "API key secret is invalid."
    assert rotate(caller, key_id, 0, AGAIN).status == 201


@pytest.mark.parametrize("grace", [0, HOUR])
def test_once_the_new_secret_is_used_the_old_one_repeats_nothing(house: House, ann: User, grace: int) -> None:
    caller = house.client(ann)
    key_id = caller.token[:10]
    new = rotate(caller, key_id, grace, AGAIN).json["key"]
    assert opens(caller, new)
    assert rotate(caller, key_id, grace, AGAIN).status == (403 if grace else 401)
    assert opens(caller, new)


def test_a_rotation_that_others_have_followed_is_not_repeated(
    owner: Client, as_ann: Client, assert_error: CheckError
) -> None:
    key_id = as_ann.token[:10]
    rotate(owner, key_id, 0, AGAIN)
    newest = rotate(owner, key_id).json["key"]
    reply = rotate(owner, key_id, 0, AGAIN)
    assert reply.status == 409
    assert "rotated or deleted since" in assert_error(reply)["message"]
    assert opens(owner, newest)
    assert owner.delete(f"{KEYS}/{key_id}").status == 204
    assert rotate(owner, key_id, 0, AGAIN).status == 404


@pytest.mark.parametrize("round_", range(12))
def test_of_two_rotations_at_once_with_one_secret_one_is_made_and_its_grace_holds(
    house: House, ann: User, clock: Clock, monkeypatch: pytest.MonkeyPatch, round_: int
) -> None:
    del round_
    caller = house.client(ann)
    caller.get(ME)
    both_have_read, original, local = threading.Barrier(2), api_keys.change, threading.local()

    def together(*arguments: Any, **guards: Any) -> None:
        if not getattr(local, "over", False):
            local.over = True
            both_have_read.wait(30)
        original(*arguments, **guards)

    monkeypatch.setattr(api_keys, "change", together)
    replies: list[Reply] = []
    threads = [
        threading.Thread(target=lambda: replies.append(rotate(caller, caller.token[:10], HOUR))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status for reply in replies) == [201, 403]
    (made,) = [reply.json["key"] for reply in replies if reply.status == 201]
    clock.forward(timedelta(hours=1) - timedelta.resolution)
    assert opens(caller, caller.token)
    assert opens(caller, made)


def test_of_two_rotations_at_once_by_others_the_second_is_refused(
    owner: Client, as_ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, pending = api_keys.change, [True]

    def overtaken(*arguments: Any, **guards: Any) -> None:
        if pending:
            pending.clear()
            assert rotate(owner, as_ann.token[:10], HOUR).status == 201
        original(*arguments, **guards)

    monkeypatch.setattr(api_keys, "change", overtaken)
    assert rotate(owner, as_ann.token[:10], HOUR).status == 409
    assert opens(owner, as_ann.token)


# A mint and a session.


@pytest.mark.usefixtures("_engines")
@pytest.mark.parametrize(("path", "body"), [(MINE, {"token_name": "ci", "scopes": ["user:read"]}), (KEYS, None)])
def test_a_mint_whose_answer_was_lost_is_sent_again(
    *, as_ann: Client, monkeypatch: pytest.MonkeyPatch, path: str, body: Any, trail: Callable[[], list[AuditLog]]
) -> None:
    with lost(monkeypatch):
        assert as_ann.post(path, body, headers=AGAIN).status == 503
    first = as_ann.post(path, body, headers=AGAIN)
    second = as_ann.post(path, body, headers=AGAIN)
    assert (first.status, second.status) == (201, 201)
    assert first.json["key"][:10] == second.json["key"][:10]
    assert not opens(as_ann, first.json["key"])
    assert opens(as_ann, second.json["key"])
    if path == MINE:
        assert [key["token_name"] for key in as_ann.get(MINE).json if key["id"] != as_ann.token[:10]] == ["ci"]
    changes = [row.action for row in trail() if row.action != "login"]
    assert changes == ["create", "write", "write"]


def test_another_key_another_token_and_another_day_are_other_operations(
    house: House, ann: User, as_ann: Client, clock: Clock
) -> None:
    def mint(client: Client, key: str) -> str:
        reply = client.post(MINE, {}, headers={"Idempotency-Key": key})
        assert reply.status == 201
        return str(reply.json["key"][:10])

    first = mint(as_ann, '"a"')
    assert mint(as_ann, '"a"') == first
    clock.forward(timedelta(hours=24) - timedelta(seconds=1))
    assert mint(as_ann, '"a"') == first
    clock.forward(timedelta(seconds=2))
    assert len({first, mint(as_ann, '"a"'), mint(as_ann, '"b"'), mint(house.client(ann), '"a"')}) == 4


def test_who_was_narrowed_meanwhile_gets_no_secret_of_what_it_minted(house: House, ann: User, owner: Client) -> None:
    caller = house.client(ann)
    assert caller.post(MINE, {}, headers=AGAIN).status == 201
    owner.patch(f"{KEYS}/{caller.token[:10]}", {"scopes": ["user:read", "api_key:*"]})
    assert caller.post(MINE, {}, headers=AGAIN).status == 403


@pytest.mark.parametrize("meanwhile", ["ended", "narrowed", "rotated", "deleted"])
@pytest.mark.parametrize(
    ("written", "method", "subpath", "body"),
    [
        ("add", "POST", "tokens", {"token_name": "new"}),
        ("add", "POST", "", None),
        ("change", "PATCH", "{other}", {"scopes": ["user:read"]}),
        ("change", "POST", "{other}/rotate", {}),
        ("change", "PUT", "{other}/expire", None),
        ("delete", "DELETE", "{other}", None),
    ],
)
def test_a_caller_whose_token_has_changed_meanwhile_changes_nothing(
    *,
    house: House,
    ann: User,
    monkeypatch: pytest.MonkeyPatch,
    written: str,
    method: str,
    subpath: str,
    body: Any,
    meanwhile: str,
) -> None:
    caller = house.client(ann)
    own, other = caller.token[:10], house.token(ann)[:10]
    before = api_keys.get(other)
    original, change, remove = getattr(api_keys, written), api_keys.change, api_keys.delete

    def overtaken(*arguments: Any, **guards: Any) -> None:
        mine = api_keys.get(own)
        if mine is not None and mine.revision == 1:
            changes = {
                "ended": {"expires_at": mine.created_at},
                "narrowed": {"scopes": ("user:read",)},
                "rotated": {"hashed_secret": b"another".ljust(32)},
            }
            remove([mine]) if meanwhile == "deleted" else change(replace(mine, **changes[meanwhile]), mine)  # type: ignore[arg-type]
        original(*arguments, **guards)

    monkeypatch.setattr(api_keys, written, overtaken)
    reply = caller.send(method, f"{KEYS}/{subpath.format(other=other)}".rstrip("/"), body)
    assert (reply.status, "changed at the same time" in reply.json["detail"]) == (503, True)
    assert api_keys.get(other) == before
    assert {key.id for key in api_keys.of_user(ann.id)} == {other} | ({own} if meanwhile != "deleted" else set())


# The key.


@pytest.mark.parametrize(
    ("key", "accepted"),
    [
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', True),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", True),
        ('"with \\"quotes\\" and \\\\"', True),
        ('" "', True),
        (f'"{"x" * 255}"', True),
        (f'"{"x" * 256}"', False),
        ("x" * 256, False),
        ("", False),
        ('""', False),
        ('"', False),
        ('"unfinished', False),
        ('"a" "b"', False),
        ('"a", "b"', False),
        ('"a\\n"', False),
        ('"ä"', False),
        ("two words", False),
        (":YWJj:", False),
        ("?1", False),
    ],
)
@pytest.mark.parametrize("path", [MINE, KEYS, f"{KEYS}/{{own}}/rotate"])
def test_a_key_is_a_string_of_structured_fields(
    *, as_ann: Client, assert_error: CheckError, path: str, key: str, accepted: bool
) -> None:
    before = api_keys.get(as_ann.token[:10])
    reply = as_ann.post(path.format(own=as_ann.token[:10]), {}, headers={"Idempotency-Key": key})
    assert reply.status == (201 if accepted else 400)
    if not accepted:
        assert assert_error(reply)["message"] == "The Idempotency-Key is malformed."
        kept = api_keys.get(as_ann.token[:10])
        assert kept is not None
        assert before is not None
        assert (kept.hashed_secret, len(as_ann.get(MINE).json)) == (before.hashed_secret, 1)


def test_a_key_that_came_with_another_request_is_refused(
    owner: Client, ann: User, house: House, assert_error: CheckError
) -> None:
    other = house.token(ann)[:10]
    theirs = f"/api/v2/users/{ann.id}/keys"
    assert owner.post(f"{theirs}/tokens", {"token_name": "ci", "lifetime": HOUR}, headers=AGAIN).status == 201
    for path, body in (
        (f"{theirs}/tokens", {"token_name": "cd", "lifetime": HOUR}),
        (f"{theirs}/tokens", {}),
        (MINE, {"token_name": "ci", "lifetime": HOUR}),
        (theirs, {"token_name": "ci", "lifetime": HOUR}),
        (f"{KEYS}/{other}/rotate", {}),
    ):
        reply = owner.post(path, body, headers=AGAIN)
        assert reply.status == 422
        assert assert_error(reply)["message"] == "The Idempotency-Key was used with another request."
    same = f"/api/v2/users/{ann.username}/keys/tokens"
    assert owner.post(same, '{ "token_name":"ci",\n"lifetime":3600000000000 }', headers=AGAIN).status == 201


def test_a_request_that_is_sent_while_the_first_is_under_way_is_refused(
    as_ann: Client, monkeypatch: pytest.MonkeyPatch, assert_error: CheckError
) -> None:
    original, pending, inner = operations.get, [True], []

    def overtaken(*arguments: Any) -> operations.Operation | None:
        outcome = original(*arguments)
        if pending:
            pending.clear()
            inner.append(as_ann.post(MINE, {"token_name": "ci"}, headers=AGAIN))
        return outcome

    monkeypatch.setattr(operations, "get", overtaken)
    reply = as_ann.post(MINE, {"token_name": "ci"}, headers=AGAIN)
    assert reply.status == 409
    assert "under way" in assert_error(reply)["message"]
    assert inner[0].status == 201
    assert opens(as_ann, inner[0].json["key"])


# Without a key.


def test_without_a_key_the_answer_says_how_to_find_out_and_recover(
    as_ann: Client, owner: Client, monkeypatch: pytest.MonkeyPatch, assert_error: CheckError
) -> None:
    with lost(monkeypatch):
        minted = as_ann.post(MINE, {"token_name": "ci"})
        rotated = rotate(as_ann, as_ann.token[:10])
    for reply, happened in ((minted, "may have been made"), (rotated, "may have a new secret")):
        error = assert_error(reply)
        assert reply.status == 503
        assert happened in error["message"]
        assert "again" not in error["message"]
        assert "Idempotency-Key" in error["detail"]
    path = minted.json["detail"].partition(" at GET ")[2].partition(":")[0]
    looked_up = owner.get(path)
    assert (looked_up.status, looked_up.json["token_name"]) == (200, "ci")
    made = owner.post(f"{KEYS}/{looked_up.json['id']}/rotate", {}).json["key"]
    assert opens(owner, made)


# What is kept.


def test_neither_the_key_nor_a_secret_is_stored(as_ann: Client, tables: Any) -> None:
    key = "a-key-of-a-client"
    secrets = [as_ann.post(MINE, {}, headers={"Idempotency-Key": f'"{key}"'}).json["key"][11:] for _ in range(2)]
    stored = repr(tables.items(APIKeyItem.Meta.table_name))
    for text in (key, *secrets, as_ann.token[11:]):
        assert text not in stored


def test_a_key_costs_one_read_more_and_a_repetition_two_beyond_that(
    as_ann: Client, transport: ObservedTransport
) -> None:
    def calls(body: dict[str, str], headers: dict[str, str] | None = None) -> list[str]:
        transport.requests.clear()
        assert as_ann.post(MINE, body, headers=headers).status == 201
        return transport.operations

    calls({"token_name": "warm"})
    without = calls({"token_name": "one"})
    first = calls({"token_name": "two"}, AGAIN)
    repetition = calls({"token_name": "two"}, AGAIN)
    assert without.count("TransactWriteItems") == first.count("TransactWriteItems") == 1
    assert sorted(first) == sorted([*without, "GetItem"])
    assert sorted(repetition) == sorted([*first, "GetItem", "GetItem"])
