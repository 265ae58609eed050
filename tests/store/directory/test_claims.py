"""A value that must be unique has one holder at a time, whatever its case, and remembers the deleted who left it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.store.directory import claims
from chalicelib.store.directory.claims import DirectoryItem, Taken, claim_id
from chalicelib.store.dynamodb.client import TransactionCancelled, call
from chalicelib.store.dynamodb.tables import OrganizationItem, UserItem
from chalicelib.store.dynamodb.transaction import Write, transact

pytestmark = pytest.mark.usefixtures("tables")
TABLES = pytest.mark.parametrize(
    ("table", "field"), [(UserItem, "username"), (UserItem, "email"), (OrganizationItem, "name")]
)


def done(*writes: Write) -> bool:
    try:
        transact(writes)
    except TransactionCancelled:
        return False
    return True


@TABLES
def test_a_value_has_one_holder(table: DirectoryItem, field: str) -> None:
    assert done(claims.hold(table, field, "alice", "1"))
    assert not done(claims.hold(table, field, "alice", "2"))
    assert claims.holders(table, field, "alice") == ("1",)


@TABLES
def test_taking_what_one_has_already_changes_nothing(table: DirectoryItem, field: str) -> None:
    assert done(claims.hold(table, field, "alice", "1"))
    assert done(claims.hold(table, field, "alice", "1"))
    assert claims.holders(table, field, "alice", former=True) == ("1",)


@pytest.mark.parametrize(("one", "other"), [("Alice", "aLICE"), ("STRASSE", "strasse"), ("ÉLAN", "élan"), ("İ", "i")])
def test_a_value_is_the_same_whatever_its_case(one: str, other: str) -> None:
    assert claim_id("username", one) == claim_id("username", other)
    assert done(claims.hold(UserItem, "username", one, "1"))
    assert not done(claims.hold(UserItem, "username", other, "2"))
    assert claims.holders(UserItem, "username", other) == ("1",)


def test_values_of_different_fields_do_not_meet() -> None:
    assert done(claims.hold(UserItem, "username", "alice", "1"), claims.hold(UserItem, "email", "alice", "2"))
    assert claims.holders(UserItem, "username", "alice") == ("1",)
    assert claims.holders(UserItem, "email", "alice") == ("2",)


def test_a_value_given_back_is_free_and_forgotten() -> None:
    done(claims.hold(UserItem, "username", "alice", "1"))
    assert done(claims.release(UserItem, "username", "alice", "1"))
    assert claims.holders(UserItem, "username", "alice", former=True) == ()
    assert done(claims.hold(UserItem, "username", "alice", "2"))


def test_a_value_that_was_left_is_free_and_remembers_who_left_it() -> None:
    for holder in ("2", "1"):
        assert done(claims.hold(UserItem, "email", "a@example.com", holder))
        assert done(claims.leave(UserItem, "email", "a@example.com", holder))
    assert done(claims.hold(UserItem, "email", "a@example.com", "3"))
    assert claims.holders(UserItem, "email", "a@example.com") == ("3",)
    assert claims.holders(UserItem, "email", "a@example.com", former=True) == ("3", "1", "2")


def test_who_takes_a_value_again_is_its_former_holder_no_longer() -> None:
    done(claims.hold(UserItem, "email", "a@example.com", "1"))
    done(claims.leave(UserItem, "email", "a@example.com", "1"))
    assert done(claims.hold(UserItem, "email", "a@example.com", "1"))
    assert claims.holders(UserItem, "email", "a@example.com", former=True) == ("1",)


def test_who_left_a_value_can_be_forgotten() -> None:
    for holder in ("1", "2"):
        done(claims.hold(UserItem, "email", "a@example.com", holder))
        done(claims.leave(UserItem, "email", "a@example.com", holder))
    assert done(claims.forget(UserItem, "email", "a@example.com", "1"))
    assert claims.holders(UserItem, "email", "a@example.com", former=True) == ("2",)


@pytest.mark.parametrize("write", [claims.release, claims.leave])
def test_only_the_holder_gives_a_value_back(write: Callable[[DirectoryItem, str, str, str], Write]) -> None:
    done(claims.hold(UserItem, "username", "alice", "1"))
    assert not done(write(UserItem, "username", "alice", "2"))
    assert claims.holders(UserItem, "username", "alice", former=True) == ("1",)


def test_nobody_holds_what_was_never_taken() -> None:
    assert claims.holders(UserItem, "username", "nobody", former=True) == ()


def test_a_value_too_long_for_a_key_has_no_holder() -> None:
    assert claims.holders(UserItem, "email", "é" * 1_000, former=True) == ()


def test_a_claim_is_no_row() -> None:
    done(claims.hold(UserItem, "username", "alice", "1"))
    item = call("Scan", {"TableName": UserItem.Meta.table_name})["Items"]
    assert item == [{"id": {"S": "username#alice"}, "holder": {"S": "1"}}]


def test_the_error_names_the_fields() -> None:
    error = Taken(["username", "email"])
    assert (error.fields, str(error)) == (["username", "email"], "taken: username, email")
