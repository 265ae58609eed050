"""The default organization: one at most, named by the platform, and known to clients as `default`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from chalicelib import times
from chalicelib.records import AuditLog, Organization
from chalicelib.store.directory import people
from tests.api.conftest import Client, House, Reply

CheckError = Callable[[Reply], dict[str, Any]]

ALL = "/api/v2/organizations"
NIL = "00000000-0000-0000-0000-000000000000"


def of(row: Organization) -> str:
    return f"{ALL}/{row.id}"


def defaults(owner: Client) -> list[str]:
    return [row["name"] for row in owner.get(ALL).json if row["is_default"]]


def test_the_platform_says_which_it_is_in_any_order_and_any_number_of_times(owner: Client) -> None:
    first = f"{ALL}/{uuid4()}"
    made = owner.put(first, {"name": "acme", "is_default": True})
    assert (made.status, made.json["is_default"]) == (201, True)
    assert owner.put(first, {"name": "acme", "is_default": True}).json == made.json
    assert owner.put(first, {"name": "acme"}).json == made.json
    assert defaults(owner) == ["acme"]


def test_another_one_takes_its_place_and_the_trail_has_both(
    owner: Client, house: House, trail: Callable[[], list[AuditLog]]
) -> None:
    house.organization("gatebook", is_default=True)
    later = house.organization("coder")
    assert owner.put(of(later), {"name": "coder", "is_default": True}).json["is_default"]
    assert defaults(owner) == ["coder"]
    changed = {row.resource_target: row.diff["is_default"] for row in trail() if row.resource_type == "organization"}
    assert {name: (diff["old"], diff["new"]) for name, diff in changed.items()} == {
        "gatebook": (True, False),
        "coder": (False, True),
    }


def test_it_may_be_none(owner: Client, house: House, assert_error: CheckError) -> None:
    row = house.organization(is_default=True)
    assert owner.put(of(row), {"name": "acme", "is_default": False}).json["is_default"] is False
    reply = owner.get(f"{ALL}/default")
    assert_error(reply)
    assert reply.status == 404
    assert owner.put(of(row), {"name": "acme", "is_default": True}).status == 200
    assert owner.get(f"{ALL}/default").json["id"] == row.id


@pytest.mark.parametrize("name", ["default", NIL])
def test_clients_call_it_default_or_by_the_id_of_zeroes(owner: Client, house: House, name: str) -> None:
    house.organization("first")
    row = house.organization("second", is_default=True)
    assert owner.get(f"{ALL}/{name}").json["id"] == row.id
    assert owner.get(f"{ALL}/{name}/members").status == 200
    assert owner.get(f"{ALL}/{name}/provisionerdaemons").json == []


def test_where_there_is_none_default_is_a_name_as_any_other(owner: Client, house: House) -> None:
    row = house.organization("default")
    assert owner.get(f"{ALL}/default").json["id"] == row.id
    other = house.organization("coder", is_default=True)
    assert owner.get(f"{ALL}/default").json["id"] == other.id


def test_a_stranger_does_not_see_it(house: House, assert_error: CheckError) -> None:
    house.organization(is_default=True)
    reply = house.client(house.user("stranger")).get(f"{ALL}/default")
    assert_error(reply)
    assert reply.status == 404


def test_it_is_not_deleted(owner: Client, house: House, assert_error: CheckError) -> None:
    row = house.organization(is_default=True)
    reply = owner.delete(of(row))
    assert (reply.status, assert_error(reply)["message"]) == (400, "Default organization cannot be deleted.")
    owner.put(f"{ALL}/{uuid4()}", {"name": "coder", "is_default": True})
    assert owner.delete(of(row)).status == 200


def test_its_administrator_changes_it_and_not_which_one_it_is(house: House, assert_error: CheckError) -> None:
    default = house.organization("coder", is_default=True)
    own = house.organization()
    admin = house.client(house.user("ann", organizations={own.id: ("organization-admin",)}))
    assert admin.put(of(own), {"name": "acme", "icon": "/a.svg", "is_default": False}).status == 200
    reply = admin.put(of(own), {"name": "acme", "is_default": True})
    assert (reply.status, assert_error(reply)["message"]) == (403, "Forbidden.")
    assert people.get_organization(default.id) == default


def test_of_two_that_become_it_at_once_the_later_one_is_it(
    owner: Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, present = house.organization("first"), house.organization("second"), house.organization("present")
    people.save_organization(replace(present, is_default=True, updated_at=times.now()), present)
    original = people.get_organization
    overtaken: list[Organization] = []

    def overtake(row_id: str, *, consistent: bool = False) -> Organization | None:
        row = original(row_id, consistent=consistent)
        if row_id == present.id and row and not overtaken:
            overtaken.append(second)
            after = replace(second, is_default=True, updated_at=times.now())
            people.save_organization(after, second, present=row)
        return row

    monkeypatch.setattr(people, "get_organization", overtake)
    assert owner.put(of(first), {"name": "first", "is_default": True}).json["is_default"]
    assert overtaken
    assert defaults(owner) == ["first"]
