"""User secrets: checked as upstream does, kept by their user alone, released by one route to one kind of token."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib.errors import StoreRefused
from chalicelib.settings import current
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.tables import TABLES
from chalicelib.store.secrets import shelf
from tests.transport import Send, refusal

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, Clock, House, Reply
    from tests.transport import ObservedTransport

SECRETS = "/api/v2/users/me/secrets"
VALUE = "correct horse battery staple"
FUTURE = datetime(2998, 1, 1, tzinfo=UTC)
FIELDS = {"id", "name", "description", "env_name", "file_path", "enabled", "created_at", "updated_at"}
CheckError = Callable[["Reply"], dict[str, Any]]
Trail = Callable[[], list["AuditLog"]]


@pytest.fixture(autouse=True)
def _on(keeps_secrets: None) -> None:
    assert keeps_secrets is None


def create(client: Client, name: str = "github-token", **fields: Any) -> Reply:
    return client.post(SECRETS, {"name": name, "value": VALUE, **fields})


def agent(house: House, user: User, secret_id: str) -> Client:
    """The token of an agent: it reads one secret and does nothing else."""
    return house.client(user, scopes=("user_secret:read",), allow_list=(f"user_secret:{secret_id}",))


def validations(reply: Reply) -> list[tuple[str, str]]:
    assert (reply.status, reply.json["message"]) == (400, "Validation failed."), reply.text
    return [(one["field"], one["detail"]) for one in reply.json["validations"]]


def test_a_secret_is_made_listed_shown_changed_and_deleted(as_ann: Client, clock: Clock) -> None:
    made = create(as_ann, description="for CI", env_name="GITHUB_TOKEN", file_path="~/token")
    assert made.status == 201
    assert set(made.json) == FIELDS
    clock.forward(timedelta(minutes=1))
    assert create(as_ann, "Another").status == 201
    listed = as_ann.get(SECRETS)
    assert [one["name"] for one in listed.json] == ["Another", "github-token"]
    assert as_ann.get(f"{SECRETS}/github-token").json == made.json
    changed = as_ann.patch(f"{SECRETS}/github-token", {"description": "", "env_name": "TOKEN"})
    assert changed.status == 200
    assert changed.json == made.json | {
        "description": "",
        "env_name": "TOKEN",
        "updated_at": changed.json["updated_at"],
    }
    assert changed.json["updated_at"] > made.json["updated_at"]
    deleted = as_ann.delete(f"{SECRETS}/github-token")
    assert (deleted.status, deleted.text) == (204, "")
    assert [one["name"] for one in as_ann.get(SECRETS).json] == ["Another"]
    assert as_ann.get(f"{SECRETS}/github-token").status == 404


def test_without_secrets_the_list_is_an_empty_list(as_ann: Client) -> None:
    assert as_ann.get(SECRETS).text == "[]\n"


@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("PATCH", {"description": "x"}), ("DELETE", None)],
    ids=["GET", "PATCH", "DELETE"],
)
def test_an_unknown_secret_is_not_there(as_ann: Client, method: str, body: Any) -> None:
    assert as_ann.send(method, f"{SECRETS}/nothing", body).status == 404


RESERVED = ("PATH", "HOME", "ENV", "LANG", "TMPDIR", "SSH_AUTH_SOCK", "VSCODE_PROXY_URI", "XDG_STATE_HOME", "path")
FORM = "must start with a letter or underscore, followed by letters, digits, or underscores"
INTERNAL = "environment variable names starting with CODER_ are reserved for internal use"
BAD: list[tuple[dict[str, str], str]] = [
    ({"env_name": "A" * 257}, "environment variable name must not exceed 256 bytes"),
    *(({"env_name": text}, FORM) for text in ("1FOO", "FOO-BAR", "FOO.BAR", "FOO BAR", "É", "A\n")),
    *(({"env_name": text}, f"{text.upper()} is a reserved environment variable name") for text in RESERVED),
    *(({"env_name": text}, INTERNAL) for text in ("CODER", "coder", "CODER_", "coder_foo")),
    *(
        ({"env_name": f"{prefix}x"}, f"environment variables starting with {prefix.upper()} are reserved")
        for prefix in ("GIT_", "git_", "LC_", "LD_", "DYLD_")
    ),
    *(
        ({"file_path": text}, "file path must start with ~/ or /")
        for text in ("foo/bar", ".ssh/x", "credentials", "~foo", " /x")
    ),
    ({"file_path": "/a\0b"}, "file path must not contain null bytes"),
    ({"file_path": "/" + "a" * 4_096}, "file path must not exceed 4096 bytes"),
    ({"file_path": "/" + "é" * 2_048}, "file path must not exceed 4096 bytes"),
    ({"value": "a\0b"}, "secret value must not contain null bytes"),
    ({"value": "a" * 24_577}, "secret value must not exceed 24576 bytes"),
    ({"value": "é" * 12_289}, "secret value must not exceed 24576 bytes"),
    ({"description": "a" * 1_025}, "description must not exceed 1024 bytes"),
]
BAD_NEW: list[tuple[dict[str, str], str]] = [
    *(({"name": text}, "Name is required.") for text in ("", " ", "\t\n", "\u2003")),
    *(
        ({"name": text}, "Name must not have leading or trailing whitespace.")
        for text in (" a", "a ", "\ta", "a\u2003", " a/b")
    ),
    *(({"name": text}, "Name must not contain /, ?, or #.") for text in ("a/b", "a?", "#a")),
    ({"name": "a" * 257}, "Name must not exceed 256 bytes"),
    ({"value": ""}, "Value is required."),
]


@pytest.mark.parametrize(("fields", "detail"), [*BAD, *BAD_NEW], ids=lambda value: str(value)[:40])
def test_a_field_of_a_new_secret_that_breaks_a_rule_is_named(
    as_ann: Client, fields: dict[str, str], detail: str
) -> None:
    (field,) = fields
    assert validations(create(as_ann, **{"name": "ok", **fields})) == [(field, detail)]
    assert as_ann.get(SECRETS).json == []


@pytest.mark.parametrize(("fields", "detail"), BAD, ids=lambda value: str(value)[:40])
def test_so_is_one_of_a_change(as_ann: Client, fields: dict[str, str], detail: str) -> None:
    made = create(as_ann).json
    (field,) = fields
    assert validations(as_ann.patch(f"{SECRETS}/github-token", fields)) == [(field, detail)]
    assert as_ann.get(f"{SECRETS}/github-token").json == made


def test_every_field_that_is_wrong_is_named_in_order(as_ann: Client) -> None:
    reply = as_ann.post(SECRETS, {"file_path": "x", "env_name": "PATH"})
    assert [field for field, _ in validations(reply)] == ["name", "value", "env_name", "file_path"]


GOOD: list[dict[str, str]] = [
    *({"name": text} for text in ("github-token", "github_token", "github.token", "a b", "é", "a" * 256)),
    *({"env_name": text} for text in ("GITHUB_TOKEN", "github_token", "_FOO", "A", "A1B2", "", "A" * 256, "CODERS")),
    *({"file_path": text} for text in ("~/foo", "/home/x", "/", "", "/" + "a" * 4_095)),
    *({"value": text} for text in ("a\nb\tc", "a" * 24_576, "\u20ac", " ")),
]


@pytest.mark.parametrize("fields", GOOD, ids=lambda value: str(value)[:40])
def test_what_upstream_takes_is_taken_and_comes_back_byte_for_byte(
    house: House, ann: User, as_ann: Client, fields: dict[str, str]
) -> None:
    made = create(as_ann, **fields)
    assert made.status == 201, made.text
    assert fields.items() <= {**made.json, "value": fields.get("value", VALUE)}.items()
    (listed,) = as_ann.get(SECRETS).json
    name = listed["name"].replace(" ", "%20")
    released = agent(house, ann, listed["id"]).get(f"{SECRETS}/{name}/value")
    assert released.json["value"] == fields.get("value", VALUE)


@pytest.mark.parametrize("body", [{}, {"name": "other"}, {"value": None}], ids=str)
def test_a_change_of_nothing_is_refused(as_ann: Client, body: dict[str, Any]) -> None:
    create(as_ann)
    reply = as_ann.patch(f"{SECRETS}/github-token", body)
    assert (reply.status, reply.json["message"]) == (400, "At least one field must be provided.")


def test_a_change_may_empty_the_value(house: House, ann: User, as_ann: Client) -> None:
    made = create(as_ann).json
    assert as_ann.patch(f"{SECRETS}/github-token", {"value": ""}).status == 200
    assert agent(house, ann, made["id"]).get(f"{SECRETS}/github-token/value").json["value"] == ""


# A secret that is enabled is one that an agent is to put in a place.

NO_PLACE = ("env_name", "An enabled secret needs an env_name or a file_path: give it one, or set enabled to false.")
PLACES = [{"env_name": "TOKEN"}, {"file_path": "~/x"}, {"env_name": "TOKEN", "file_path": "~/x"}]


def is_enabled(client: Client) -> bool:
    (secret,) = client.get(SECRETS).json
    assert client.get(f"{SECRETS}/github-token").json == secret
    enabled: bool = secret["enabled"]
    return enabled


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize(
    ("asked", "enabled"),
    [({}, True), ({"enabled": None}, True), ({"enabled": True}, True), ({"enabled": False}, False)],
)
def test_a_secret_with_a_place_is_enabled_unless_its_user_says_that_it_is_not(
    as_ann: Client, place: dict[str, str], asked: dict[str, Any], enabled: bool
) -> None:
    made = create(as_ann, **place, **asked)
    assert (made.status, made.json["enabled"]) == (201, enabled)
    assert is_enabled(as_ann) is enabled


def test_one_without_a_place_is_not_enabled_until_it_has_one(as_ann: Client) -> None:
    assert create(as_ann).json["enabled"] is False
    assert as_ann.patch(f"{SECRETS}/github-token", {"env_name": "TOKEN"}).json["enabled"] is True
    assert as_ann.patch(f"{SECRETS}/github-token", {"env_name": ""}).json["enabled"] is False
    assert is_enabled(as_ann) is False


def test_one_that_is_to_be_enabled_needs_a_place(as_ann: Client) -> None:
    assert validations(create(as_ann, enabled=True)) == [NO_PLACE]
    assert as_ann.get(SECRETS).json == []
    create(as_ann, enabled=False, file_path="~/x")
    for change in ({"enabled": True, "file_path": ""}, {"file_path": "", "env_name": "", "enabled": True}):
        assert validations(as_ann.patch(f"{SECRETS}/github-token", change)) == [NO_PLACE]
    moved = as_ann.patch(f"{SECRETS}/github-token", {"enabled": True, "file_path": "", "env_name": "TOKEN"})
    assert (moved.json["enabled"], moved.json["env_name"], moved.json["file_path"]) == (True, "TOKEN", "")


def test_one_that_is_disabled_stays_so_until_its_user_enables_it(as_ann: Client) -> None:
    create(as_ann, env_name="TOKEN")
    assert as_ann.patch(f"{SECRETS}/github-token", {"enabled": False}).json["enabled"] is False
    assert as_ann.patch(f"{SECRETS}/github-token", {"value": "x", "file_path": "~/x"}).json["enabled"] is False
    assert as_ann.patch(f"{SECRETS}/github-token", {"enabled": True}).json["enabled"] is True
    assert is_enabled(as_ann) is True


@pytest.mark.parametrize("enabled", ["true", 1, [], "no"], ids=str)
def test_enabled_is_true_or_false(as_ann: Client, enabled: Any) -> None:
    assert [field for field, _ in validations(create(as_ann, env_name="TOKEN", enabled=enabled))] == ["enabled"]
    assert create(as_ann, env_name="TOKEN").status == 201
    reply = as_ann.patch(f"{SECRETS}/github-token", {"enabled": enabled})
    assert [field for field, _ in validations(reply)] == ["enabled"]


def test_enabling_and_disabling_have_their_rows(as_ann: Client, trail: Trail) -> None:
    create(as_ann, env_name="TOKEN")
    for enabled in (False, True):
        as_ann.patch(f"{SECRETS}/github-token", {"enabled": enabled})
    disabled, enabled_again = (row for row in trail() if row.resource_type == "user_secret" and row.action == "write")
    assert disabled.diff == {"enabled": {"old": True, "new": False, "secret": False}}
    assert enabled_again.diff == {"enabled": {"old": False, "new": True, "secret": False}}


def test_the_value_of_one_that_is_disabled_leaves_to_nobody(
    house: House, ann: User, as_ann: Client, trail: Trail
) -> None:
    made = create(as_ann, env_name="TOKEN", enabled=False).json
    client = agent(house, ann, made["id"])
    count = len(trail())
    refused = client.get(f"{SECRETS}/github-token/value")
    assert (refused.status, refused.json["message"]) == (409, "This secret is disabled.")
    assert (VALUE in refused.text, len(trail())) == (False, count)
    as_ann.patch(f"{SECRETS}/github-token", {"enabled": True})
    assert client.get(f"{SECRETS}/github-token/value").json["value"] == VALUE


# Files, which a deployment may switch off.

CAPABILITIES = "/api/v2/deployment/user-secrets/capabilities"
NO_FILES = ("file_path", "This deployment puts no secrets in files: leave file_path out or empty, and use env_name.")
NO_VARIABLE = (
    "env_name",
    "This deployment puts no secrets in files, so an enabled secret needs an env_name, or set enabled to false.",
)


@pytest.fixture
def without_files(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Switches files off."""

    def switch_off() -> None:
        changed = replace(current(), disable_user_secret_file_path=True)
        monkeypatch.setattr("chalicelib.api.user_secrets.current", lambda: changed)

    return switch_off


def test_whoever_has_a_token_hears_whether_files_are_given(
    house: House, ann: User, as_ann: Client, without_files: Callable[[], None]
) -> None:
    for given in (True, False):
        for client in (as_ann, house.client(ann, scopes=("workspace:read",))):
            reply = client.get(CAPABILITIES)
            assert (reply.status, reply.json) == (200, {"file_path_delivery_enabled": given})
        without_files()


def test_without_files_no_secret_gets_one(as_ann: Client, without_files: Callable[[], None]) -> None:
    create(as_ann, env_name="TOKEN", file_path="~/x")
    without_files()
    assert validations(create(as_ann, "other", file_path="~/y")) == [NO_FILES]
    assert validations(create(as_ann, "other", file_path="~/y", enabled=True)) == [NO_FILES, NO_VARIABLE]
    assert validations(create(as_ann, "other", enabled=True)) == [NO_VARIABLE]
    assert validations(as_ann.patch(f"{SECRETS}/github-token", {"file_path": "~/y"})) == [NO_FILES]
    assert as_ann.patch(f"{SECRETS}/github-token", {"file_path": "~/x", "description": "d"}).status == 200
    assert as_ann.patch(f"{SECRETS}/github-token", {"file_path": ""}).json["file_path"] == ""
    assert create(as_ann, "other", env_name="OTHER").status == 201


def test_a_secret_that_has_a_file_alone_stays_as_it_is_and_is_not_enabled_anew(
    as_ann: Client, without_files: Callable[[], None]
) -> None:
    create(as_ann, file_path="~/x")
    without_files()
    assert as_ann.patch(f"{SECRETS}/github-token", {"enabled": True, "description": "d"}).status == 200
    assert as_ann.patch(f"{SECRETS}/github-token", {"enabled": False}).status == 200
    assert validations(as_ann.patch(f"{SECRETS}/github-token", {"enabled": True})) == [NO_VARIABLE]
    assert as_ann.patch(f"{SECRETS}/github-token", {"enabled": True, "env_name": "TOKEN"}).status == 200


def test_an_agent_is_given_no_file_while_files_are_off(
    house: House, ann: User, as_ann: Client, without_files: Callable[[], None]
) -> None:
    made = create(as_ann, env_name="TOKEN", file_path="~/x").json
    client = agent(house, ann, made["id"])
    assert client.get(f"{SECRETS}/github-token/value").json["file_path"] == "~/x"
    without_files()
    released = client.get(f"{SECRETS}/github-token/value").json
    assert (released["env_name"], released["file_path"], released["value"]) == ("TOKEN", "", VALUE)
    assert as_ann.get(f"{SECRETS}/github-token").json["file_path"] == "~/x"


TAKEN = [
    ("name", "github-token", "name already in use"),
    ("env_name", "TOKEN", "environment variable already in use"),
    ("file_path", "~/x", "file path already in use"),
]


@pytest.mark.parametrize(("field", "value", "detail"), TAKEN, ids=[case[0] for case in TAKEN])
def test_a_taken_name_variable_or_file_is_a_conflict(as_ann: Client, field: str, value: str, detail: str) -> None:
    assert create(as_ann, env_name="TOKEN", file_path="~/x").status == 201
    reply = create(as_ann, **{"name": "other", field: value})
    assert (reply.status, reply.json["message"]) == (409, "Validation failed.")
    assert reply.json["validations"] == [{"field": field, "detail": detail}]
    if field != "name":
        assert create(as_ann, "third").status == 201
        assert as_ann.patch(f"{SECRETS}/third", {field: value}).json == reply.json
    assert as_ann.patch(f"{SECRETS}/github-token", {field: value} if field != "name" else {"value": "x"}).status == 200


def test_values_are_compared_byte_by_byte_and_for_each_user_alone(as_ann: Client, owner: Client) -> None:
    assert create(as_ann, "one", env_name="TOKEN", file_path="~/x").status == 201
    assert create(as_ann, "One", env_name="token", file_path="/home/ann/x").status == 201
    assert create(owner, "one", env_name="TOKEN", file_path="~/x").status == 201


def test_a_user_may_have_fifty(as_ann: Client, owner: Client) -> None:
    for number in range(50):
        assert create(as_ann, f"s{number}", value="x").status == 201
    reply = create(as_ann, "one more")
    assert (reply.status, reply.json["message"]) == (400, "User secrets limit reached.")
    assert "at most" in reply.json["detail"]
    assert as_ann.patch(f"{SECRETS}/s1", {"description": "at the cap"}).status == 200
    assert create(owner, "somebody else's").status == 201


def test_the_values_of_a_user_have_a_budget(as_ann: Client) -> None:
    for number in range(8):
        assert create(as_ann, f"s{number}", value="a" * 24_576, file_path=f"/{number}").status == 201
    assert create(as_ann, "rest", value="a" * (204_800 - 8 * 24_576)).status == 201
    reply = create(as_ann, "one more", value="x")
    assert (reply.status, reply.json["message"]) == (400, "User secrets value-bytes limit reached.")
    assert "per-user budget (204800 bytes" in reply.json["detail"]
    assert as_ann.patch(f"{SECRETS}/s0", {"value": "b" * 24_576}).status == 200


def test_so_have_those_that_become_variables(as_ann: Client) -> None:
    assert create(as_ann, "large", value="a" * 24_560, env_name="LARGE").status == 201
    reply = create(as_ann, "more", value="a" * 1_024, env_name="MORE")
    assert (reply.status, reply.json["message"]) == (400, "Environment-injected user secrets bytes limit reached.")
    assert "per-user budget (24576 bytes" in reply.json["detail"]
    assert "env_name" in reply.json["detail"]
    assert create(as_ann, "file", value="a" * 1_024, file_path="/x").status == 201
    assert as_ann.patch(f"{SECRETS}/file", {"env_name": "MORE"}).json == reply.json


def test_descriptions_that_are_too_much_for_one_item_are_refused_and_never_an_error(as_ann: Client) -> None:
    statuses = set()
    for number in range(50):
        letters = "".join(chr(1 + (number * 7_919 + place * 104_729) % 0x7E) for place in range(4_080))
        statuses.add(create(as_ann, f"s{number}", value="x", file_path=f"/{number}-{letters}").status)
    assert statuses <= {201, 400}


def test_secrets_made_at_once_keep_the_rules(as_ann: Client) -> None:
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda number: create(as_ann, f"s{number}", env_name="ONE"), range(4)))
    assert sorted(reply.status for reply in replies) == [201, 409, 409, 409]
    assert len(as_ann.get(SECRETS).json) == 1


# Who may.


def test_nobody_else_sees_or_touches_them_not_even_an_owner(
    house: House, ann: User, as_ann: Client, owner: Client
) -> None:
    made = create(as_ann).json
    theirs = f"/api/v2/users/{ann.id}/secrets"
    others = (
        owner,
        house.client(house.user("admin", "user-admin")),
        house.client(house.user("auditor", "auditor")),
        house.client(house.user("templates", "template-admin")),
        house.client(house.user("root2", "owner"), allow_list=(f"user_secret:{made['id']}", "user:*")),
    )
    for other in others:
        for known, unknown in (
            (other.get(theirs), other.get(f"/api/v2/users/{uuid4()}/secrets")),
            (other.post(theirs, {"name": "x", "value": "x"}), other.post(f"/api/v2/users/{uuid4()}/secrets", {})),
            *(
                (other.send(method, f"{theirs}/github-token{end}", body), other.send(method, f"{theirs}/x{end}", body))
                for method, end, body in (
                    ("GET", "", None),
                    ("GET", "/value", None),
                    ("PATCH", "", {"value": "x"}),
                    ("DELETE", "", None),
                )
            ),
        ):
            assert (known.status, known.text) == (404, unknown.text)
    assert as_ann.get(SECRETS).json == [made]


@pytest.mark.parametrize("name", ["me", "id", "username", "USERNAME"])
def test_a_user_names_themselves_in_every_way(ann: User, as_ann: Client, name: str) -> None:
    named = {"me": "me", "id": ann.id, "username": ann.username, "USERNAME": ann.username.upper()}[name]
    assert as_ann.get(f"/api/v2/users/{named}/secrets").status == 200


def test_a_token_sees_those_that_its_allow_list_names(house: House, ann: User, as_ann: Client) -> None:
    one, other = create(as_ann, "one").json, create(as_ann, "other").json
    narrow = agent(house, ann, one["id"])
    assert narrow.get(SECRETS).json == [one]
    assert narrow.get(f"{SECRETS}/other").status == 404
    assert narrow.get(f"{SECRETS}/other/value").status == 404
    assert narrow.patch(f"{SECRETS}/one", {"value": "x"}).status == 403
    assert narrow.delete(f"{SECRETS}/one").status == 403
    assert create(narrow, "new").status == 403
    assert as_ann.get(f"{SECRETS}/other").json == other


# Values.


def test_a_value_leaves_to_a_token_that_names_the_secret_and_to_no_other(
    house: House, ann: User, as_ann: Client
) -> None:
    made = create(as_ann, env_name="TOKEN", file_path="/x").json
    place = f"{SECRETS}/github-token/value"
    released = agent(house, ann, made["id"]).get(place)
    assert released.json == {
        "id": made["id"],
        "name": "github-token",
        "env_name": "TOKEN",
        "file_path": "/x",
        "value": VALUE,
    }
    assert released.headers["cache-control"] == "no-store"
    for allow_list in (("*:*",), ("user_secret:*",), ("user_secret:*", f"workspace:{made['id']}")):
        reply = house.client(ann, allow_list=allow_list).get(place)
        assert reply.status == 403
        assert f"user_secret:{made['id']}" in reply.json["detail"]
        assert VALUE not in reply.text
    unread = house.client(ann, scopes=("user_secret:update",), allow_list=(f"user_secret:{made['id']}",))
    assert unread.get(place).status == 404


def test_each_release_is_stored_before_the_value_leaves(
    house: House, ann: User, as_ann: Client, trail: Trail, transport: ObservedTransport
) -> None:
    made = create(as_ann).json
    client = agent(house, ann, made["id"])
    count = len(trail())
    assert client.send("HEAD", f"{SECRETS}/github-token/value").status == 405
    assert len(trail()) == count, "nothing has left"
    assert client.get(f"{SECRETS}/github-token/value").status == 200
    row = trail()[-1]
    assert (row.resource_type, row.resource_id, row.resource_target) == ("user_secret", made["id"], "github-token")
    assert (row.action, row.user_id, row.status_code) == ("open", ann.id, 200)
    assert row.additional_fields["api_key_id"] == client.token[:10]
    count = len(trail())

    def throttled(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems":
            raise refusal("ProvisionedThroughputExceededException", operation)
        return send(operation, request)

    transport.intercept(throttled)
    failed = client.get(f"{SECRETS}/github-token/value")
    assert failed.status == 503
    assert VALUE not in failed.text
    transport.restore()
    assert len(trail()) == count


def test_every_change_has_its_row_and_no_row_has_a_value(as_ann: Client, ann: User, trail: Trail) -> None:
    made = create(as_ann, env_name="TOKEN").json
    as_ann.patch(f"{SECRETS}/github-token", {"value": "another value"})
    as_ann.patch(f"{SECRETS}/github-token", {"description": "for CI"})
    as_ann.delete(f"{SECRETS}/github-token")
    rows = [row for row in trail() if row.resource_type == "user_secret"]
    assert [row.action for row in rows] == ["create", "write", "write", "delete"]
    hidden = {"old": "", "new": "", "secret": True}
    created, valued, described, deleted = (row.diff for row in rows)
    assert created["value"] == hidden
    assert created["env_name"] == {"old": "", "new": "TOKEN", "secret": False}
    assert created["user_id"]["new"] == ann.id
    assert valued == {"value": hidden}
    assert created["enabled"] == {"old": False, "new": True, "secret": False}
    assert described == {"description": {"old": "", "new": "for CI", "secret": False}}
    assert deleted["value"] == hidden
    assert {row.resource_id for row in rows} == {made["id"]}


def test_a_value_is_in_no_answer_no_log_and_no_item_as_it_is(
    as_ann: Client, owner: Client, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    replies = [
        create(as_ann),
        create(as_ann),
        create(as_ann, env_name="PATH"),
        as_ann.get(SECRETS),
        as_ann.get(f"{SECRETS}/github-token"),
        as_ann.patch(f"{SECRETS}/github-token", {"value": f"{VALUE}2"}),
        as_ann.patch(f"{SECRETS}/github-token", {"value": VALUE + "\0"}),
        as_ann.post(SECRETS, f'{{"name": "x", "value": "{VALUE}"'),
        as_ann.post(SECRETS, {"name": "x", "value": [VALUE]}),
        owner.get("/api/v2/audit"),
        as_ann.delete(f"{SECRETS}/github-token"),
    ]
    assert [reply.status for reply in replies] == [201, 409, 400, 200, 200, 200, 400, 400, 400, 200, 204]
    assert not [reply for reply in replies if VALUE in reply.text]
    assert VALUE not in caplog.text
    assert VALUE not in "".join(capsys.readouterr())


def test_no_item_holds_a_value_that_can_be_read(as_ann: Client) -> None:
    create(as_ann)
    items = [item for table in TABLES for item in call("Scan", {"TableName": table.Meta.table_name})["Items"]]
    assert "github-token" in repr(items)
    assert VALUE not in repr(items)


def test_a_value_that_cannot_be_opened_is_an_error_without_it_and_without_a_release(
    house: House, ann: User, as_ann: Client, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(as_ann).json
    client = agent(house, ann, made["id"])
    count = len(trail())

    def broken(*_: object) -> bytes:
        raise StoreRefused("The value cannot be opened.")

    monkeypatch.setattr(shelf, "opened", broken)
    assert client.get(f"{SECRETS}/github-token/value").status == 500
    assert len(trail()) == count


def test_a_deleted_user_leaves_no_secret_behind(house: House, ann: User, as_ann: Client, owner: Client) -> None:
    for number in range(3):
        create(as_ann, f"s{number}")
    assert owner.delete(f"/api/v2/users/{ann.id}").status == 200
    assert shelf.read(ann.id).secrets == {}
    assert call("Scan", {"TableName": shelf._table()})["Items"] == []
    back = {"username": "ann", "email": "ann@example.com"}
    assert owner.put(f"/api/v2/users/{ann.id}", back).status == 201
    again = house.client(ann, created_at=FUTURE)
    assert again.get(SECRETS).json == []


# Switched off.


@pytest.mark.parametrize(
    ("method", "end"),
    [("GET", ""), ("POST", ""), ("GET", "/x"), ("PATCH", "/x"), ("DELETE", "/x"), ("GET", "/x/value")],
)
def test_a_deployment_without_secrets_says_how_to_have_them(
    as_ann: Client, monkeypatch: pytest.MonkeyPatch, assert_error: CheckError, method: str, end: str
) -> None:
    monkeypatch.undo()
    reply = as_ann.send(method, f"{SECRETS}{end}", {"name": "x", "value": "x"} if method in ("POST", "PATCH") else None)
    assert reply.status == 404
    body = assert_error(reply)
    assert body["message"] == "User secrets are switched off in this deployment."
    assert "UserSecrets" in body["detail"]
    assert "GATEBOOK_SECRETS_KEY" in body["detail"]


def test_nor_does_it_say_what_secrets_may_do(as_ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    reply = as_ann.get(CAPABILITIES)
    assert (reply.status, reply.json["message"]) == (404, "User secrets are switched off in this deployment.")
