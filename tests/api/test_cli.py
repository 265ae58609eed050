"""Each command of Coder's CLI hears what it waits for: its calls, in its order, with its bodies and headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.store.directory import api_keys

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House, Reply

HEADERS = {
    "User-Agent": "coder-cli/v2.30.0 (linux/amd64; coder)",
    "Coder-CLI-Telemetry": "eyJjb21tYW5kIjoid2hvYW1pIn0=",
}
DAY = 24 * 3_600 * 1_000_000_000
NOT_FOUND = "Resource not found or you do not have access to this resource"


@dataclass
class CLI:
    """The part of the CLI that talks to the server: which statuses it takes for success, and what it reads then."""

    client: Client
    token: str = ""
    calls: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Reply:
        self.calls.append(f"{method} {path}")
        headers = HEADERS | ({"Coder-Session-Token": self.token} if self.token else {})
        reply = self.client.send(method, f"/api/v2{path}", body, query=query, headers=headers)
        if reply.status != 204:
            assert reply.headers["content-type"].startswith("application/json")
            assert isinstance(reply.json, (dict, list))
        return reply

    def login(self, token: str, *, use_token_as_session: bool = False) -> str:
        """The session that the CLI keeps afterwards."""
        assert self.send("GET", "/buildinfo").json["version"].startswith("v")
        assert self.send("GET", "/users/first").status == 200
        self.token = token
        if not use_token_as_session:
            reply = self.send("POST", "/users/me/keys")
            assert reply.status <= 201, reply.text
            self.token = reply.json["key"]
        assert self.whoami()["username"]
        return self.token

    def whoami(self) -> dict[str, Any]:
        reply = self.send("GET", "/users/me")
        assert reply.status == 200, reply.text
        user: dict[str, Any] = reply.json
        assert {"id", "username", "organization_ids", "roles"} <= user.keys()
        return user

    def create(self, user: str = "me", **flags: Any) -> str:
        config = self.send("GET", f"/users/{user}/keys/tokens/tokenconfig")
        assert config.status == 200
        longest = config.json["max_token_lifetime"]
        body = {"lifetime": longest, "token_name": "", **flags}
        reply = self.send("POST", f"/users/{user}/keys/tokens", body)
        assert reply.status <= 201, reply.text
        key: str = reply.json["key"]
        assert self.send("GET", f"/users/{user}/keys/{first_part(key)}").status == 200
        return key

    def list(self, **flags: str) -> list[dict[str, Any]]:
        query = {"include_all": "false", "include_expired": "false", **flags}
        reply = self.send("GET", "/users/me/keys/tokens", query=query)
        assert reply.status <= 200
        keys: list[dict[str, Any]] = reply.json
        columns = {"id", "token_name", "scopes", "allow_list", "last_used", "expires_at", "created_at", "username"}
        assert all(columns <= key.keys() for key in keys)
        return keys

    def view(self, name: str) -> dict[str, Any]:
        reply = self.send("GET", f"/users/me/keys/tokens/{name}")
        if reply.status != 200:
            reply = self.send("GET", f"/users/me/keys/{first_part(name)}")
        assert reply.status == 200, reply.text
        key: dict[str, Any] = reply.json
        return key

    def remove(self, name: str, *, delete: bool = False) -> None:
        path = f"/users/me/keys/{self.view(name)['id']}"
        reply = self.send("DELETE", path) if delete else self.send("PUT", f"{path}/expire")
        assert reply.status == 204, reply.text


def first_part(text: str) -> str:
    return text.partition("-")[0]


@pytest.fixture
def cli(client: Client) -> CLI:
    return CLI(client)


@pytest.fixture
def logged_in(cli: CLI, as_ann: Client) -> CLI:
    cli.login(as_ann.token)
    cli.calls.clear()
    return cli


def test_login_makes_a_session_of_its_own(cli: CLI, as_ann: Client) -> None:
    session = cli.login(as_ann.token)
    assert cli.calls == ["GET /buildinfo", "GET /users/first", "POST /users/me/keys", "GET /users/me"]
    assert session != as_ann.token
    key = api_keys.get(first_part(session))
    assert key is not None
    assert (key.login_type, key.lifetime_seconds) == ("password", 7 * 24 * 3_600)


def test_login_with_the_token_as_session(cli: CLI, as_ann: Client) -> None:
    assert cli.login(as_ann.token, use_token_as_session=True) == as_ann.token
    assert cli.calls == ["GET /buildinfo", "GET /users/first", "GET /users/me"]


def test_login_with_a_token_of_coders_own_format(cli: CLI, house: House, ann: User) -> None:
    from chalicelib.access.secret import hash_secret  # noqa: PLC0415 - one test speaks of hashes

    house.token(ann, id="WuoWs4ZsMX", hashed_secret=hash_secret("x" * 22))
    assert cli.login(f"WuoWs4ZsMX-{'x' * 22}").startswith("gbk_")


def test_login_with_a_bad_token_says_what_to_do(cli: CLI, root: User) -> None:
    assert root.username == "root"
    cli.token = f"WuoWs4ZsMX-{'x' * 22}"
    reply = cli.send("POST", "/users/me/keys")
    assert reply.status == 401
    assert reply.json["message"].endswith("Please sign in again to continue.")


def test_login_where_nobody_is_yet(cli: CLI) -> None:
    assert cli.send("GET", "/users/first").status == 404
    first = cli.send(
        "POST",
        "/users/first",
        {"email": "a@example.com", "username": "a", "password": "SomeSecurePassword!", "trial": False},
    )
    login = cli.send("POST", "/users/login", {"email": "a@example.com", "password": "SomeSecurePassword!"})
    for reply in (first, login):
        assert (reply.status, reply.json["message"]) == (403, "Password authentication is disabled.")


def test_whoami(logged_in: CLI, ann: User) -> None:
    user = logged_in.whoami()
    assert logged_in.calls == ["GET /users/me"]
    assert (user["id"], user["username"], user["organization_ids"], user["roles"]) == (ann.id, "ann", [], [])


def test_tokens_create(logged_in: CLI) -> None:
    token = logged_in.create()
    assert [call.replace(first_part(token), "ID") for call in logged_in.calls] == [
        "GET /users/me/keys/tokens/tokenconfig",
        "POST /users/me/keys/tokens",
        "GET /users/me/keys/ID",
    ]
    assert logged_in.view(token)["lifetime_seconds"] == 876_600 * 3_600


WORKSPACE = "workspace:5c9e0ff5-5d3f-4b5a-9d0e-0b4d8e6f7a01"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"lifetime": 30 * DAY}, {"lifetime_seconds": 30 * 24 * 3_600, "scopes": ["coder:all"]}),
        ({"token_name": "ci"}, {"token_name": "ci", "scope": "all", "allow_list": ["*:*"]}),
        ({"scopes": ["workspace:read", "template:use"]}, {"scopes": ["workspace:read", "template:use"], "scope": ""}),
        ({"scopes": ["all"]}, {"scopes": ["coder:all"], "scope": "all"}),
        ({"scopes": None, "allow_list": None, "scope": ""}, {"scopes": ["coder:all"], "allow_list": ["*:*"]}),
        ({"allow_list": [WORKSPACE, "template:*"]}, {"allow_list": ["template:*", WORKSPACE]}),
    ],
)
def test_tokens_create_with_flags(logged_in: CLI, flags: dict[str, Any], expected: dict[str, Any]) -> None:
    key = logged_in.view(logged_in.create(**flags))
    assert {name: key[name] for name in expected} == expected


def test_tokens_create_for_another_user(cli: CLI, owner: Client, ann: User) -> None:
    cli.login(owner.token)
    key = api_keys.get(first_part(cli.create("ann", token_name="robot")))
    assert key is not None
    assert key.user_id == ann.id


def test_tokens_list(logged_in: CLI, owner: Client, as_ann: Client) -> None:
    minted = logged_in.create(token_name="ci")
    logged_in.remove(minted)
    logged_in.calls.clear()
    hers = [first_part(as_ann.token)]
    assert owner.token
    assert [key["id"] for key in logged_in.list()] == hers
    assert [key["id"] for key in logged_in.list(include_expired="true")] == [*hers, first_part(minted)]
    assert [key["id"] for key in logged_in.list(include_all="true")] == hers
    assert set(logged_in.calls) == {"GET /users/me/keys/tokens"}


@pytest.mark.parametrize("by", ["name", "id", "token", "id with more"])
def test_tokens_view(logged_in: CLI, by: str) -> None:
    token = logged_in.create(token_name="my-ci")
    name = {"name": "my-ci", "id": first_part(token), "token": token, "id with more": f"{first_part(token)}-x-y"}[by]
    logged_in.calls.clear()
    assert logged_in.view(name)["id"] == first_part(token)
    fallback = [] if by == "name" else [f"GET /users/me/keys/{first_part(token)}"]
    assert logged_in.calls == [f"GET /users/me/keys/tokens/{name}", *fallback]


def test_tokens_view_of_nothing(logged_in: CLI) -> None:
    for path in ("tokens/nothing-at-all", "nothing"):
        reply = logged_in.send("GET", f"/users/me/keys/{path}")
        assert (reply.status, reply.json["message"]) == (404, NOT_FOUND)


@pytest.mark.parametrize("by", ["name", "token"])
@pytest.mark.parametrize("delete", [False, True])
def test_tokens_remove(logged_in: CLI, client: Client, by: str, delete: bool) -> None:
    token = logged_in.create(token_name="ci")
    logged_in.remove("ci" if by == "name" else token, delete=delete)
    key_id = first_part(token)
    assert logged_in.calls[-1] == (
        f"DELETE /users/me/keys/{key_id}" if delete else f"PUT /users/me/keys/{key_id}/expire"
    )
    assert (api_keys.get(key_id) is None) is delete
    assert client.get("/api/v2/users/me", headers={"Coder-Session-Token": token}).status == 401
    assert "ci" not in [key["token_name"] for key in logged_in.list()]
