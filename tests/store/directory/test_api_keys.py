"""A token is kept whole but for its secret, found by its id, and its name is its user's once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import times
from chalicelib.errors import Unavailable
from chalicelib.records import APIKey
from chalicelib.store.directory import api_keys
from chalicelib.store.directory.api_keys import add, change, delete, get, get_by_name, list_all, of_user, touch
from chalicelib.store.directory.claims import Changed
from chalicelib.store.directory.token_names import NameTaken
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.tables import APIKeyItem
from chalicelib.times import EPOCH, NEVER
from tests.transport import ObservedTransport

pytestmark = pytest.mark.usefixtures("tables")
BORN = datetime(2025, 7, 10, 10, 14, 38, 942776, tzinfo=UTC)
SECRET = "abcdefghijklmnopqrstuv"
KEY = APIKey(
    id="WuoWs4ZsMX",
    hashed_secret=hashlib.sha256(SECRET.encode()).digest(),
    user_id="1d7e6c5b-4a39-4827-b615-04f3e2d1c016",
    login_type="token",
    token_name="ci",
    scopes=("coder:all",),
    allow_list=("*:*",),
    created_at=BORN,
    updated_at=BORN,
    expires_at=BORN + timedelta(days=7),
    last_used=EPOCH,
    lifetime_seconds=7 * 24 * 3_600,
)


@pytest.fixture(autouse=True)
def _soon_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands where none of the tokens has been expired for long enough to be gone."""
    monkeypatch.setattr(times, "now", lambda: BORN + timedelta(days=6))


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        replace(KEY, token_name=""),
        replace(KEY, scopes=("template:read", "workspace:*"), allow_list=()),
        replace(
            KEY, hashed_secret=bytes(range(256))[:32], last_used=NEVER, expires_at=datetime(9999, 1, 1, tzinfo=UTC)
        ),
        replace(KEY, lifetime_seconds=876_600 * 3_600),
        replace(KEY, allowed_ips=("203.0.113.0/24", "2001:db8::/32")),
        replace(KEY, previous_secret=bytes(range(32)), previous_until=BORN + timedelta(hours=1)),
        replace(KEY, login_type="password", token_name=""),
    ],
    ids=["named", "nameless", "scoped", "edges", "longest", "networks", "rotated", "session"],
)
def test_a_token_comes_back_as_it_was_added(key: APIKey) -> None:
    add(key)
    stored = get(key.id)
    assert stored == key
    assert stored is not None
    assert isinstance(stored.lifetime_seconds, int)
    assert isinstance(stored.revision, int)


def test_a_name_is_taken_once_for_a_user() -> None:
    add(KEY)
    with pytest.raises(NameTaken):
        add(replace(KEY, id="0000000001"))
    assert get("0000000001") is None
    assert get(KEY.id) == KEY


def test_another_user_may_use_the_name_and_any_user_many_tokens_without_one() -> None:
    keys = [
        KEY,
        replace(KEY, id="0000000001", user_id="2b7e6c5b-4a39-4827-b615-04f3e2d1c017"),
        replace(KEY, id="0000000002", token_name="CI"),
        replace(KEY, id="0000000003", token_name=""),
        replace(KEY, id="0000000004", token_name=""),
    ]
    for key in keys:
        add(key)
    assert [get(key.id) for key in keys] == keys


def test_a_token_is_never_overwritten() -> None:
    add(KEY)
    with pytest.raises(Changed):
        add(replace(KEY, token_name="other", scopes=("template:read",)))
    assert get(KEY.id) == KEY
    add(replace(KEY, id="0000000001", token_name="other"))


def test_there_is_no_token_under_an_unknown_id_or_under_that_of_a_claim() -> None:
    add(KEY)
    assert get("0000000000") is None
    assert get(f"name#{KEY.user_id}#{KEY.token_name}") is None


def test_the_secret_is_neither_stored_nor_shown() -> None:
    add(KEY)
    items = call("Scan", {"TableName": APIKeyItem.Meta.table_name})["Items"]
    row = next(item for item in items if "hashed_secret" in item)
    assert row["hashed_secret"] == {"B": hashlib.sha256(SECRET.encode()).digest()}
    assert SECRET not in repr(items)
    assert "hashed_secret" not in repr(KEY)
    assert repr(KEY.hashed_secret) not in repr(KEY)


def test_a_token_and_its_name_are_one_call_and_a_look_is_consistent(transport: ObservedTransport) -> None:
    add(KEY)
    get(KEY.id)
    assert transport.operations == ["TransactWriteItems", "GetItem"]
    assert transport.requests[1][1]["ConsistentRead"] is True


USER = KEY.user_id
OTHER = "2b7e6c5b-4a39-4827-b615-04f3e2d1c017"


def aged(number: int, **changes: Any) -> APIKey:
    """A token made so many minutes after the first one."""
    made = replace(KEY, id=f"000000000{number}", token_name=f"n{number}", created_at=BORN + timedelta(minutes=number))
    return replace(made, **changes)


def items() -> dict[str, Any]:
    """The tokens and the claims on names, by key."""
    stored = call("Scan", {"TableName": APIKeyItem.Meta.table_name})["Items"]
    return {item["id"]["S"]: item for item in stored if not item["id"]["S"].startswith("tokens#")}


def test_a_token_is_found_by_the_name_its_user_gave_it() -> None:
    keys = [KEY, aged(1, user_id=OTHER, token_name="ci"), aged(2, expires_at=BORN), aged(3, token_name="")]
    for key in keys:
        add(key)
    assert get_by_name(USER, "ci") == KEY
    assert get_by_name(OTHER, "ci") == keys[1]
    assert get_by_name(USER, "n2") == keys[2]
    for name in ("CI", "n1", "", "ci ", "x" * 5_000):
        assert get_by_name(USER, name) is None


def test_a_change_replaces_the_token_and_counts() -> None:
    add(KEY)
    change(replace(KEY, scopes=("user:read",)), KEY)
    after = replace(KEY, scopes=("user:read",), revision=2)
    assert get(KEY.id) == after
    assert get_by_name(USER, "ci") == after
    assert list(of_user(USER)) == list(list_all()) == [after]


def test_of_two_changes_at_once_the_second_is_refused() -> None:
    add(KEY)
    change(replace(KEY, scopes=("user:read",)), KEY)
    with pytest.raises(Changed):
        change(replace(KEY, allowed_ips=("10.0.0.0/8",)), KEY)
    with pytest.raises(Changed):
        delete([KEY])
    stored = get(KEY.id)
    assert stored is not None
    assert (stored.scopes, stored.allowed_ips) == (("user:read",), ())


@pytest.mark.parametrize("name", ["ci", "other", ""])
def test_what_is_gone_is_not_changed_back_into_being(name: str) -> None:
    add(KEY)
    delete([KEY])
    with pytest.raises(Changed):
        change(replace(KEY, token_name=name, scopes=("user:read",)), KEY)
    assert items() == {}


def test_a_rename_moves_the_claim() -> None:
    add(KEY)
    change(replace(KEY, token_name="deploy"), KEY)
    assert get_by_name(USER, "ci") is None
    renamed = get_by_name(USER, "deploy")
    assert renamed == replace(KEY, token_name="deploy", revision=2)
    add(aged(1, token_name="ci"))
    assert set(items()) == {KEY.id, "0000000001", f"name#{USER}#ci", f"name#{USER}#deploy"}


def test_a_rename_to_a_name_that_is_taken_changes_nothing() -> None:
    add(KEY)
    add(aged(1))
    before = items()
    with pytest.raises(NameTaken):
        change(replace(KEY, token_name="n1", scopes=("user:read",)), KEY)
    assert items() == before


def test_deleted_tokens_leave_nothing_and_their_names_are_free() -> None:
    keys = [KEY, aged(1), aged(2, token_name=""), aged(3, login_type="password", token_name="")]
    for key in (*keys, aged(4)):
        add(key)
    delete(keys)
    assert set(items()) == {aged(4).id, f"name#{USER}#n4"}
    add(aged(5, token_name="ci"))


def test_tokens_are_deleted_all_or_none() -> None:
    add(KEY)
    add(aged(1))
    before = items()
    with pytest.raises(Changed):
        delete([KEY, replace(aged(1), revision=7)])
    assert items() == before


def test_tokens_are_listed_oldest_first_without_session_keys_and_claims() -> None:
    session = aged(2, login_type="password", token_name="")
    twin = aged(5, created_at=aged(4).created_at)
    keys = [aged(1), aged(3, expires_at=BORN), aged(4), twin, aged(6, token_name="")]
    stranger = aged(7, user_id=OTHER)
    for key in (stranger, *reversed(keys), session):
        add(key)
    assert list(of_user(USER)) == keys
    assert list(of_user(OTHER)) == [stranger]
    assert list(of_user("nobody")) == []
    assert list(list_all()) == [*keys, stranger]
    for place, key in enumerate(keys):
        assert list(of_user(USER, key)) == keys[place + 1 :]
        assert list(list_all(key)) == [*keys[place + 1 :], stranger]
    assert list(of_user(USER, session)) == keys[1:]


def test_a_listing_goes_on_where_the_store_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [aged(number) for number in range(5)]
    for key in keys:
        add(key)

    def short(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        return call(operation, {**request, "Limit": 2} if operation == "Query" else request)

    monkeypatch.setattr(api_keys, "call", short)
    assert list(of_user(USER)) == keys
    assert list(list_all(keys[0])) == keys[1:]


def test_a_key_longer_than_the_store_takes_is_not_looked_for(transport: ObservedTransport) -> None:
    assert get("x" * 2_049) is None
    assert get_by_name(USER, "é" * 1_100) is None
    assert transport.operations == []


NOW = BORN + timedelta(hours=2)
LATER = BORN + timedelta(days=9)


def test_a_use_is_noted_by_one_write_that_changes_nothing_else(transport: ObservedTransport) -> None:
    add(KEY)
    touch(KEY, NOW, LATER)
    assert transport.operations == ["TransactWriteItems", "UpdateItem"]
    assert get(KEY.id) == replace(KEY, last_used=NOW, expires_at=LATER)


@pytest.mark.parametrize(
    "meanwhile", [{"last_used": NOW}, {"expires_at": BORN}], ids=["noted by another request", "ended"]
)
def test_a_note_never_undoes_what_happened_meanwhile(meanwhile: dict[str, Any]) -> None:
    add(KEY)
    change(replace(KEY, **meanwhile), KEY)
    touch(KEY, NOW + timedelta(minutes=1), LATER)
    assert get(KEY.id) == replace(KEY, **meanwhile, revision=2)


def test_a_note_never_makes_a_deleted_token() -> None:
    touch(KEY, NOW, LATER)
    assert items() == {}


def test_a_note_does_not_stand_in_the_way_of_a_change() -> None:
    add(KEY)
    touch(KEY, NOW, KEY.expires_at)
    change(replace(KEY, scopes=("user:read",)), KEY)
    stored = get(KEY.id)
    assert stored is not None
    assert stored.scopes == ("user:read",)


def test_a_store_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_operation: str, _request: Mapping[str, Any]) -> dict[str, Any]:
        raise Unavailable

    monkeypatch.setattr(api_keys, "call", fail)
    with pytest.raises(Unavailable):
        touch(KEY, NOW, LATER)
    with pytest.raises(Unavailable):
        get(KEY.id)
