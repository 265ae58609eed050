"""The shelf: all of a user's secrets change under one revision, and a list reads one item."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chalicelib import times
from chalicelib.errors import StoreRefused
from chalicelib.store.directory.claims import Changed
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.packing import packed, unpacked
from chalicelib.store.dynamodb.tables import UserSecretItem
from chalicelib.store.secrets import shelf
from chalicelib.vault.secret import Secret
from tests.transport import ObservedTransport

USER = str(uuid4())
TABLE = UserSecretItem.Meta.table_name


@pytest.fixture(autouse=True)
def _on(keeps_secrets: None, transport: ObservedTransport) -> None:
    assert keeps_secrets is None
    assert transport.operations == []


def secret(name: str) -> Secret:
    return Secret(str(uuid4()), name, "", "", "", 1, times.now(), times.now())


def test_what_is_put_is_read_back_whole() -> None:
    made = Secret(str(uuid4()), "é", "for\nCI", "TOKEN", "~/x", 5, times.now(), times.now())
    shelf.put(shelf.read(USER), made, "value")
    assert shelf.read(USER).secrets == {"é": made}
    assert shelf.value_of(USER, made) == "value"


def test_a_shelf_of_before_secrets_could_be_disabled_is_read() -> None:
    made = secret("one")
    shelf.put(shelf.read(USER), made, "1")
    (item,) = (item for item in call("Scan", {"TableName": TABLE})["Items"] if item["id"]["S"] == USER)
    kept = unpacked(item)
    for fields in kept["secrets"]:
        assert fields.pop("disabled") is False
    call("PutItem", {"TableName": TABLE, "Item": {"id": item["id"], "revision": item["revision"], **packed(kept)}})
    assert shelf.read(USER).secrets == {"one": made}


def test_of_two_changes_of_one_state_the_second_fails_and_changes_nothing() -> None:
    seen = shelf.read(USER)
    one, other = secret("one"), secret("other")
    shelf.put(seen, one, "1")
    with pytest.raises(Changed):
        shelf.put(seen, other, "2")
    with pytest.raises(Changed):
        shelf.remove(replace(shelf.read(USER), revision=7), "one")
    assert shelf.read(USER).secrets == {"one": one}
    assert shelf.value_of(USER, other) is None
    assert shelf.value_of(USER, one) == "1"


def test_a_value_put_in_the_place_of_another_users_does_not_open() -> None:
    mine = secret("mine")
    shelf.put(shelf.read(USER), mine, "1")
    with pytest.raises(StoreRefused):
        shelf.value_of(str(uuid4()), mine)


def test_a_list_of_many_is_one_read_and_a_value_another(transport: ObservedTransport) -> None:
    for number in range(5):
        shelf.put(shelf.read(USER), secret(f"s{number}"), "x" * 1_000)
    transport.requests.clear()
    kept = shelf.read(USER)
    assert (len(kept.secrets), transport.operations) == (5, ["GetItem"])
    shelf.value_of(USER, kept.secrets["s1"])
    assert transport.operations == ["GetItem", "GetItem"]


def test_clearing_takes_everything_of_one_user_alone(transport: ObservedTransport) -> None:
    other = str(uuid4())
    kept = secret("kept")
    for user, made in ((USER, secret("one")), (USER, secret("two")), (other, kept)):
        shelf.put(shelf.read(user), made, "x")
    gone = [*shelf.read(USER).secrets.values()]
    shelf.clear(USER)
    assert shelf.read(USER).secrets == {}
    assert [shelf.value_of(USER, one) for one in gone] == [None, None]
    assert shelf.value_of(other, kept) == "x"
    transport.requests.clear()
    shelf.clear(USER)
    assert transport.operations == ["GetItem"]
