"""No answer tells what its reader may not know: who holds an id, who a user of another organization is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.errors import Invalid, Validation

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]
Event = Callable[..., dict[str, Any]]

CONNECTIONS = "/api/v2/connectionlog"
AUDIT = "/api/v2/audit"
NOBODY = "6f6a1f0e-52a4-4b6e-9d0a-6a1d5b0f7c21"


def audited(**changes: Any) -> dict[str, Any]:
    made = {
        "time": "2025-07-10T10:14:38.942776Z",
        "user_id": NOBODY,
        "resource_type": "template",
        "resource_id": NOBODY,
        "resource_target": "rust",
        "action": "write",
        "status_code": 200,
    }
    return made | changes


def result_of(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200
    (result,) = reply.json["results"]
    return dict(result)


def test_a_taken_id_of_another_organization_is_answered_like_any_other(
    house: House, owner: Client, make_event: Event
) -> None:
    acme, other = house.organization("acme"), house.organization("other")
    sender = house.client(house.user("sender", "owner"), scopes=("connection_log:update",))
    web = {"type": "workspace_app", "connection_id": None}
    theirs = make_event(id=str(uuid4()), organization_id=other.id, **web)
    assert owner.post(CONNECTIONS, theirs).status == 200
    taken = result_of(sender.post(CONNECTIONS, theirs | {"organization_id": acme.id}))
    free = result_of(sender.post(CONNECTIONS, theirs | {"organization_id": acme.id, "id": str(uuid4())}))
    assert taken == free | {"id": theirs["id"]}
    assert owner.logs().json["count"] == 3


def test_who_reads_the_whole_log_is_told_of_the_other_event(house: House, owner: Client, make_event: Event) -> None:
    acme = house.organization("acme")
    web = {"type": "workspace_app", "connection_id": None}
    first = make_event(id=str(uuid4()), organization_id=acme.id, slug_or_port="one", **web)
    made = result_of(owner.post(CONNECTIONS, first))
    assert (made["status"], "message" in made) == ("created", False)
    assert "taken" in result_of(owner.post(CONNECTIONS, first | {"slug_or_port": "two"}))["message"]
    writer = house.client(house.user("writer", "owner"), scopes=("audit_log:create",))
    sent = audited(id=str(uuid4()))
    assert result_of(writer.post(AUDIT, sent)) == result_of(writer.post(AUDIT, sent | {"action": "delete"}))


@pytest.mark.parametrize("role", ["organization-auditor", "organization-admin"])
def test_a_user_of_no_common_organization_is_an_id_and_a_username(house: House, owner: Client, role: str) -> None:
    acme, other = house.organization("acme"), house.organization("other")
    stranger = house.user("stranger", "auditor", organizations={other.id: ()}, name="A Stranger")
    member = house.user("member", organizations={acme.id: ()}, name="A Member")
    for user in (stranger, member):
        assert owner.post(AUDIT, audited(user_id=user.id, organization_id=acme.id)).status == 200
    reader = house.client(house.user("reader", organizations={acme.id: (role,)}))
    users = {row["user"]["username"]: row["user"] for row in reader.get(AUDIT).json["audit_logs"]}
    assert users["member"]["email"] == member.email
    if role == "organization-admin":
        # An organization admin may read users.
        assert users["stranger"]["email"] == stranger.email
        return
    known = {name: value for name, value in users["stranger"].items() if value}
    never = {"created_at", "updated_at", "last_seen_at"}
    assert {name: value for name, value in known.items() if name not in never} == {
        "id": stranger.id,
        "username": "stranger",
    }
    assert stranger.email not in reader.get(AUDIT).text
    assert owner.get(AUDIT).text.count(stranger.email) == 1


def test_a_web_event_shows_a_stranger_as_an_audit_row_does(house: House, owner: Client, make_event: Event) -> None:
    acme = house.organization("acme")
    stranger = house.user("stranger", "auditor")
    web = {"type": "workspace_app", "connection_id": None}
    owner.post(CONNECTIONS, make_event(organization_id=acme.id, user_id=stranger.id, **web))
    reader = house.client(house.user("reader", organizations={acme.id: ("organization-auditor",)}))
    (row,) = reader.logs().json["connection_logs"]
    user = row["web_info"]["user"]
    assert (user["id"], user["username"], user["email"], user["roles"]) == (stranger.id, "stranger", "", [])


@pytest.mark.parametrize("log", [CONNECTIONS, AUDIT])
def test_a_guessed_address_finds_no_stranger(house: House, owner: Client, make_event: Event, log: str) -> None:
    acme, elsewhere = house.organization("acme"), house.organization("elsewhere")
    colleague = house.user("colleague", organizations={acme.id: ()})
    stranger = house.user("stranger", organizations={elsewhere.id: ()})
    web = {"type": "workspace_app", "connection_id": None, "organization_id": acme.id}
    for user in (colleague, stranger):
        assert owner.post(CONNECTIONS, make_event(user_id=user.id, **web)).status == 200
        assert owner.post(AUDIT, audited(user_id=user.id, organization_id=acme.id)).status == 200
    as_auditor = house.client(house.user("ken", organizations={acme.id: ("organization-auditor",)}))
    key = "user_email" if log == CONNECTIONS else "email"
    for reader in (owner, as_auditor):
        assert count(reader, log, f"{key}:{colleague.email}") == 1
        assert count(reader, log, f"username:{stranger.username}") == 1
    assert count(owner, log, f"{key}:{stranger.email}") == 1
    assert count(as_auditor, log, f"{key}:{stranger.email}") == 0
    assert count(as_auditor, log, f"-{key}:{stranger.email}") == 2
    summary = as_auditor.get(f"{log}/summary", query={"q": f"{key}:{stranger.email}", "from": "2025-01-01"}).json
    assert sum(bucket["count"] for bucket in summary["buckets"]) == 0


def count(reader: Client, log: str, q: str) -> int:
    reply = reader.get(log, query={"q": q})
    assert reply.status == 200, reply.text
    return int(reply.json["count"])


def test_a_user_who_was_not_mirrored_in_is_an_id(owner: Client) -> None:
    assert owner.post(AUDIT, audited()).status == 200
    (row,) = owner.get(AUDIT).json["audit_logs"]
    assert (row["user"]["id"], row["user"]["username"]) == (NOBODY, "")


def test_what_the_platform_did_by_itself_has_no_user(owner: Client) -> None:
    assert owner.post(AUDIT, audited(user_id="00000000-0000-0000-0000-000000000000")).status == 200
    (row,) = owner.get(AUDIT).json["audit_logs"]
    assert row["user"] is None


# What is repeated of a request.


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("keys/tokens", {"scopes": ["s" * 100_000]}),
        ("keys/tokens", {"scope": "s" * 100_000}),
        ("keys/tokens", {"allow_list": ["x" * 100_000]}),
        ("keys/tokens", {"allow_list": [f"workspace:{'x' * 100_000}"]}),
        ("keys/tokens", {"allow_list": [f"{'x' * 100_000}:*"]}),
        ("keys/tokens", {"allowed_ips": ["9" * 60]}),
        ("keys/tokens", {"token_name": "n" * 100_000}),
    ],
)
def test_an_error_repeats_little_of_a_request(as_ann: Client, assert_error: CheckError, path: str, body: Any) -> None:
    reply = as_ann.post(f"/api/v2/users/me/{path}", body)
    assert reply.status == 400
    assert_error(reply)
    assert len(reply.text) < 1_000


def test_an_error_repeats_little_of_a_query_and_of_names(owner: Client, ann: User, assert_error: CheckError) -> None:
    long = "x" * 100_000
    replies = [
        owner.get("/api/v2/users/me/keys/tokens", query={"limit": long}),
        owner.get("/api/v2/users/me/keys/tokens", query={"limit": "9" * 100_000}),
        owner.get(CONNECTIONS, query={"q": f"type:{long}"}),
        owner.get(AUDIT, query={"q": f"{long}:x"}),
        owner.put(f"/api/v2/users/{ann.id}", {"username": "ann", "email": "a@example.com", "roles": [long]}),
    ]
    for reply in replies:
        assert reply.status == 400
        assert_error(reply)
        assert len(reply.text) < 3_000


def test_no_error_is_longer_than_a_client_can_use() -> None:
    many = [Validation("f" * 10_000, "d" * 10_000)] * 1_000
    body = Invalid(many, "m" * 10_000).body()
    assert len(body["message"]) < 2_100
    assert len(body["validations"]) == 100
    assert all(len(one["field"]) < 2_100 and len(one["detail"]) < 2_100 for one in body["validations"])
