"""The list of users as clients read it: searched, paged to its end, counted, and never more than may be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.api import answer_limits, user_pages
from chalicelib.settings import current
from chalicelib.store.directory import people

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport

ALL = "/api/v2/users"
CheckError = Callable[["Reply"], dict[str, Any]]


def usernames(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return [user["username"] for user in reply.json["users"]]


@pytest.fixture
def crew(house: House, root: User) -> list[User]:
    assert root
    return [
        house.user("ann", "auditor", name="Ann Lee"),
        house.user("bob", status="suspended", login_type="oidc"),
        house.user("cid", "user-admin", "auditor"),
        house.user("dee", is_service_account=True, email=""),
        house.user("eve", is_service_account=True, email="", github_com_user_id=7),
    ]


MATCHES = [
    ("", ["ann", "bob", "cid", "dee", "eve", "root"]),
    ("zzzznobody", []),
    ("ann", ["ann"]),
    ("example.com", ["ann", "bob", "cid", "root"]),
    ("name:lee", ["ann"]),
    ("username:CID", ["cid"]),
    ("email:BOB@example.com", ["bob"]),
    ("username:ann status:suspended", []),
    ("status:suspended,dormant", ["bob"]),
    ("login_type:oidc", ["bob"]),
    ("role:auditor", ["ann", "cid"]),
    ("role:member", ["ann", "bob", "cid", "dee", "eve", "root"]),
    ("service_account:true", ["dee", "eve"]),
    ("github_com_user_id:7", ["eve"]),
    ('last_seen_after:"2025-01-01T00:00:00Z"', ["root"]),
    ('created_before:"2020-01-01T00:00:00Z"', []),
]


def test_q_finds_whom_it_names(owner: Client, crew: list[User]) -> None:
    assert crew
    for query, expected in MATCHES:
        reply = owner.get(ALL, query={"q": query})
        assert usernames(reply) == expected, query
        assert reply.json["count"] == len(expected)


@pytest.mark.parametrize("query", ["foo:bar", "status:inactive", "search:a:b", "last_seen_after:soon"])
def test_a_query_that_cannot_be_understood_is_refused(owner: Client, assert_error: CheckError, query: str) -> None:
    reply = owner.get(ALL, query={"q": query})
    assert reply.status == 400
    body = assert_error(reply)
    assert body["message"] == "Invalid user search query."
    assert len(body["validations"]) == 1


@pytest.mark.parametrize("query", ["", "role:auditor,user-admin,owner"])
@pytest.mark.parametrize("limit", ["1", "2", "100"])
def test_after_id_leads_to_the_last_user(owner: Client, crew: list[User], query: str, limit: str) -> None:
    assert crew
    whole = usernames(owner.get(ALL, query={"q": query}))
    walked: list[str] = []
    after: dict[str, str] = {}
    for page in range(len(whole) + 1):
        reply = owner.get(ALL, query={"q": query, "limit": limit, **after})
        walked += usernames(reply)
        assert reply.json["count"] == len(whole) - page * int(limit)
        if "next_after_id" not in reply.json:
            break
        assert reply.json["next_after_id"] == reply.json["users"][-1]["id"]
        after = {"after_id": reply.json["next_after_id"]}
    assert walked == whole


def test_after_id_and_offset_go_together(owner: Client, crew: list[User]) -> None:
    reply = owner.get(ALL, query={"after_id": crew[0].id, "offset": "1", "limit": "2"})
    assert usernames(reply) == ["cid", "dee"]
    assert reply.json["count"] == 5


def test_a_deleted_user_still_marks_a_place(owner: Client, crew: list[User]) -> None:
    assert owner.delete(f"{ALL}/{crew[1].id}").status == 200
    assert usernames(owner.get(ALL, query={"after_id": crew[1].id})) == ["cid", "dee", "eve", "root"]


def test_a_place_that_cannot_be_seen_is_refused_like_one_that_is_not_there(
    house: House, crew: list[User], assert_error: CheckError
) -> None:
    member = house.client(crew[3])
    replies = [
        member.get(ALL, query={"after_id": user_id}) for user_id in (crew[0].id, "6f6a1f0e-52a4-4b6e-9d0a-6a1d5b0f7c21")
    ]
    assert [reply.status for reply in replies] == [400, 400]
    assert assert_error(replies[0]) == assert_error(replies[1])


def test_a_member_sees_themselves_and_reads_nobody_else(
    house: House, crew: list[User], transport: ObservedTransport
) -> None:
    member = house.client(crew[3])
    transport.requests.clear()
    reply = member.get(ALL)
    assert (usernames(reply), reply.json["count"]) == (["dee"], 1)
    assert "Query" not in transport.operations
    assert usernames(member.get(ALL, query={"q": "ann"})) == []


def test_an_allow_list_bounds_the_list_without_reading_it(
    house: House, root: User, crew: list[User], transport: ObservedTransport
) -> None:
    ann, bob, *_ = crew
    narrowed = house.client(root, allow_list=(f"user:{ann.id}", f"user:{bob.id}"))
    transport.requests.clear()
    assert usernames(narrowed.get(ALL)) == ["ann", "bob"]
    assert usernames(narrowed.get(ALL, query={"q": "status:suspended"})) == ["bob"]
    assert usernames(narrowed.get(ALL, query={"limit": "1", "after_id": ann.id})) == ["bob"]
    assert "Query" not in transport.operations


def test_a_user_by_unique_name_is_not_searched_for(
    owner: Client, crew: list[User], transport: ObservedTransport
) -> None:
    assert crew
    transport.requests.clear()
    assert usernames(owner.get(ALL, query={"q": "username:eve"})) == ["eve"]
    assert "Query" not in transport.operations


def test_a_search_that_may_read_no_more_says_where_it_goes_on(
    owner: Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        house.user(f"u{number:03}", email=f"{number}@example.com")
    monkeypatch.setattr(answer_limits, "current", lambda: replace(current(), max_rows_read=17))
    reply = owner.get(ALL, query={"q": "u039", "limit": "1"})
    body = reply.json
    assert (usernames(reply), body["partial"], body["count_partial"]) == ([], True, True)
    requests = 1
    while "next_after_id" in reply.json:
        reply = owner.get(ALL, query={"q": "u039", "limit": "1", "after_id": reply.json["next_after_id"]})
        requests += 1
    assert usernames(reply) == ["u039"]
    assert requests == 3


def test_an_offset_that_takes_several_requests_is_gone_through(
    owner: Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        house.user(f"u{number:03}", email=f"{number}@example.com")
    monkeypatch.setattr(answer_limits, "current", lambda: replace(current(), max_rows_read=17))
    query = {"q": "@example.com", "limit": "1", "offset": "35"}
    reply = owner.get(ALL, query=query)
    while not reply.json["users"]:
        query |= {"after_id": reply.json["next_after_id"], "offset": str(reply.json["next_offset"])}
        reply = owner.get(ALL, query=query)
    assert usernames(reply) == ["u034"]


def test_all_users_are_as_many_as_an_answer_has_room_for(
    owner: Client, crew: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [user.username for user in crew] + ["root"]
    monkeypatch.setattr(answer_limits, "LARGEST_ANSWER", 1_100)
    reply = owner.get(ALL)
    walked = usernames(reply)
    assert 0 < len(walked) < len(whole)
    assert reply.json["partial"]
    while "next_after_id" in reply.json:
        reply = owner.get(ALL, query={"after_id": reply.json["next_after_id"]})
        walked += usernames(reply)
    assert walked == whole


def test_the_count_can_be_left_out_and_has_a_cap(
    owner: Client, crew: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert crew
    body = owner.get(ALL, query={"limit": "1", "count": "false"}).json
    assert set(body) == {"users", "next_after_id"}
    monkeypatch.setattr(user_pages, "COUNT_CAP", 3)
    body = owner.get(ALL, query={"limit": "1"}).json
    assert (body["count"], body["count_cap"]) == (4, 3)


def test_service_accounts_are_told_apart_and_need_no_address(owner: Client, crew: list[User]) -> None:
    users = {user["username"]: user for user in owner.get(ALL).json["users"]}
    assert [name for name, user in users.items() if user.get("is_service_account")] == ["dee", "eve"]
    assert "is_service_account" not in users["ann"]
    assert users["dee"]["email"] == ""
    kept = people.get_user(crew[3].id)
    assert kept == crew[3]
