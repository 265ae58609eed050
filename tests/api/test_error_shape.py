from __future__ import annotations

import base64
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app import app
from chalicelib.api import users
from chalicelib.api.http import RESPONSE_HEADERS, answered_methods
from chalicelib.routes import ROUTES
from chalicelib.store.directory import listing, people
from chalicelib.ui.page import CONTENT_SECURITY_POLICY
from tests.api.matrix import HEC, OTLP, UNGATED, refused_status

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House, Reply

CheckError = Callable[["Reply"], dict[str, Any]]

# What these do is in the path and in the token.
BODILESS = {
    ("POST", "/api/v2/users/first"),
    ("POST", "/api/v2/users/login"),
    ("POST", "/api/v2/users/logout"),
    ("POST", "/api/v2/users/{user}/keys"),
    ("PUT", "/api/v2/users/{user}/keys/{keyid}/expire"),
    ("POST", "/ui/session"),
    ("PUT", "/api/v2/users/{user}/status/suspend"),
    ("PUT", "/api/v2/users/{user}/status/activate"),
    ("POST", "/api/v2/organizations/{organization}/members/{user}"),
    ("POST", "/api/v2/notifications/test"),
    ("PUT", "/api/v2/notifications/inbox/mark-all-as-read"),
    ("POST", "/services/collector/ack"),
    *((route.method, route.path) for route in ROUTES if route.module == "api.control_plane"),
}
MAY_BE_EMPTY = {("POST", "/api/v2/users/{user}/keys/{keyid}/rotate"), ("POST", "/api/v2/retention/runs")}
EVERY_ROUTE = sorted((method, path) for path, methods in app.routes.items() for method in methods)
GATED = [route for route in EVERY_ROUTE if route not in UNGATED]
WITH_BODY = [route for route in EVERY_ROUTE if route[0] in ("PATCH", "POST", "PUT") and route not in BODILESS]
TELL_THE_TIME = {"/api/v2/connectionlog/summary", "/api/v2/audit/summary", "/api/v2/retention"}
"""Answers of two moments are not as long as each other."""
INGEST = (
    "/api/v2/connectionlog",
    "/api/v2/audit",
    HEC,
    *(f"{HEC}/{path}" for path in ("event", "event/1.0", "raw", "raw/1.0")),
    OTLP,
)
BY_LINES = (*INGEST, "/api/v2/directory")
LOGS = ("connectionlog", "audit")
HALF_A_PAIR = '{"a": "\\ud800"}'
HUGE = 6_000_000
SCHEDULES = ("schedule", "ttl_ms", "dormant", "deadline")


def concrete(path: str) -> str:
    """A path that names things which are not there."""
    names = {
        "keyid": "0123456789",
        "keyname": "nothing",
        "name": "nothing",
        "version": "0123456789abcdef",
        "asset": "nothing.js",
    }
    return path.format_map(defaultdict(lambda: str(uuid4()), names))


def seen(path: str, method: str, root: User) -> str:
    """A path whose user is there and can be read, where a view reads the user before it does anything else."""
    return concrete(path.replace("{user}", root.id) if method in ("PATCH", "POST") else path)


@pytest.fixture(autouse=True)
def _every_route_does_its_work(keeps_secrets: None, keeps_exports: list[str]) -> None:
    assert keeps_secrets is None
    assert keeps_exports == []


@pytest.fixture(autouse=True)
def _headers_are_decided_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every answer that these tests get has the headers that belong on all of them."""
    heard: list[dict[str, Any]] = []
    original = type(app).__call__

    def listening(self: Any, event: Any, context: Any) -> dict[str, Any]:
        answer = original(self, event, context)
        heard.append(answer)
        return answer

    monkeypatch.setattr(type(app), "__call__", listening)
    yield
    assert heard
    for answer in heard:
        page = {"Content-Security-Policy": CONTENT_SECURITY_POLICY} if _is_page(answer) else {}
        assert {**answer["headers"], **RESPONSE_HEADERS, **page} == answer["headers"]


def _is_page(answer: dict[str, Any]) -> bool:
    return bool(answer["headers"].get("Content-Type", "").startswith("text/html"))


def test_every_answer_lets_a_browser_do_nothing_with_it(client: Client, owner: Client) -> None:
    strict = {
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "strict-transport-security": "max-age=31536000",
        "x-content-type-options": "nosniff",
    }
    for caller, path, status in (
        (client, "/healthz", 200),
        (client, "/api/v2/users/me", 401),
        (owner, "/api/v2/users/me", 200),
        (owner, "/nothing", 404),
    ):
        reply = caller.get(path)
        assert reply.status == status
        assert reply.headers.items() >= strict.items()


def test_the_gate_covers_what_it_should() -> None:
    assert set(EVERY_ROUTE) >= UNGATED | BODILESS | MAY_BE_EMPTY
    assert len(GATED) == len(EVERY_ROUTE) - len(UNGATED)
    assert app({"requestContext": {}}, None)["statusCode"] == 404


@pytest.mark.parametrize(("method", "path"), GATED)
def test_without_a_token(client: Client, assert_error: CheckError, method: str, path: str) -> None:
    reply = client.send(method, concrete(path), {})
    body = assert_error(reply)
    assert reply.status == 401
    assert body["detail"] == 'Cookie "coder_session_token" or query parameter must be provided.'
    assert reply.headers["www-authenticate"].startswith("Bearer ")
    assert ("code" in reply.json) is path.startswith(HEC)


@pytest.mark.parametrize(("method", "path"), GATED)
def test_with_a_bad_token(client: Client, assert_error: CheckError, method: str, path: str) -> None:
    reply = client.send(method, concrete(path), {}, headers={"Coder-Session-Token": f"{'a' * 10}-{'b' * 22}"})
    assert reply.status == refused_status(path, 401)
    assert assert_error(reply)["detail"] == "API key is invalid."


@pytest.mark.parametrize("path", sorted(app.routes))
@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT", "DELETE", "GET", "HEAD", "TRACE", "get"])
def test_a_wrong_method(client: Client, assert_error: CheckError, method: str, path: str) -> None:
    allowed = answered_methods(app.routes[path])
    if method in allowed:
        assert client.send(method, concrete(path)).status != 405
        return
    reply = client.send(method, concrete(path))
    body = assert_error(reply)
    assert reply.status == 405
    assert body["message"] == "Method not allowed."
    assert reply.headers["allow"] == ", ".join(allowed)


@pytest.mark.parametrize("path", [path for path in sorted(app.routes) if "GET" in app.routes[path]])
def test_head_is_get_without_its_body(owner: Client, client: Client, path: str) -> None:
    for caller in (owner, client):
        get, head = caller.get(concrete(path)), caller.send("HEAD", concrete(path))
        assert (head.status, head.text) == (get.status, "")
        sent = base64.b64decode(get.text) if "content-encoding" in get.headers else get.text.encode()
        if path not in TELL_THE_TIME:
            assert head.headers["content-length"] == str(len(sent))
        assert head.headers.keys() == get.headers.keys() | {"content-length"}


@pytest.mark.parametrize(
    "path", ["/ui/a/b/c", "/nothing", "/api/v2", "/api/v2/usersx", "/api/v2/users/me/keys/tokens/a/b"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_unknown_route(client: Client, method: str, path: str) -> None:
    reply = client.send(method, path)
    assert (reply.status, reply.text) == (404, '{"message":"Route not found."}\n')


NO_JSON = ["{", "no json", "{'a': 1}", '{"a": NaN}', '{"a": Infinity}', b"\xff\xfe", "[" * 5_000, HALF_A_PAIR]


@pytest.mark.parametrize(("method", "path"), [route for route in WITH_BODY if route[1] not in BY_LINES])
@pytest.mark.parametrize("body", NO_JSON)
def test_a_body_that_is_not_json(
    *, owner: Client, assert_error: CheckError, root: User, method: str, path: str, body: str | bytes
) -> None:
    reply = owner.send(method, seen(path, method, root), body)
    assert reply.status == 400
    error = assert_error(reply)
    assert error["message"] == "Request body must be valid JSON."
    assert error["detail"]


@pytest.mark.parametrize(
    ("method", "path"), [route for route in WITH_BODY if route not in MAY_BE_EMPTY and route[1] not in BY_LINES]
)
@pytest.mark.parametrize("body", [None, "", " \n"])
def test_an_empty_body(
    *, owner: Client, assert_error: CheckError, root: User, method: str, path: str, body: str | None
) -> None:
    reply = owner.send(method, seen(path, method, root), body)
    assert reply.status == 400
    assert assert_error(reply) == {"message": "Request body must be valid JSON.", "detail": "EOF"}


@pytest.mark.parametrize(("method", "path"), [route for route in WITH_BODY if route[1] not in BY_LINES])
@pytest.mark.parametrize(
    ("body", "kind"),
    [("[]", "an array"), ('"a"', "a string"), ("true", "a boolean"), ("1", "a number"), ("1.5", "a number")],
)
def test_a_body_of_another_type(
    *, owner: Client, assert_error: CheckError, root: User, method: str, path: str, body: str, kind: str
) -> None:
    reply = owner.send(method, seen(path, method, root), body)
    assert reply.status == 400
    assert assert_error(reply)["detail"] == f"a JSON object is expected, not {kind}"


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("PUT", "/api/v2/users/{user}", {"username": 1, "email": []}, ["username", "email"]),
        ("PUT", "/api/v2/users/{user}", {}, ["username", "email"]),
        (
            "PUT",
            "/api/v2/users/{user}",
            {"username": "a", "email": "a@b", "roles": [1], "organization_ids": ["x"]},
            ["roles.0", "organization_ids.0"],
        ),
        ("POST", "/api/v2/users", {"email": "a@b"}, ["username"]),
        ("POST", "/api/v2/users", {"username": "a b", "login_type": "magic"}, ["username", "login_type"]),
        ("PUT", "/api/v2/users/{user}/profile", {"name": 1}, ["username", "name"]),
        ("PUT", "/api/v2/users/{user}/roles", {"roles": "owner"}, ["roles"]),
        ("PUT", "/api/v2/organizations/{organization}/members/{user}/roles", {}, ["roles"]),
        ("POST", "/api/v2/organizations", {"name": "a b"}, ["name"]),
        ("PATCH", "/api/v2/organizations/{organization}", {"icon": 1}, ["icon"]),
        ("PUT", "/api/v2/organizations/{organization}", {"name": None}, ["name"]),
        ("PUT", "/api/v2/organizations/{organization}", {"name": "a b", "icon": 1}, ["name", "icon"]),
        ("POST", "/api/v2/users/{user}/keys/tokens", {"lifetime": "1h", "scopes": "all"}, ["lifetime", "scopes"]),
    ],
)
def test_values_of_another_type(
    *, owner: Client, assert_error: CheckError, root: User, method: str, path: str, body: object, fields: list[str]
) -> None:
    reply = owner.send(method, seen(path, method, root), body)
    error = assert_error(reply)
    assert reply.status == 400
    assert error["message"] == "Validation failed."
    assert [validation["field"] for validation in error["validations"]] == fields


@pytest.mark.parametrize(("method", "path"), GATED)
def test_a_huge_body(*, owner: Client, assert_error: CheckError, root: User, method: str, path: str) -> None:
    fields = (
        *("name", "username", "lifetime", "token_name", "grace", "checks", "action", "dry_run"),
        *("notifier_paused", "is_read", "template_disabled_map"),
        *SCHEDULES,
    )
    body = json.dumps(dict.fromkeys(fields, "x" * (HUGE // 2)))
    reply = owner.send(method, seen(path, method, root), body)
    if (method, path) in WITH_BODY:
        assert_error(reply)
        assert reply.status == (413 if path in BY_LINES else 400)
        assert len(reply.text) < 3_000
    else:
        assert reply.status in (200, 201, 204, 404, 501)


@pytest.mark.parametrize(
    ("path", "room", "name"),
    [("/api/v2/users/first", people, "has_users"), ("/api/v2/users", listing, "read_page")],
)
def test_an_exception_inside_a_view_tells_the_log_and_not_the_client(
    *,
    owner: Client,
    assert_error: CheckError,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
    room: ModuleType,
    name: str,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a detail nobody should hear")

    monkeypatch.setattr(room, name, fail)
    with caplog.at_level(logging.ERROR):
        reply = owner.get(path)
    assert reply.status == 500
    assert assert_error(reply) == {"message": "An internal server error occurred."}
    assert "a detail nobody should hear" in caplog.text


def test_an_answer_that_cannot_be_written_is_a_failure_of_the_view(
    owner: Client, assert_error: CheckError, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(users, "user_json", lambda _row: object())
    reply = owner.get("/api/v2/users/me")
    assert reply.status == 500
    assert assert_error(reply) == {"message": "An internal server error occurred."}
    assert "not JSON serializable" in caplog.text


def test_nothing_in_an_answer_can_be_taken_for_html(owner: Client) -> None:
    text = "<script>a && b</script>\u2028\u2029 ü"
    body = {"name": "acme", "description": text}
    reply = owner.put(f"/api/v2/organizations/{uuid4()}", body)
    assert reply.status == 201
    assert reply.json["description"] == text
    assert "\\u003cscript\\u003ea \\u0026\\u0026 b\\u003c/script\\u003e\\u2028\\u2029 ü" in reply.text
    assert not set("<>&\u2028\u2029") & set(reply.text)


def test_html_in_an_error_is_escaped_too(owner: Client, assert_error: CheckError) -> None:
    reply = owner.logs("<b>:x&y")
    assert assert_error(reply)["validations"] == [{"field": "<b>", "detail": '"<b>" is not a valid query param'}]
    assert not set("<>&") & set(reply.text)


def test_success_is_json_with_a_newline_too(owner: Client, house: House) -> None:
    house.organization()
    for path in ("users", "users/me", "users/me/organizations", "organizations", "organizations/acme", *LOGS):
        reply = owner.get(f"/api/v2/{path}")
        assert reply.status == 200
        assert reply.headers["content-type"] == "application/json; charset=utf-8"
        assert reply.text.endswith(("}\n", "]\n"))
