"""A token is kept whole but for its secret, found by its id, and its name is its user's once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from chalicelib.store.api_keys import NameTaken, add, get
from chalicelib.store.engine import TransactionCancelled, call
from chalicelib.store.records import APIKey
from chalicelib.store.tables import APIKeyItem
from chalicelib.times import EPOCH, NEVER

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


class Sent(Protocol):
    requests: list[tuple[str, Mapping[str, Any]]]

    @property
    def operations(self) -> list[str]: ...


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
    ],
    ids=["named", "nameless", "scoped", "edges", "longest"],
)
def test_a_token_comes_back_as_it_was_added(key: APIKey) -> None:
    add(key)
    found = get(key.id)
    assert found == key
    assert found is not None
    assert isinstance(found.lifetime_seconds, int)


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
    with pytest.raises(TransactionCancelled) as caught:
        add(replace(KEY, token_name="other", scopes=("template:read",)))
    assert caught.value.failed == (0,)
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


def test_a_token_and_its_name_are_one_call_and_a_look_is_consistent(sent: Sent) -> None:
    add(KEY)
    get(KEY.id)
    assert sent.operations == ["TransactWriteItems", "GetItem"]
    assert sent.requests[1][1]["ConsistentRead"] is True
