from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest

from chalicelib import times
from chalicelib.api import log_pages
from chalicelib.retention import holds
from chalicelib.settings import Settings
from chalicelib.store.directory import people

if TYPE_CHECKING:
    from chalicelib.records import Organization, User
    from tests.api.conftest import Client, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]
Event = Callable[..., dict[str, Any]]

PATH = "/api/v2/connectionlog"
NOW = datetime(2025, 7, 10, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NIL = "00000000-0000-0000-0000-000000000000"
EMPTY = {"connection_logs": [], "count": 0, "count_cap": 2000}
WEB_CONNECTION = "f3d7a5c0-55a5-4c0f-9f4e-0d8e3f3c1a01"


def ago(past: timedelta) -> str:
    return times.wire(NOW - past)


class Books(NamedTuple):
    """The four rows of the table in the specification, and who and what they name."""

    users: Mapping[str, User]
    a: Organization
    b: Organization
    workspaces: tuple[str, str]
    ids: dict[str, int]

    def numbers(self, reply: Reply) -> list[int]:
        """The numbers of the rows, newest first, after checking that the count agrees."""
        assert reply.status == 200
        body = reply.json
        assert set(body) == {"connection_logs", "count", "count_cap"}, "there is no other page, and this one is whole"
        assert (body["count"], body["count_cap"]) == (len(body["connection_logs"]), 2000)
        return [self.ids[row["id"]] for row in body["connection_logs"]]


@pytest.fixture
def books(owner: Client, house: House, make_event: Event) -> Books:
    a, b = house.organization("orga"), house.organization("OrgB")
    users = {name: house.user(name, email=f"{name}@test.com") for name in ("user1", "user2", "user3")}
    one, two = str(uuid4()), str(uuid4())
    in_a = {"organization_id": a.id, "workspace_id": one, "workspace_owner_id": users["user1"].id, "ip": "10.0.0.1"}
    in_b = {"organization_id": b.id, "workspace_id": two, "workspace_owner_id": users["user2"].id, "ip": None}
    ended = {"connection_status": "disconnected"}
    log1 = make_event(
        **in_a,
        type="workspace_app",
        time=ago(4 * HOUR),
        user_id=users["user1"].id,
        slug_or_port="code-server",
        user_agent="Mozilla/5.0",
        connection_id=WEB_CONNECTION,
        code=200,
    )
    log2 = make_event(**in_a, type="vscode", time=ago(3 * HOUR))
    log3 = make_event(**in_b, type="ssh", time=ago(2 * HOUR), user_id=users["user2"].id)
    log4 = make_event(**in_b, type="vscode", time=ago(HOUR), user_id=users["user3"].id, connection_id=None)
    events = [log1, log2, log3, log4, log2 | ended | {"time": ago(2 * HOUR)}, log3 | ended | {"time": ago(HOUR)}]
    results = owner.post(PATH, {"events": events}).json["results"]
    return Books(users, a, b, (one, two), {results[index]["id"]: index + 1 for index in range(4)})


CASES: list[tuple[str, Callable[[Books], str], list[int]]] = [
    ("nothing", lambda _: "", [4, 3, 2, 1]),
    ("organization id", lambda books: f"organization:{books.b.id}", [4, 3]),
    ("organization id in capitals", lambda books: f"organization:{books.b.id.upper()}", [4, 3]),
    ("organization name", lambda _: "organization:orgb", [4, 3]),
    ("organization name in capitals", lambda _: "organization:ORGA", [2, 1]),
    ("unknown organization id", lambda _: f"organization:{uuid4()}", []),
    ("nil organization", lambda _: f"organization:{NIL}", [4, 3, 2, 1]),
    ("workspace owner", lambda _: "workspace_owner:user1", [2, 1]),
    ("workspace owner in capitals", lambda _: "workspace_owner:USER1", [2, 1]),
    ("workspace owner email", lambda _: "workspace_owner_email:user1@test.com", [2, 1]),
    ("workspace owner email in capitals", lambda _: "workspace_owner_email:User2@Test.com", [4, 3]),
    ("unknown workspace owner", lambda _: "workspace_owner:nobody", []),
    ("unknown workspace owner email", lambda _: "workspace_owner_email:nobody@test.com", []),
    ("type", lambda _: "type:vscode", [4, 2]),
    ("web type", lambda _: "type:workspace_app", [1]),
    ("type nobody used", lambda _: "type:jetbrains", []),
    ("newest type", lambda _: "type:tunnel", []),
    ("username", lambda _: "username:user1", [1]),
    ("username of a session", lambda _: "username:user2", [3]),
    ("unknown username", lambda _: "username:nobody", []),
    ("user email", lambda _: "user_email:user3@test.com", [4]),
    ("unknown user email", lambda _: "user_email:nobody@test.com", []),
    ("after", lambda _: f'connected_after:"{ago(90 * MINUTE)}"', [4]),
    ("after, inclusive", lambda _: f'connected_after:"{ago(2 * HOUR)}"', [4, 3]),
    ("before", lambda _: f'connected_before:"{ago(150 * MINUTE)}"', [2, 1]),
    ("before, inclusive", lambda _: f'connected_before:"{ago(3 * HOUR)}"', [2, 1]),
    ("before, with an offset", lambda _: 'connected_before:"2025-07-10T12:30:00+03:00"', [2, 1]),
    ("between", lambda _: f'connected_after:"{ago(3 * HOUR)}" connected_before:"{ago(2 * HOUR)}"', [3, 2]),
    ("between the wrong way round", lambda _: f'connected_after:"{ago(HOUR)}" connected_before:"{ago(HOUR * 2)}"', []),
    ("workspace", lambda books: f"workspace_id:{books.workspaces[1]}", [4, 3]),
    ("unknown workspace", lambda _: f"workspace_id:{uuid4()}", []),
    ("nil workspace", lambda _: f"workspace_id:{NIL}", [4, 3, 2, 1]),
    ("connection", lambda _: f"connection_id:{WEB_CONNECTION}", [1]),
    ("connection in another form", lambda _: f"connection_id:{WEB_CONNECTION.replace('-', '')}", [1]),
    ("ongoing", lambda _: "status:ongoing", [4]),
    ("connected", lambda _: "status:connected", [4]),
    ("completed", lambda _: "status:completed", [3, 2]),
    ("disconnected", lambda _: "STATUS:Disconnected", [3, 2]),
    ("web events have no status", lambda _: "status:ongoing type:workspace_app", []),
    ("all at once", lambda books: f"type:vscode status:completed organization:{books.a.id} workspace_owner:user1", [2]),
    ("what excludes itself", lambda _: "type:vscode organization:orgb status:completed", []),
    ("an empty value", lambda _: 'type:"" workspace_owner:""', [4, 3, 2, 1]),
]


@pytest.mark.parametrize(("query", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_filters(owner: Client, books: Books, query: Callable[[Books], str], expected: list[int]) -> None:
    assert books.numbers(owner.logs(query(books))) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [("username:me", [1]), ("workspace_owner:me", [2, 1]), ("username:me workspace_owner:ME", [1])],
)
def test_me_is_the_caller(owner: Client, house: House, books: Books, query: str, expected: list[int]) -> None:
    user1 = books.users["user1"]
    auditor = replace(user1, roles=("auditor",), updated_at=times.now())
    people.save_user(auditor, user1)
    assert books.numbers(house.client(auditor).logs(query)) == expected
    assert books.numbers(owner.logs(query)) == []


def test_deleted_users_are_found_by_the_address_they_acted_under_alone(owner: Client, books: Books) -> None:
    owner.delete("/api/v2/users/user1")
    assert books.numbers(owner.logs("user_email:user1@test.com")) == [1]
    for query in ("username:user1", "workspace_owner:user1", "workspace_owner_email:user1@test.com"):
        assert books.numbers(owner.logs(query)) == []
    row = owner.logs("user_email:user1@test.com").json["connection_logs"][0]
    assert row["workspace_owner_username"] == row["web_info"]["user"]["username"] == "user1"


def test_names_are_todays(owner: Client, books: Books) -> None:
    owner.put(f"/api/v2/users/{books.users['user1'].id}", {"username": "renamed", "email": "user1@test.com"})
    owner.put(f"/api/v2/organizations/{books.a.id}", {"name": "newname", "display_name": "New"})
    rows = owner.logs("workspace_owner:renamed organization:newname").json["connection_logs"]
    assert [row["workspace_owner_username"] for row in rows] == ["renamed"] * 2
    assert {row["organization"]["display_name"] for row in rows} == {"New"}


WEB_FIELDS = {"user_agent", "user", "slug_or_port", "status_code"}
ROW_FIELDS = {
    "id",
    "connect_time",
    "organization",
    "workspace_owner_id",
    "workspace_owner_username",
    "workspace_id",
    "workspace_name",
    "agent_name",
    "type",
    "type_display_name",
    "connection_method",
    "app_name",
    "app_display_name",
}


SOURCE = {"written_by", "received_at"}
"""The fields of a row that only owners and auditors get."""


def test_a_web_row(owner: Client, books: Books) -> None:
    (row,) = owner.logs("type:workspace_app").json["connection_logs"]
    assert set(row) == ROW_FIELDS | SOURCE | {"ip", "web_info"}
    assert (row["connect_time"], row["ip"], row["type"]) == ("2025-07-10T08:00:00Z", "10.0.0.1", "workspace_app")
    assert row["organization"] == {"id": books.a.id, "name": "orga", "display_name": "Orga", "icon": ""}
    assert row["workspace_owner_id"] == books.users["user1"].id
    assert row["workspace_owner_username"] == "user1"
    assert (row["workspace_id"], row["workspace_name"], row["agent_name"]) == (books.workspaces[0], "dev", "main")
    web = row["web_info"]
    assert set(web) == WEB_FIELDS
    assert (web["user_agent"], web["slug_or_port"], web["status_code"]) == ("Mozilla/5.0", "code-server", 200)
    user = owner.get("/api/v2/users/user1").json
    assert web["user"] == {**user, "organization_ids": []}


def test_the_organizations_of_a_user_are_not_shown_beside_a_row(owner: Client, books: Books) -> None:
    user1 = books.users["user1"]
    body = {"username": "user1", "email": "user1@test.com", "organization_ids": [books.a.id], "roles": ["auditor"]}
    owner.put(f"/api/v2/users/{user1.id}", body)
    (row,) = owner.logs("type:workspace_app").json["connection_logs"]
    assert row["web_info"]["user"]["organization_ids"] == []
    assert row["web_info"]["user"]["roles"] == [{"name": "auditor", "display_name": "Auditor"}]


def test_an_open_session_has_no_end_and_a_null_address_is_left_out(owner: Client, books: Books) -> None:
    (row,) = owner.logs("status:ongoing").json["connection_logs"]
    assert books.ids[row["id"]] == 4
    assert set(row) == ROW_FIELDS | SOURCE | {"ssh_info"}
    assert row["ssh_info"] == {"connection_id": NIL}


@pytest.mark.parametrize(
    ("closing", "expected"),
    [
        ({}, {}),
        ({"code": 0}, {"exit_code": 0}),
        ({"code": None, "disconnect_reason": "example close reason"}, {"disconnect_reason": "example close reason"}),
        ({"code": -1, "disconnect_reason": ""}, {"exit_code": -1}),
    ],
)
def test_a_closed_session(owner: Client, make_event: Event, closing: dict[str, Any], expected: dict[str, Any]) -> None:
    opened = make_event(time="2025-07-10T10:00:00.1Z")
    owner.post(PATH, opened)
    assert owner.logs().json["connection_logs"][0]["ssh_info"] == {"connection_id": opened["connection_id"]}
    closed = opened | {"connection_status": "disconnected", "time": "2025-07-10T10:00:01.120000Z"} | closing
    assert owner.post(PATH, closed).status == 200
    (row,) = owner.logs().json["connection_logs"]
    assert row["connect_time"] == "2025-07-10T10:00:00.1Z"
    assert row["ssh_info"] == {
        "connection_id": opened["connection_id"],
        "disconnect_time": "2025-07-10T10:00:01.12Z",
        **expected,
    }


@pytest.mark.parametrize("kind", ["workspace_app", "port_forwarding", "tunnel"])
def test_a_web_row_of_a_visitor_has_every_field(owner: Client, make_event: Event, kind: str) -> None:
    owner.post(PATH, make_event(type=kind, connection_id=None))
    (row,) = owner.logs().json["connection_logs"]
    assert row["web_info"] == {"user_agent": "", "user": None, "slug_or_port": "", "status_code": 0}
    assert "ssh_info" not in row


def test_whom_the_directory_does_not_know_is_shown_by_id(owner: Client, make_event: Event) -> None:
    stranger = str(uuid4())
    event = make_event(type="workspace_app", connection_id=None, user_id=stranger)
    owner.post(PATH, event)
    (row,) = owner.logs().json["connection_logs"]
    assert row["organization"] == {"id": event["organization_id"], "name": "", "display_name": "", "icon": ""}
    assert (row["workspace_owner_id"], row["workspace_owner_username"]) == (event["workspace_owner_id"], "")
    assert row["web_info"]["user"] == {
        "id": stranger,
        "username": "",
        "email": "",
        "created_at": "0001-01-01T00:00:00Z",
        "updated_at": "0001-01-01T00:00:00Z",
        "last_seen_at": "0001-01-01T00:00:00Z",
        "status": "",
        "login_type": "",
        "organization_ids": [],
        "roles": [],
        "has_ai_seat": False,
    }


def test_nothing_is_an_empty_list(owner: Client) -> None:
    assert owner.logs().json == EMPTY


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 30),
        ({"limit": "5", "offset": "10"}, 5),
        ({"limit": "50", "offset": "25"}, 5),
        ({"offset": "29"}, 1),
        ({"offset": "30"}, 0),
        ({"offset": "2147483647", "limit": "2147483647"}, 0),
        ({"limit": "0"}, 30),
        ({"limit": "", "offset": "", "after_id": ""}, 30),
        ({"after_id": "00000000-0000-0000-0000-000000000000"}, 30),
        ({"limit": "+7"}, 7),
        ({"unknown": "parameter"}, 30),
    ],
)
def test_a_page_and_the_count_of_all(owner: Client, make_event: Event, query: dict[str, str], expected: int) -> None:
    a, b = str(uuid4()), str(uuid4())
    events = [
        make_event(organization_id=a if index < 20 else b, time=f"2025-07-10T10:{index:02d}:00Z") for index in range(30)
    ]
    owner.post(PATH, events)
    everything = [f"2025-07-10T10:{index:02d}:00Z" for index in reversed(range(30))]
    reply = owner.get(PATH, query=query)
    assert (reply.status, reply.json["count"]) == (200, 30)
    start = int(query.get("offset") or 0)
    assert [row["connect_time"] for row in reply.json["connection_logs"]] == everything[start : start + expected]
    in_a = owner.logs(f"organization:{a}", **query).json
    assert (in_a["count"], len(in_a["connection_logs"])) == (20, min(expected, max(0, 20 - start)))


def test_a_hundred_rows_are_a_page_and_pages_never_repeat_or_skip(owner: Client, make_event: Event) -> None:
    owner.post(PATH, [make_event() for _ in range(230)])
    seen = []
    for start, expected in ((0, 100), (100, 100), (200, 30)):
        rows = owner.get(PATH, query={"offset": str(start)}).json["connection_logs"]
        assert len(rows) == expected
        seen += [row["id"] for row in rows]
    assert len(set(seen)) == 230
    assert [row["id"] for row in owner.get(PATH, query={"limit": "230"}).json["connection_logs"]] == seen


def test_the_count_stops_one_beyond_its_cap(owner: Client, make_event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_pages, "COUNT_CAP", 10)
    owner.post(PATH, [make_event() for _ in range(10)])
    for query in ("", "status:ongoing", "type:ssh status:ongoing"):
        assert owner.logs(query).json["count"] == 10
    owner.post(PATH, [make_event() for _ in range(5)])
    for query in ("", "status:ongoing", "type:ssh status:ongoing"):
        body = owner.logs(query).json
        assert (body["count"], body["count_cap"], len(body["connection_logs"])) == (11, 10, 15)


NUMBER = "must be a valid 32-bit positive integer: "
UUID = "must be a valid uuid"


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({"after_id": "bogus"}, {"after_id": UUID}),
        ({"after_id": "ff22a7b-bb6f-43d8-83e1-eefe0a1f5197"}, {"after_id": UUID}),
        ({"after_id": "cff22a7b-bb6f-43d8-83e1-eefe0a1f51972"}, {"after_id": UUID}),
        ({"limit": "bogus"}, {"limit": f'{NUMBER}strconv.ParseInt: parsing "bogus": invalid syntax'}),
        ({"offset": "bogus"}, {"offset": f'{NUMBER}strconv.ParseInt: parsing "bogus": invalid syntax'}),
        ({"limit": "2147483648"}, {"limit": f'{NUMBER}strconv.ParseInt: parsing "2147483648": value out of range'}),
        (
            {"limit": "0" * 4_400 + "1" * 11},
            {"limit": f'{NUMBER}strconv.ParseInt: parsing "{"0" * 100}...": value out of range'},
        ),
        ({"offset": "-" + "0" * 4_400 + "1"}, {"offset": f"{NUMBER}value is negative"}),
        ({"offset": "2147483648"}, {"offset": f'{NUMBER}strconv.ParseInt: parsing "2147483648": value out of range'}),
        ({"limit": "9" * 99}, {"limit": f'{NUMBER}strconv.ParseInt: parsing "{"9" * 99}": value out of range'}),
        ({"limit": "-1"}, {"limit": f"{NUMBER}value is negative"}),
        ({"offset": "-1"}, {"offset": f"{NUMBER}value is negative"}),
        ({"limit": "1.5"}, {"limit": f'{NUMBER}strconv.ParseInt: parsing "1.5": invalid syntax'}),
        ({"limit": " 1"}, {"limit": f'{NUMBER}strconv.ParseInt: parsing " 1": invalid syntax'}),
        ({"limit": "1_0"}, {"limit": f'{NUMBER}strconv.ParseInt: parsing "1_0": invalid syntax'}),
        ({"limit": "٣"}, {"limit": f'{NUMBER}strconv.ParseInt: parsing "٣": invalid syntax'}),
        (
            {"limit": "-1", "offset": "-1", "after_id": "x", "q": "x"},
            {"after_id": UUID, "limit": f"{NUMBER}value is negative", "offset": f"{NUMBER}value is negative"},
        ),
    ],
)
def test_a_bad_page(owner: Client, assert_error: CheckError, query: dict[str, str], details: dict[str, str]) -> None:
    reply = owner.get(PATH, query=query)
    assert reply.status == 400
    assert assert_error(reply) == {
        "message": "Query parameters have invalid values.",
        "validations": [
            {"field": name, "detail": f'Query param "{name}" {detail}'} for name, detail in details.items()
        ],
    }


LAYOUT = "2006-01-02T15:04:05.999999999Z07:00"


@pytest.mark.parametrize(
    ("query", "field", "detail"),
    [
        (":foo", "q", "Query element \":foo\" cannot start or end with ':'"),
        ("type:", "q", "Query element \"type:\" cannot start or end with ':'"),
        ("search:name:extra", "q", "Query element \"search:name:extra\" can only contain 1 ':'"),
        (
            "connected_after:2023-01-01T00:00:00Z",
            "q",
            "Query element \"connected_after:2023-01-01t00:00:00z\" can only contain 1 ':'",
        ),
        ("foo:bar", "foo", '"foo" is not a valid query param'),
        ("bare words", "search", '"search" is not a valid query param'),
        ("resource_type:user", "resource_type", '"resource_type" is not a valid query param'),
        (
            "type:ssh type:ssh",
            "type",
            'Query param "type" provided more than once, found 2 times. Only provide 1 instance of this query param.',
        ),
        ("workspace_id:foo", "workspace_id", 'Query param "workspace_id" must be a valid uuid'),
        ("connection_id:foo", "connection_id", 'Query param "connection_id" must be a valid uuid'),
        ("type:X", "type", 'Query param "type" has invalid value: "x" is not a valid value'),
        ("status:open", "status", 'Query param "status" has invalid value: "open" is not a valid value'),
        (
            "organization:x",
            "organization",
            (
                'Query param "organization" has invalid value: organization "x" either does not exist, or you are'
                " unauthorized to view it"
            ),
        ),
        (
            'connected_after:"2023-01"',
            "connected_after",
            (
                f'Query param "connected_after" must be a valid date format ({LAYOUT}): parsing time "2023-01" as'
                f' "{LAYOUT}": cannot parse "" as "-"'
            ),
        ),
        (
            "connected_before:x",
            "connected_before",
            (
                f'Query param "connected_before" must be a valid date format ({LAYOUT}): parsing time "X" as'
                f' "{LAYOUT}": cannot parse "X" as "2006"'
            ),
        ),
    ],
)
def test_a_bad_query(owner: Client, assert_error: CheckError, query: str, field: str, detail: str) -> None:
    reply = owner.logs(query)
    assert reply.status == 400
    assert assert_error(reply) == {
        "message": "Invalid connection search query.",
        "validations": [{"field": field, "detail": detail}],
    }


def test_all_that_is_wrong_is_told_at_once(owner: Client, assert_error: CheckError) -> None:
    reply = owner.logs("zzz:1 status:x type:y aaa:2 workspace_id:z")
    fields = [validation["field"] for validation in assert_error(reply)["validations"]]
    assert fields == ["type", "workspace_id", "status", "zzz", "aaa"]


@pytest.mark.parametrize(
    ("site", "inside", "expected"),
    [
        (("owner",), None, [4, 3, 2, 1]),
        (("auditor",), None, [4, 3, 2, 1]),
        ((), ("organization-admin",), [4, 3]),
        ((), ("organization-auditor",), [4, 3]),
        (("user-admin",), (), []),
        (("template-admin",), (), []),
        ((), ("organization-user-admin", "organization-template-admin"), []),
        ((), (), []),
        ((), None, []),
    ],
)
def test_who_reads_what(
    house: House,
    books: Books,
    site: tuple[str, ...],
    inside: tuple[str, ...] | None,
    expected: list[int],
) -> None:
    organizations = {} if inside is None else {books.b.id: inside}
    caller = house.client(house.user("bob", *site, organizations=organizations))
    reply = caller.logs()
    assert books.numbers(reply) == expected
    if not expected:
        assert reply.json == EMPTY
    assert books.numbers(caller.logs(f"organization:{books.a.id}")) == [row for row in expected if row < 3]
    assert books.numbers(caller.logs("type:vscode")) == [row for row in expected if row in (4, 2)]
    assert books.numbers(caller.logs("status:completed")) == [row for row in expected if row in (3, 2)]
    assert books.numbers(caller.logs("username:user1")) == [row for row in expected if row == 1]


def test_an_auditor_of_two_organizations_reads_both_merged(house: House, books: Books) -> None:
    roles = {books.a.id: ("organization-auditor",), books.b.id: ("organization-admin",), str(uuid4()): ()}
    caller = house.client(house.user("bob", organizations=roles))
    assert books.numbers(caller.logs()) == [4, 3, 2, 1]
    assert [books.ids[row["id"]] for row in caller.logs("", limit="2", offset="1").json["connection_logs"]] == [3, 2]
    assert caller.logs("", limit="2").json["count"] == 4


def test_an_organization_the_caller_may_not_read_has_no_name(
    house: House, books: Books, assert_error: CheckError
) -> None:
    caller = house.client(house.user("bob", organizations={books.b.id: ("organization-auditor",)}))
    assert books.numbers(caller.logs("organization:orgb")) == [4, 3]
    reply = caller.logs("organization:orga")
    assert reply.status == 400
    assert "unauthorized to view it" in assert_error(reply)["validations"][0]["detail"]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"scopes": ("connection_log:read",)}, [4, 3, 2, 1]),
        ({"scopes": ("coder:logs.read",)}, [4, 3, 2, 1]),
        ({"scopes": ("connection_log:update",)}, []),
        ({"scopes": ("audit_log:read",)}, []),
        ({"allow_list": ("connection_log:*",)}, [4, 3, 2, 1]),
        ({"allow_list": ("organization:*",)}, []),
    ],
)
def test_scopes_and_allow_lists_narrow_a_reader(
    house: House, root: User, books: Books, held: dict[str, Any], expected: list[int]
) -> None:
    assert books.numbers(house.client(root, **held).logs()) == expected


def test_an_allow_list_may_name_single_rows(house: House, root: User, books: Books) -> None:
    named = tuple(f"connection_log:{row_id}" for row_id, number in books.ids.items() if number in (1, 3))
    caller = house.client(root, allow_list=named)
    assert books.numbers(caller.logs()) == [3, 1]
    assert books.numbers(caller.logs("type:ssh")) == [3]


def test_retention_hides_what_is_older(owner: Client, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = times.now() - (NOW - 150 * MINUTE)
    settings = Settings(connection_logs_retention=int(kept / timedelta(microseconds=1)) * 1_000)
    monkeypatch.setattr(holds, "current", lambda: settings)
    assert books.numbers(owner.logs()) == [4, 3]
    assert books.numbers(owner.logs(f'connected_after:"{ago(9 * HOUR)}"')) == [4, 3]
    assert books.numbers(owner.logs("type:workspace_app")) == []
