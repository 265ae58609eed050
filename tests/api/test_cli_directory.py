"""The requests that Coder's CLI makes about users, organizations and members are answered as it waits for.

The requests were recorded from release 2.30.0, run against a served instance: each command with its calls in their
order, the bodies as it sends them, and the status that it takes for success.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from chalicelib.version import BUILD_VERSION, VERSION

if TYPE_CHECKING:
    from tests.api.conftest import Client, House

HEADERS = {
    "User-Agent": "coder-cli/v2.30.0 (linux/amd64; coder)",
    "Coder-CLI-Telemetry": "eyJjb21tYW5kIjoidXNlcnMifQ==",
}
NIL = "00000000-0000-0000-0000-000000000000"


class Sent(NamedTuple):
    """One request of a command; names in braces stand for ids that an answer before it gave."""

    method: str
    path: str
    status: int
    body: Any = None
    query: Mapping[str, str] | None = None


ORGANIZATIONS_OF_ME = Sent("GET", "/users/me/organizations", 200)
SHOW_CARL = Sent("GET", "/users/carl", 200)
NEW_USER = {
    "email": "carl@example.com",
    "username": "carl",
    "name": "Carl C",
    "password": "",
    "login_type": "none",
    "user_status": None,
    "organization_ids": ["{team-x}"],
}
COMMANDS: tuple[tuple[str, tuple[Sent, ...]], ...] = (
    (
        "organizations create team-x",
        (
            Sent("GET", "/organizations/team-x", 404),
            Sent("POST", "/organizations", 201, {"name": "team-x"}),
        ),
    ),
    (
        "users create -u carl -e carl@example.com -n 'Carl C' --login-type none -O team-x",
        (ORGANIZATIONS_OF_ME, Sent("POST", "/users", 201, NEW_USER)),
    ),
    (
        "users create -u pw -e pw@example.com -p x -O team-x",
        (
            ORGANIZATIONS_OF_ME,
            Sent(
                "POST", "/users", 400, {**NEW_USER, "username": "pw", "password": "Secret123", "login_type": "password"}
            ),
        ),
    ),
    ("users list", (Sent("GET", "/users", 200, query={"q": ""}),)),
    ("users list --github-user-id 17", (Sent("GET", "/users", 200, query={"q": "github_com_user_id:17"}),)),
    ("users show carl", (SHOW_CARL, Sent("GET", "/organizations/{team-x}", 200))),
    (
        "users edit-roles carl --roles auditor",
        (
            SHOW_CARL,
            Sent("GET", "/users/carl/roles", 200),
            Sent("GET", "/users/roles", 200),
            Sent("PUT", "/users/carl/roles", 200, {"roles": ["auditor"]}),
        ),
    ),
    ("users suspend carl", (SHOW_CARL, Sent("PUT", "/users/{carl}/status/suspend", 200))),
    ("users activate carl", (SHOW_CARL, Sent("PUT", "/users/{carl}/status/activate", 200))),
    ("organizations members add ken", (ORGANIZATIONS_OF_ME, Sent("POST", "/organizations/{team-x}/members/ken", 200))),
    (
        "organizations members edit-roles ken organization-auditor",
        (
            ORGANIZATIONS_OF_ME,
            Sent("PUT", "/organizations/{team-x}/members/ken/roles", 200, {"roles": ["organization-auditor"]}),
        ),
    ),
    ("organizations members list", (ORGANIZATIONS_OF_ME, Sent("GET", "/organizations/{team-x}/members", 200))),
    (
        "organizations members remove ken",
        (ORGANIZATIONS_OF_ME, Sent("DELETE", "/organizations/{team-x}/members/ken", 204)),
    ),
    ("organizations roles show", (ORGANIZATIONS_OF_ME, Sent("GET", "/organizations/{team-x}/members/roles", 200))),
    ("users delete carl", (SHOW_CARL, Sent("DELETE", "/users/{carl}", 200))),
    ("users show carl, deleted", (Sent("GET", "/users/carl", 404),)),
)


def filled(value: Any, ids: Mapping[str, str]) -> Any:
    """A recorded text, or the texts within a recorded body, with the ids in place of their names."""
    match value:
        case str():
            for name, row_id in ids.items():
                value = value.replace(f"{{{name}}}", row_id)
            return value
        case list():
            return [filled(item, ids) for item in value]
        case dict():
            return {key: filled(item, ids) for key, item in value.items()}
    return value


@pytest.fixture
def answers(owner: Client, house: House) -> Mapping[str, list[Any]]:
    """Every command in turn, with the answers that it heard."""
    house.user("ken")
    ids: dict[str, str] = {}

    def heard(sent: Sent) -> Iterator[Any]:
        path = filled(sent.path, ids)
        body = filled(sent.body, ids)
        reply = owner.send(sent.method, f"/api/v2{path}", body, query=sent.query, headers=HEADERS)
        assert reply.status == sent.status, f"{sent.method} {path}: {reply.status} {reply.text}"
        assert reply.headers["x-coder-build-version"] == BUILD_VERSION
        answer = None if reply.status == 204 else reply.json
        if sent.method == "POST" and isinstance(answer, dict) and "id" in answer:
            ids[answer.get("username") or answer["name"]] = answer["id"]
        yield answer

    return {command: [answer for sent in requests for answer in heard(sent)] for command, requests in COMMANDS}


def test_every_command_is_answered_with_what_it_shows(answers: Mapping[str, list[Any]]) -> None:
    created = answers["users create -u carl -e carl@example.com -n 'Carl C' --login-type none -O team-x"][-1]
    assert (created["name"], created["login_type"], created["status"]) == ("Carl C", "none", "dormant")
    refused = answers["users create -u pw -e pw@example.com -p x -O team-x"][-1]
    assert refused["message"] == "There are no passwords here."
    columns = {"id", "username", "email", "created_at", "updated_at", "status"}
    listed = answers["users list"][0]["users"]
    assert [user["username"] for user in listed] == ["carl", "ken", "root"]
    assert all(columns <= user.keys() for user in listed)
    assert answers["users list --github-user-id 17"][0] == {"users": [], "count": 0}
    _, held, known, changed = answers["users edit-roles carl --roles auditor"]
    assert held == {"roles": [], "organization_roles": {changed["organization_ids"][0]: []}}
    assert "auditor" in {role["name"] for role in known}
    assert changed["roles"] == [{"name": "auditor", "display_name": "Auditor"}]
    assert answers["users suspend carl"][-1]["status"] == "suspended"
    assert answers["users activate carl"][-1]["status"] == "active"
    member = answers["organizations members edit-roles ken organization-auditor"][-1]
    assert [role["display_name"] for role in member["roles"]] == ["Organization Auditor"]
    members = answers["organizations members list"][-1]
    assert [row["username"] for row in members] == ["carl", "ken", "root"]
    printed = answers["organizations roles show"][-1]
    levels = ("site_permissions", "organization_permissions", "user_permissions")
    assert all(isinstance(role[level], list) for role in printed for level in levels)


def test_a_release_compares_our_version_with_nothing() -> None:
    # A release is silent where the major and minor version are its own, and with development builds, which are v0.0.0.
    base, _, build = BUILD_VERSION.partition("+")
    assert base == "v0.0.0"
    assert build == f"gatebook-{VERSION}"


@pytest.mark.parametrize(
    ("entries", "types"), [([], ""), (["workspace:*"], ""), (["chat:*", "user_skill:*", "user:*"], "chat, user_skill")]
)
def test_minting_says_what_a_cli_cannot_list(owner: Client, entries: list[str], types: str) -> None:
    reply = owner.post("/api/v2/users/me/keys/tokens", {"allow_list": entries})
    detail = f"A Coder CLI that does not know {types} cannot list the tokens of this user any more."
    assert reply.status == 201
    assert reply.json.get("warnings", []) == ([{"field": "allow_list", "detail": detail}] if types else [])
