"""Users and organizations: names are unique, deleting is soft, and nobody's change is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chalicelib.errors import Unavailable
from chalicelib.records import Organization, User
from chalicelib.store.directory.claims import Changed, Taken
from chalicelib.store.directory.people import (
    get_organization,
    get_organizations,
    get_user,
    get_users,
    list_organizations,
    list_users,
    organization_id,
    save_organization,
    save_user,
    user_ids,
)
from chalicelib.store.dynamodb.tables import UserItem
from tests.transport import ObservedTransport, Send

pytestmark = pytest.mark.usefixtures("tables")
SECOND = timedelta(seconds=1)


@pytest.fixture
def bob(alice: User) -> User:
    return replace(
        alice, id="2b7e6c5b-4a39-4827-b615-04f3e2d1c017", username="bob", email="bob@example.com", organization_roles={}
    )


@pytest.fixture
def acme(alice: User) -> Organization:
    return Organization(
        id="9f2b7c1e-6d3c-4a7a-8a58-0e5b5a3d1c11",
        name="acme",
        display_name="Acme",
        description="",
        icon="/emojis/1f3ed.png",
        is_default=True,
        created_at=alice.created_at,
        updated_at=alice.created_at,
    )


def saved(before: User, **changes: Any) -> User:
    after = replace(before, updated_at=before.updated_at + SECOND, **changes)
    save_user(after, before)
    return after


def test_a_user_comes_back_as_saved(alice: User, bob: User) -> None:
    for user in (alice, bob):
        save_user(user, None)
        assert get_user(user.id) == get_user(user.id, consistent=True) == user


def test_an_organization_comes_back_as_saved(acme: Organization) -> None:
    save_organization(acme, None)
    assert get_organization(acme.id) == get_organization(acme.id, consistent=True) == acme
    assert organization_id("ACME") == acme.id


def test_nobody_is_found_under_an_unknown_id_or_under_the_id_of_a_claim(alice: User, acme: Organization) -> None:
    save_user(alice, None)
    save_organization(acme, None)
    assert get_user("00000000-0000-4000-8000-000000000000") is None
    assert get_user("username#alice") is None
    assert get_organization("name#acme") is None
    assert get_users(["username#alice", "email#alice@example.com"]) == {}
    assert organization_id("alice") is None


def test_users_are_found_by_name_and_address_whatever_the_case(alice: User) -> None:
    save_user(replace(alice, username="Alice", email="Alice@Example.com"), None)
    assert user_ids("username", "aLICE") == user_ids("email", "alice@example.COM") == (alice.id,)
    assert user_ids("username", "alice@example.com") == ()


@pytest.mark.parametrize(
    ("username", "email", "fields"),
    [
        ("Alice", "bob@example.com", ["username"]),
        ("bob", "ALICE@example.com", ["email"]),
        pytest.param("aLiCe", "alice@EXAMPLE.com", ["username", "email"], marks=pytest.mark.needs("transactions")),
    ],
)
def test_what_is_taken_is_named_and_nothing_is_stored(
    alice: User, bob: User, username: str, email: str, fields: list[str]
) -> None:
    save_user(alice, None)
    with pytest.raises(Taken) as caught:
        save_user(replace(bob, username=username, email=email), None)
    assert caught.value.fields == fields
    assert get_user(bob.id) is None
    assert user_ids("username", "bob") == user_ids("email", "bob@example.com") == ()


def test_the_name_of_an_organization_is_unique(acme: Organization) -> None:
    save_organization(acme, None)
    with pytest.raises(Taken) as caught:
        save_organization(replace(acme, id="00000000-0000-4000-8000-000000000000", name="Acme"), None)
    assert caught.value.fields == ["name"]


def test_a_taken_name_cannot_be_renamed_to(alice: User, bob: User) -> None:
    save_user(alice, None)
    save_user(bob, None)
    with pytest.raises(Taken) as caught:
        saved(bob, username="ALICE")
    assert caught.value.fields == ["username"]
    assert get_user(bob.id) == bob
    assert user_ids("username", "bob") == (bob.id,)


def test_a_rename_frees_the_old_name_and_nobody_is_found_by_it(alice: User, bob: User) -> None:
    save_user(alice, None)
    saved(alice, username="alicia")
    assert user_ids("username", "alice", deleted=True) == ()
    assert user_ids("username", "alicia") == (alice.id,)
    save_user(replace(bob, username="alice"), None)
    assert user_ids("username", "alice") == (bob.id,)


def test_another_case_of_the_same_name_is_no_rename(alice: User) -> None:
    save_user(alice, None)
    after = saved(alice, username="ALICE")
    assert get_user(alice.id) == after
    assert user_ids("username", "alice") == (alice.id,)


def test_a_deleted_user_is_shown_beside_old_rows_and_listed_nowhere(alice: User) -> None:
    save_user(alice, None)
    gone = saved(alice, deleted=True)
    assert get_user(alice.id) == gone
    assert get_users([alice.id]) == {alice.id: gone}
    assert list(list_users()) == []


def test_deleting_frees_the_values_and_the_user_is_findable_as_former(alice: User, bob: User) -> None:
    save_user(alice, None)
    saved(alice, deleted=True)
    assert user_ids("email", "alice@example.com") == ()
    assert user_ids("email", "Alice@example.com", deleted=True) == (alice.id,)
    save_user(replace(bob, username="alice", email="alice@example.com"), None)
    assert user_ids("email", "alice@example.com") == (bob.id,)
    assert user_ids("email", "alice@example.com", deleted=True) == (bob.id, alice.id)


def test_a_revived_user_has_the_old_values_again(alice: User) -> None:
    save_user(alice, None)
    back = saved(saved(alice, deleted=True), deleted=False)
    assert get_user(alice.id) == back
    assert user_ids("username", "alice", deleted=True) == user_ids("email", alice.email, deleted=True) == (alice.id,)
    assert list(list_users()) == [back]


def test_a_user_cannot_be_revived_under_a_name_that_another_has_now(alice: User, bob: User) -> None:
    save_user(alice, None)
    gone = saved(alice, deleted=True)
    save_user(replace(bob, username="alice"), None)
    with pytest.raises(Taken) as caught:
        saved(gone, deleted=False)
    assert caught.value.fields == ["username"]
    assert get_user(alice.id) == gone


def test_a_user_revived_under_another_address_is_not_found_by_the_one_that_was_left(alice: User) -> None:
    save_user(alice, None)
    saved(saved(alice, deleted=True), deleted=False, email="alicia@example.com")
    assert user_ids("email", "alice@example.com", deleted=True) == ()
    assert user_ids("email", "alicia@example.com", deleted=True) == (alice.id,)
    assert user_ids("username", "alice", deleted=True) == (alice.id,)


def test_a_deleted_organization_frees_its_name(acme: Organization) -> None:
    save_organization(acme, None)
    gone = replace(acme, deleted=True, updated_at=acme.updated_at + SECOND)
    save_organization(gone, acme)
    assert organization_id("acme") is None
    assert get_organizations([acme.id]) == {acme.id: gone}
    assert list(list_organizations()) == []
    save_organization(replace(acme, id="00000000-0000-4000-8000-000000000000"), None)
    assert organization_id("acme") == "00000000-0000-4000-8000-000000000000"


def test_a_change_on_a_row_that_has_changed_since_is_refused(alice: User) -> None:
    save_user(alice, None)
    first = saved(alice, name="Alice A.")
    with pytest.raises(Changed):
        save_user(replace(alice, name="Alice B.", username="alicia", updated_at=alice.updated_at + 2 * SECOND), alice)
    assert get_user(alice.id) == first
    assert user_ids("username", "alicia") == ()


def test_creating_what_is_there_already_is_refused(alice: User) -> None:
    save_user(alice, None)
    with pytest.raises(Changed):
        save_user(replace(alice, name="Other"), None)
    assert get_user(alice.id) == alice


def test_a_row_and_its_claims_are_one_call(alice: User, transport: ObservedTransport) -> None:
    save_user(alice, None)
    saved(alice, deleted=True)
    assert transport.operations == ["TransactWriteItems", "TransactWriteItems"]


def test_listings_are_by_name_whatever_the_case(alice: User, acme: Organization) -> None:
    names = ["bob", "Alice", "carol", "Dave"]
    for number, name in enumerate(names):
        row_id = str(UUID(int=number))
        save_user(replace(alice, id=row_id, username=name, email=f"{name}@example.com"), None)
        save_organization(replace(acme, id=row_id, name=name, is_default=False), None)
    assert [user.username for user in list_users()] == ["Alice", "bob", "carol", "Dave"]
    assert [organization.name for organization in list_organizations()] == ["Alice", "bob", "carol", "Dave"]


def test_a_listing_follows_the_pages_of_the_engine(alice: User, transport: ObservedTransport) -> None:
    for number in range(5):
        save_user(replace(alice, id=str(UUID(int=number)), username=f"u{number}", email=f"{number}@example.com"), None)

    def short_pages(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = send(operation, {**request, "Limit": 2})
        return answer

    transport.intercept(short_pages)
    assert [user.username for user in list_users()] == ["u0", "u1", "u2", "u3", "u4"]


def put_many(number: int, like: User) -> list[str]:
    ids = [str(UUID(int=index)) for index in range(number)]
    for index, row_id in enumerate(ids):
        save_user(replace(like, id=row_id, username=f"u{index}", email=f"{index}@example.com"), None)
    return ids


def test_users_are_read_a_hundred_at_a_time_and_each_once(alice: User, transport: ObservedTransport) -> None:
    ids = put_many(105, alice)
    transport.requests.clear()
    users = get_users([*ids, *ids, "00000000-0000-4000-8000-ffffffffffff"])
    assert set(users) == set(ids)
    assert users[ids[104]].username == "u104"
    assert transport.operations == ["BatchGetItem", "BatchGetItem"]


def test_nothing_is_asked_for_no_ids(transport: ObservedTransport) -> None:
    assert get_users([]) == {}
    assert get_organizations([]) == {}
    assert transport.operations == []


def unprocessed(transport: ObservedTransport, taken: int) -> list[int]:
    """Of every batch, let the engine read only so many rows; the lengths of the batches are noted."""
    lengths: list[int] = []
    name = UserItem.Meta.table_name

    def partly(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        assert operation == "BatchGetItem"
        keys = request["RequestItems"][name]["Keys"]
        lengths.append(len(keys))
        left = {name: {"Keys": keys[taken:]}} if keys[taken:] else {}
        if not taken:
            return {"Responses": {}, "UnprocessedKeys": left}
        answer: dict[str, Any] = send(operation, {"RequestItems": {name: {"Keys": keys[:taken]}}})
        return {**answer, "UnprocessedKeys": left}

    transport.intercept(partly)
    return lengths


def test_keys_that_the_engine_left_are_asked_for_again(alice: User, transport: ObservedTransport) -> None:
    ids = put_many(7, alice)
    lengths = unprocessed(transport, 3)
    assert set(get_users(ids)) == set(ids)
    assert lengths == [7, 4, 1]


def test_keys_that_the_engine_leaves_for_ever_are_an_answer(transport: ObservedTransport) -> None:
    lengths = unprocessed(transport, 0)
    with pytest.raises(Unavailable):
        get_users([str(UUID(int=1))])
    assert 1 < len(lengths) < 20
