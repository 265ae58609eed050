"""`GET /api/v2/audit`: the tables of Coder's tests, and what is shown beside a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from chalicelib import times
from chalicelib.api import answer_limits
from chalicelib.retention import holds, policy
from chalicelib.settings import Settings
from chalicelib.store.directory import people

if TYPE_CHECKING:
    from chalicelib.records import Organization, User
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport

CheckError = Callable[["Reply"], dict[str, Any]]

PATH = "/api/v2/audit"
GENERATE = f"{PATH}/testgenerate"
NIL = "00000000-0000-0000-0000-000000000000"
AT = "2022-08-15T14:30:45.1Z"
LATER = "2022-08-15T14:35:00Z"
NEXT_DAY = "2022-08-16T14:30:45.1Z"
AGENT_REQUEST, APP_REQUEST = str(UUID(int=71)), str(UUID(int=72))
REPLY_KEYS = {"audit_logs", "count", "count_cap"}


@pytest.fixture(autouse=True)
def _old_connection_events_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coder's tests have connection events of 2022, which are past their 90 days."""
    monkeypatch.setattr(policy, "CONNECTION_EVENTS_RETENTION", 0)


def ask(client: Client, query: str = "", **more: str) -> Reply:
    return client.get(PATH, query={"q": query, **more})


def rows(reply: Reply) -> list[dict[str, Any]]:
    """The rows of an answer that is whole, after checking that the count agrees."""
    assert reply.status == 200
    body = reply.json
    assert set(body) == REPLY_KEYS
    assert (body["count"], body["count_cap"]) == (len(body["audit_logs"]), 2000)
    listed: list[dict[str, Any]] = body["audit_logs"]
    return listed


def event(**changes: Any) -> dict[str, Any]:
    made = {
        "id": str(uuid4()),
        "time": AT,
        "user_id": NIL,
        "resource_type": "template",
        "resource_id": str(uuid4()),
        "resource_target": "rust",
        "action": "write",
        "status_code": 200,
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def generated(root: User) -> list[dict[str, Any]]:
    """The nine rows of Coder's test of filters, as `testgenerate` is asked for them."""
    on_agent = {"resource_type": "workspace_agent", "request_id": AGENT_REQUEST}
    on_app = {"resource_type": "workspace_app", "request_id": APP_REQUEST}
    return [
        {"action": "create", "resource_type": "template", "time": AT},
        {"action": "create", "resource_type": "user", "resource_id": root.id, "time": NEXT_DAY},
        {"action": "delete", "resource_type": "user", "resource_id": root.id, "time": AT},
        {"action": "start", "resource_type": "workspace_build", "time": AT},
        {"action": "stop", "resource_type": "workspace_build", "time": AT},
        {"action": "connect", "time": AT, **on_agent},
        {"action": "disconnect", "time": LATER, **on_agent},
        {"action": "open", "time": AT, **on_app},
        {"action": "close", "time": LATER, **on_app},
    ]


@pytest.fixture(params=["testgenerate", "ingest"])
def book(request: pytest.FixtureRequest, owner: Client, root: User) -> Client:
    """A client that sees the nine rows, however they came in."""
    for made in generated(root):
        if request.param == "testgenerate":
            assert owner.post(GENERATE, made).status == 204
        else:
            assert owner.post(PATH, event(user_id=root.id, resource_target=root.username, **made)).status == 200
    return owner


FILTERS: list[tuple[str, Callable[[User], str], int]] = [
    ("nothing", lambda _: "", 9),
    ("action:create", lambda _: "action:create", 2),
    ("action:delete", lambda _: "action:delete", 1),
    ("resource_type:user", lambda _: "resource_type:user", 2),
    ("resource_type:template", lambda _: "resource_type:template", 1),
    ("a bare word", lambda _: "template", 1),
    ("email", lambda root: f"email:{root.email}", 9),
    ("email in capitals", lambda root: f"email:{root.email.upper()}", 9),
    ("unknown email", lambda _: "email:nobody@example.com", 0),
    ("username", lambda root: f"username:{root.username}", 9),
    ("me", lambda _: "username:me", 9),
    ("unknown username", lambda _: "username:nobody", 0),
    ("resource_id", lambda root: f"resource_id:{root.id}", 2),
    ("nil resource_id", lambda _: f"resource_id:{NIL}", 9),
    ("resource_target", lambda root: f"resource_target:{root.username}", 9),
    ("unknown resource_target", lambda _: "resource_target:nothing", 0),
    ("from, with a later row", lambda _: "action:create date_from:2022-08-15", 2),
    ("from the next day", lambda _: "action:create date_from:2022-08-16", 1),
    ("to", lambda _: "action:create date_to:2022-08-15", 1),
    ("from and to", lambda _: "date_from:2022-08-15 date_to:2022-08-15", 8),
    ("build start", lambda _: "resource_type:workspace_build action:start", 1),
    ("build stop", lambda _: "resource_type:workspace_build action:stop", 1),
    ("agent connect", lambda _: "resource_type:workspace_agent action:connect", 1),
    ("agent disconnect", lambda _: "resource_type:workspace_agent action:disconnect", 1),
    ("agent request", lambda _: f"resource_type:workspace_agent request_id:{AGENT_REQUEST}", 2),
    ("app open", lambda _: "resource_type:workspace_app action:open", 1),
    ("app close", lambda _: "resource_type:workspace_app action:close", 1),
    ("app request", lambda _: f"request_id:{APP_REQUEST}", 2),
    ("Gatebook's own type", lambda _: "resource_type:retention_run", 0),
    ("organization of nobody", lambda _: f"organization:{uuid4()}", 0),
]


@pytest.mark.parametrize(("query", "number"), [case[1:] for case in FILTERS], ids=[case[0] for case in FILTERS])
def test_each_filter_finds_its_rows(book: Client, root: User, query: Callable[[User], str], number: int) -> None:
    matches = rows(ask(book, query(root)))
    assert len(matches) == number
    assert matches == sorted(matches, key=lambda row: (row["time"], row["id"]), reverse=True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("invalid", "resource_type"),
        ("resource_type:invalid", "resource_type"),
        ("action:invalid", "action"),
        ("build_reason:invalid", "build_reason"),
        ("organization:random-name", "organization"),
        ("request_id:foo", "request_id"),
        ("search:name:extra", "q"),
        ("foo:bar", "foo"),
        ("date_from:2022-8-5", "date_from"),
        ("date_to:2006", "date_to"),
    ],
)
def test_a_wrong_query_is_told(owner: Client, assert_error: CheckError, query: str, field: str) -> None:
    reply = ask(owner, query)
    body = assert_error(reply)
    assert (reply.status, body["message"]) == (400, "Invalid audit search query.")
    assert [problem["field"] for problem in body["validations"]] == [field]


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"after_id": "bogus"}, 400),
        ({"limit": "bogus"}, 400),
        ({"offset": "bogus"}, 400),
        ({"limit": "2147483648"}, 400),
        ({"limit": "-1"}, 400),
        ({"offset": "-1"}, 400),
        ({"limit": "50", "offset": "100"}, 200),
    ],
)
def test_pages_are_asked_for_as_of_the_connection_log(owner: Client, parameters: dict[str, str], status: int) -> None:
    reply = owner.get(PATH, query=parameters)
    assert reply.status == status
    if status == 400:
        assert reply.json["message"] == "Query parameters have invalid values."


def test_the_last_day_is_included_to_its_last_microsecond(owner: Client) -> None:
    moments = ("2022-08-15T00:00:00Z", "2022-08-15T23:59:59.000001Z", "2022-08-15T23:59:59.999999Z")
    owner.post(PATH, [event(time=moment) for moment in (*moments, "2022-08-16T00:00:00Z")])
    matches = rows(ask(owner, "date_to:2022-08-15"))
    assert [row["time"] for row in matches] == sorted(moments, reverse=True)
    assert len(rows(ask(owner, "date_from:2022-08-15"))) == 4


BUILT = [
    ("workspace_build", "start", "initiator"),
    ("workspace_build", "stop", "autostop"),
    ("workspace_build", "start", "autostop"),
    ("workspace", "create", "autostop"),
    ("workspace", "write", "autostop"),
    ("template", "create", "autostop"),
]


@pytest.mark.parametrize("large", [False, True], ids=["in the lane", "with the diff elsewhere"])
def test_a_build_reason_is_found_of_builds_and_of_workspaces_that_are_created(*, owner: Client, large: bool) -> None:
    diff = {"a": {"new": "".join(str(uuid4()) for _ in range(99))}} if large else None
    resource = str(uuid4())
    for kind, action, reason in BUILT:
        made = event(resource_type=kind, action=action, additional_fields={"build_reason": reason, "x": 1}, diff=diff)
        owner.post(PATH, {**made, "resource_id": resource})
    expected = {("workspace_build", "stop"), ("workspace_build", "start"), ("workspace", "create")}
    for more in ("", f" resource_id:{resource}"):
        matches = rows(ask(owner, f"build_reason:autostop{more}"))
        assert {(row["resource_type"], row["action"]) for row in matches} == expected
        assert all(row["additional_fields"] == {"build_reason": "autostop", "x": 1} for row in matches)
        assert len(rows(ask(owner, f"build_reason:autostop action:stop{more}"))) == 1


def test_a_page_has_a_hundred_rows_and_the_count_is_of_all(owner: Client) -> None:
    owner.post(PATH, [event() for _ in range(110)])
    body = owner.get(PATH).json
    assert (len(body["audit_logs"]), body["count"]) == (100, 110)
    following = ask(owner, cursor=body["next_cursor"]).json["audit_logs"]
    assert len({row["id"] for row in body["audit_logs"] + following}) == 110
    assert len(ask(owner, limit="1").json["audit_logs"]) == 1


def test_what_a_row_says(owner: Client, house: House) -> None:
    ann = house.user("ann", organizations={str(uuid4()): ()})
    acme = house.organization("acme", icon="/acme.svg")
    given = event(
        user_id=ann.id,
        organization_id=acme.id,
        ip="203.0.113.7/32",
        user_agent="curl/8",
        resource_icon="/rust.svg",
        request_id=str(uuid4()),
        diff={"name": {"Old": "rust", "New": None, "SECRET": False}},
        additional_fields={"b": [1, None], "a": {"x": ""}},
    )
    assert owner.post(PATH, given).status == 200
    (row,) = rows(ask(owner))
    assert row.pop("written_by") == owner.token[:10]
    assert row.pop("received_at") >= AT
    user = owner.get(f"/api/v2/users/{ann.id}").json
    assert row == {
        "id": given["id"],
        "request_id": given["request_id"],
        "time": AT,
        "ip": "203.0.113.7",
        "user_agent": "curl/8",
        "resource_type": "template",
        "resource_id": given["resource_id"],
        "resource_target": "rust",
        "resource_icon": "/rust.svg",
        "action": "write",
        "diff": {"name": {"old": "rust", "secret": False}},
        "status_code": 200,
        "additional_fields": {"b": [1, None], "a": {"x": ""}},
        "description": "{user} updated template {target}",
        "resource_link": "/templates/rust",
        "is_deleted": False,
        "organization_id": acme.id,
        "organization": {"id": acme.id, "name": "acme", "display_name": "Acme", "icon": "/acme.svg"},
        "user": {**user, "organization_ids": []},
    }


def test_what_a_row_lacks_is_empty_null_or_left_out(owner: Client) -> None:
    owner.post(PATH, event(organization_id=NIL))
    (row,) = rows(ask(owner))
    assert (row["ip"], row["user_agent"], row["resource_icon"], row["user"]) == ("", "", "", None)
    assert (row["organization_id"], row["request_id"]) == (NIL, NIL)
    assert (row["diff"], row["additional_fields"]) == ({}, {})
    assert "organization" not in row


def test_an_organization_that_is_not_known_is_shown_by_its_id(owner: Client) -> None:
    unknown = str(uuid4())
    owner.post(PATH, event(organization_id=unknown))
    (row,) = rows(ask(owner))
    assert row["organization"] == {"id": unknown, "name": "", "display_name": "", "icon": ""}


def test_a_deleted_user_is_shown_and_found_by_address(owner: Client, house: House) -> None:
    ann = house.user("ann")
    owner.post(PATH, event(user_id=ann.id))
    (before,) = rows(ask(owner, f"resource_type:template email:{ann.email}"))
    gone = replace(ann, deleted=True, updated_at=times.now())
    people.save_user(gone, ann)
    (after,) = rows(ask(owner, f"resource_type:template email:{ann.email}"))
    assert {**after["user"], "updated_at": ""} == {**before["user"], "updated_at": ""}
    assert rows(ask(owner, "resource_type:template username:ann")) == []


BUILD = {"workspace_name": "dev", "build_number": "7", "workspace_owner": "colin", "workspace_id": str(UUID(int=9))}


@pytest.mark.parametrize(
    ("changes", "deleted", "link"),
    [
        ({"resource_type": "template"}, False, "/templates/rust"),
        ({"resource_type": "template", "action": "delete"}, True, ""),
        ({"resource_type": "template", "action": "delete", "status_code": 403}, False, "/templates/rust"),
        ({"resource_type": "workspace", "additional_fields": BUILD}, False, "/@colin/rust"),
        ({"resource_type": "workspace", "additional_fields": BUILD, "action": "delete"}, True, ""),
        ({"resource_type": "workspace_build", "additional_fields": BUILD}, False, "/@colin/dev/builds/7"),
        ({"resource_type": "workspace_build", "additional_fields": BUILD, "action": "delete"}, True, ""),
        ({"resource_type": "workspace_agent", "additional_fields": BUILD, "action": "connect"}, False, "/@colin/dev"),
        ({"resource_type": "group", "action": "delete"}, False, ""),
        ({"resource_type": "user", "resource_id": str(UUID(int=5))}, True, ""),
    ],
)
def test_links_and_deletion_of_what_the_platform_keeps_follow_from_the_row(
    owner: Client, changes: Mapping[str, Any], link: str, *, deleted: bool
) -> None:
    assert owner.post(PATH, event(**changes)).status == 200
    (row,) = rows(ask(owner))
    assert (row["is_deleted"], row["resource_link"]) == (deleted, link)


def test_whether_a_user_is_deleted_is_known_of_today(owner: Client, house: House) -> None:
    ann = house.user("ann")
    owner.post(PATH, event(resource_type="user", resource_id=ann.id, resource_target="ann"))
    (row,) = rows(ask(owner, "resource_type:user action:write"))
    assert (row["is_deleted"], row["resource_link"]) == (False, "/users?filter=ann")
    owner.delete(f"/api/v2/users/{ann.id}")
    (row,) = rows(ask(owner, "resource_type:user action:write"))
    assert (row["is_deleted"], row["resource_link"]) == (True, "")


def test_the_budget_of_a_group_is_linked_by_the_name_of_its_organization(owner: Client, house: House) -> None:
    acme = house.organization("acme")
    owner.post(PATH, event(resource_type="group_ai_budget", organization_id=acme.id, resource_target="devs"))
    assert rows(ask(owner))[0]["resource_link"] == "/organizations/acme/groups/devs"


UNKNOWN = dict.fromkeys(("workspace_name", "build_number", "build_reason", "workspace_owner"), "unknown")


@pytest.mark.parametrize(
    ("given", "expected"),
    [({"build_number": 7}, UNKNOWN), ({"workspace_id": "x"}, UNKNOWN), ({"connection_type": "ssh"}, None), ({}, None)],
)
def test_additional_fields_that_cannot_be_read_are_unknown(
    owner: Client, given: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    owner.post(PATH, event(additional_fields=given))
    assert rows(ask(owner))[0]["additional_fields"] == (given if expected is None else expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"resource_type": "workspace", "action": "create"}, "{user} created workspace {target}"),
        (
            {"resource_type": "workspace", "action": "create", "status_code": 400},
            "{user} unsuccessfully attempted to create workspace {target}",
        ),
        ({"resource_type": "api_key", "action": "login"}, "{user} logged in"),
        ({"resource_type": "git_ssh_key", "action": "delete"}, "{user} deleted the git ssh key"),
        (
            {"resource_type": "chat", "diff": {"archived": {"old": False, "new": True}}},
            "{user} archived chat {target}",
        ),
        (
            {"resource_type": "chat", "diff": {"archived": {"old": True, "new": False}}},
            "{user} unarchived chat {target}",
        ),
        ({"resource_type": "chat", "diff": {"user_acl": {}}}, "{user} updated sharing for chat {target}"),
        ({"resource_type": "chat", "status_code": 400}, "{user} unsuccessfully attempted to write chat {target}"),
        ({"resource_type": "chat", "action": "create"}, "{user} created chat {target}"),
    ],
)
def test_what_happened_is_told_in_words(owner: Client, changes: dict[str, Any], expected: str) -> None:
    owner.post(PATH, event(**changes))
    assert rows(ask(owner))[0]["description"] == expected


@pytest.mark.parametrize("action", ["connect", "disconnect", "open", "close"])
def test_deprecated_connection_events_come_back_with_their_additional_fields(owner: Client, action: str) -> None:
    kind = "workspace_agent" if "connect" in action else "workspace_app"
    fields = {"connection_type": "ssh", "workspace_name": "dev", "workspace_owner": "colin"}
    made = {"resource_type": kind, "action": action, "additional_fields": fields, "time": AT}
    assert owner.post(GENERATE, made).status == 204
    (row,) = rows(ask(owner, f"action:{action}"))
    assert (row["additional_fields"], row["resource_type"], row["time"]) == (fields, kind, AT)


# Who may read what.


@pytest.fixture
def two(owner: Client, house: House) -> tuple[Organization, Organization]:
    """Two organizations with two rows each, and two rows of none."""
    made = house.organization("one"), house.organization("two")
    for organization_id in (NIL, made[0].id, made[1].id):
        owner.post(PATH, [event(organization_id=organization_id) for _ in range(2)])
    return made


@pytest.mark.parametrize(
    ("site", "inside", "expected"),
    [
        (("auditor",), (), 6),
        (("owner",), (), 6),
        ((), (("one", "organization-auditor"),), 2),
        ((), (("one", "organization-admin"),), 2),
        ((), (("one", "organization-auditor"), ("two", "organization-auditor")), 4),
        ((), (("one", "organization-auditor"), ("two", "")), 2),
        ((), (("elsewhere", "organization-auditor"),), 0),
    ],
)
def test_each_role_reads_its_rows(
    house: House,
    two: tuple[Organization, Organization],
    site: tuple[str, ...],
    inside: tuple[tuple[str, str], ...],
    expected: int,
) -> None:
    ids = {"one": two[0].id, "two": two[1].id, "elsewhere": str(uuid4())}
    roles = {ids[name]: (role,) if role else () for name, role in inside}
    client = house.client(house.user("bob", *site, organizations=roles))
    matches = rows(ask(client, "template"))
    assert len(matches) == expected
    if not site:
        assert {row["organization_id"] for row in matches} <= set(roles)


def test_an_organization_is_asked_for_by_id_and_by_name(house: House, two: tuple[Organization, Organization]) -> None:
    client = house.client(house.user("bob", organizations={two[0].id: ("organization-auditor",)}))
    assert len(rows(ask(client, f"organization:{two[0].id}"))) == 2
    assert len(rows(ask(client, "organization:ONE"))) == 2
    assert rows(ask(client, f"organization:{two[1].id}")) == []
    assert ask(client, "organization:two").status == 400


@pytest.mark.parametrize(
    ("site", "inside"),
    [((), None), ((), ()), (("user-admin",), None), (("template-admin",), None), ((), ("organization-user-admin",))],
)
@pytest.mark.parametrize("query", [{}, {"limit": "bogus"}, {"q": "foo:bar"}])
def test_who_may_read_no_row_is_told_so(
    house: House,
    assert_error: CheckError,
    *,
    site: tuple[str, ...],
    inside: tuple[str, ...] | None,
    query: dict[str, str],
) -> None:
    acme = house.organization("acme")
    client = house.client(house.user("bob", *site, organizations={} if inside is None else {acme.id: inside}))
    reply = client.get(PATH, query=query)
    assert reply.status == 403
    assert assert_error(reply)["message"] == "Forbidden."


@pytest.mark.parametrize(
    ("held", "status", "number"),
    [
        ({"scopes": ("audit_log:read",)}, 200, 6),
        ({"scopes": ("coder:logs.read",)}, 200, 6),
        ({"scopes": ("audit_log:create",)}, 403, 0),
        ({"scopes": ("connection_log:read",)}, 403, 0),
        ({"allow_list": ("audit_log:*",)}, 200, 6),
        ({"allow_list": (f"audit_log:{UUID(int=99)}",)}, 200, 0),
        ({"allow_list": ("workspace:*",)}, 403, 0),
    ],
)
@pytest.mark.usefixtures("two")
def test_scopes_and_allow_lists_narrow_a_reader(
    house: House, root: User, held: dict[str, Any], status: int, number: int
) -> None:
    reply = ask(house.client(root, **held), "template")
    assert reply.status == status
    if status == 200:
        assert len(rows(reply)) == number


@pytest.mark.parametrize("size", [10, 5_000, 250_000], ids=["small", "apart", "in several items"])
def test_a_token_for_one_row_reads_it_whole(house: House, owner: Client, root: User, size: int) -> None:
    text = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(size // 3))
    made = event(diff={"a": {"old": text, "new": text[::-1], "secret": False}}, additional_fields={"x": 1})
    owner.post(PATH, [made, event()])
    one = house.client(root, allow_list=(f"audit_log:{made['id']}",))
    (row,) = rows(ask(one))
    assert (row["id"], row["diff"], row["additional_fields"]) == (made["id"], made["diff"], {"x": 1})


# What a page costs, and what it holds.


def test_a_page_is_four_calls_beside_the_token_check_even_with_large_diffs(
    owner: Client, house: House, transport: ObservedTransport
) -> None:
    acme, ann = house.organization("acme"), house.user("ann")
    large = {"a": {"new": "".join(str(uuid4()) for _ in range(60))}}
    events = [event(organization_id=acme.id, user_id=ann.id, diff=large if n % 3 else None) for n in range(60)]
    assert owner.post(PATH, events).json["created"] == 60
    owner.get(PATH)
    transport.requests.clear()
    body = owner.get(PATH, query={"limit": "50", "q": "template"}).json
    assert len(body["audit_logs"]) == 50
    assert sum(bool(row["diff"]) for row in body["audit_logs"]) >= 30
    token_check = ["GetItem", "GetItem"]
    assert transport.operations[:2] == token_check
    assert sorted(transport.operations[2:]) == ["BatchGetItem", "Query", "Query"]


def test_a_page_of_huge_diffs_is_partial_and_goes_on_from_its_cursor(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_limits, "LARGEST_ANSWER", 100_000)
    text = "".join(str(uuid4()) for _ in range(800))
    made = [event(diff={"a": {"old": "", "new": text, "secret": False}}) for _ in range(9)]
    owner.post(PATH, made)
    seen: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    pages = 0
    while True:
        body = ask(owner, **more).json
        assert body["audit_logs"]
        seen += body["audit_logs"]
        pages += 1
        if "next_cursor" not in body:
            break
        assert body["partial"] is True
        more = {"cursor": body["next_cursor"]}
    assert pages == 3
    assert {row["id"]: row["diff"] for row in seen} == {one["id"]: one["diff"] for one in made}
    assert len(seen) == 9


def test_the_largest_row_there_can_be_is_within_what_lambda_answers(owner: Client) -> None:
    # Escaped once as JSON that is no HTML, and once more as Lambda's answer, this character takes seven bytes.
    side = "<" * (300 * 1_024 - len('{"a":""}'))
    made = event(
        diff={"a": {"old": side, "new": side, "secret": False}},
        additional_fields={"x": "<" * (64 * 1_024 - len('{"x":""}'))},
        user_agent="<" * 256,
        resource_target="<" * 2_048,
        resource_icon="<" * 8_192,
    )
    assert owner.post(PATH, made).status == 200
    assert owner.post(PATH, {**made, "id": str(uuid4())}).status == 200
    reply = owner.get(PATH)
    assert len(json.dumps(reply.text)) < 6_000_000
    assert len(reply.json["audit_logs"]) == 1
    assert reply.json["partial"] is True


def test_rows_past_the_retention_are_not_shown(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    owner.post(PATH, [event(), event(time=times.wire(times.now()))])
    monkeypatch.setattr(holds, "current", lambda: Settings(audit_logs_retention=10**9 * 3_600))
    assert len(rows(ask(owner))) == 1


# testgenerate.


def test_what_is_generated_when_nothing_is_asked(owner: Client, root: User) -> None:
    before = times.now()
    assert owner.post(GENERATE, {}, headers={"User-Agent": "tester"}).status == 204
    (row,) = rows(ask(owner))
    assert (row["action"], row["resource_type"], row["resource_target"]) == ("write", "user", root.username)
    assert row["diff"] == {"foo": {"old": "bar", "new": "baz", "secret": False}}
    assert (row["status_code"], row["user_agent"], row["additional_fields"]) == (200, "tester", {})
    assert (row["organization_id"], row["request_id"]) == (NIL, NIL)
    assert UUID(row["resource_id"]).version == 4
    assert row["user"]["id"] == root.id
    assert times.wire(before) <= row["time"] <= times.wire(times.now())


def test_the_build_reason_of_a_generated_row_is_found(owner: Client) -> None:
    made = {"resource_type": "workspace_build", "action": "start", "build_reason": "autostart"}
    assert owner.post(GENERATE, made).status == 204
    assert len(rows(ask(owner, "build_reason:autostart"))) == 1
    assert len(rows(ask(owner, "resource_type:workspace_build"))) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"action": ""},
        {"resource_type": "retention_run"},
        {"resource_id": "x"},
        {"time": "yesterday"},
        {"additional_fields": []},
        {"additional_fields": {"x": "y" * 70_000}},
    ],
)
def test_a_wrong_wish_for_a_row_is_told(owner: Client, assert_error: CheckError, body: dict[str, Any]) -> None:
    reply = owner.post(GENERATE, body)
    assert reply.status == 400
    assert [problem["field"] for problem in assert_error(reply)["validations"]] == list(body)
    assert rows(ask(owner)) == []


@pytest.mark.parametrize(("role", "status"), [("owner", 204), ("auditor", 403), ("user-admin", 403), ("", 403)])
def test_only_who_may_write_the_log_generates_rows(house: House, role: str, status: int) -> None:
    assert house.client(house.user("bob", *filter(None, [role]))).post(GENERATE, {}).status == status


def test_an_organization_admin_generates_no_rows(house: House) -> None:
    acme = house.organization("acme")
    admin = house.client(house.user("bob", organizations={acme.id: ("organization-admin",)}))
    for asked in ({"organization_id": acme.id}, {}):
        assert admin.post(GENERATE, asked).status == 403
