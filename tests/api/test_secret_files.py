"""A file of secrets is imported whole or not at all, with the rules, limits and trail of each secret in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.tables import UserSecretItem
from tests.transport import Send, refusal

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport

SECRETS = "/api/v2/users/me/secrets"
VALUE = "correct horse battery staple"
ENTRY = 'Entry secrets[%d] ("%s" on line %d):'
OF_VARIABLES = "The values of secrets with an env_name would have"
MORE = "more than the per-user budget"
Trail = Callable[[], list["AuditLog"]]


@pytest.fixture(autouse=True)
def _on(keeps_secrets: None) -> None:
    assert keeps_secrets is None


def send(client: Client, content: str, written_in: str = "env") -> Reply:
    return client.post(f"{SECRETS}/batch", {"format": written_in, "content": content})


def lines(number: int, value: str = VALUE, first: int = 0) -> str:
    return "".join(f"KEY_{index}={value}\n" for index in range(first, first + number))


def names(client: Client) -> list[str]:
    return [row["name"] for row in client.get(SECRETS).json]


def stored() -> int:
    """The number of items of all users: their shelves and their values."""
    return len(call("Scan", {"TableName": UserSecretItem.Meta.table_name})["Items"])


@pytest.mark.parametrize(
    ("written_in", "content"),
    [
        ("env", f"# ours\nB={VALUE}\nexport MY-TOKEN='x'\nPATH=y\n"),
        ("json", json.dumps({"B": VALUE, "MY-TOKEN": "x", "PATH": "y"})),
        ("yaml", f"B: {VALUE}\nMY-TOKEN: 'x'\nPATH: |-\n  y\n"),
    ],
)
def test_each_entry_is_a_secret_in_the_order_of_the_file(
    house: House, ann: User, as_ann: Client, written_in: str, content: str
) -> None:
    reply = send(as_ann, content, written_in)
    assert reply.status == 201, reply.text
    assert [(row["name"], row["env_name"], row["enabled"]) for row in reply.json] == [
        ("B", "B", True),
        ("MY-TOKEN", "", False),
        ("PATH", "", False),
    ]
    assert {(row["description"], row["file_path"]) for row in reply.json} == {("", "")}
    assert VALUE not in reply.text
    listed = {row["name"]: row for row in as_ann.get(SECRETS).json}
    assert listed == {row["name"]: row for row in reply.json}
    for name, value in (("B", VALUE), ("MY-TOKEN", "x"), ("PATH", "y")):
        entry = f"user_secret:{listed[name]['id']}"
        agent = house.client(ann, scopes=("user_secret:read",), allow_list=(entry,))
        assert agent.get(f"{SECRETS}/{name}/value").json["value"] == value


def test_fifty_go_in_at_once_each_with_its_row(as_ann: Client, ann: User, trail: Trail) -> None:
    assert send(as_ann, lines(50)).status == 201
    assert len(names(as_ann)) == 50
    assert stored() == 51
    rows = [row for row in trail() if row.resource_type == "user_secret"]
    assert {row.resource_target for row in rows} == set(names(as_ann))
    assert {(row.action, row.user_id, row.status_code) for row in rows} == {("create", ann.id, 201)}
    assert {json.dumps(row.diff["value"]) for row in rows} == {'{"old": "", "new": "", "secret": true}'}
    assert VALUE not in repr(rows)


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ("A=1\nA=2", 'Line 2: The key "A" is there twice.'),
        ("", "The file has no secrets."),
        ("A=" + "x" * 1_048_576, "The file has more than 1048576 bytes."),
    ],
    ids=lambda text: text[:10],
)
def test_a_file_that_cannot_be_read_is_refused(as_ann: Client, content: str, detail: str) -> None:
    reply = send(as_ann, content)
    assert (reply.status, reply.json) == (400, {"message": "Failed to parse secrets file.", "detail": detail})
    assert names(as_ann) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": VALUE}, "format"),
        ({"format": "toml", "content": VALUE}, "format"),
        ({"format": "env"}, "content"),
        ({"format": "env", "content": [VALUE]}, "content"),
        ({"format": "env", "content": None}, "content"),
    ],
    ids=str,
)
def test_a_body_that_is_none_is_refused(as_ann: Client, body: Mapping[str, Any], field: str) -> None:
    reply = as_ann.post(f"{SECRETS}/batch", body)
    assert (reply.status, reply.json["validations"][0]["field"]) == (400, field)
    assert VALUE not in reply.text


def test_every_field_that_breaks_a_rule_is_named_and_nothing_is_kept(as_ann: Client) -> None:
    content = {"GOOD": "1", "a/b": "2", "EMPTY": "", " c": "\0", "x" * 300: "y" * 24_577, "batch": "z"}
    reply = send(as_ann, json.dumps(content), "json")
    long = f'Secret "{"x" * 64}..."'
    assert reply.status == 400
    assert [(one["field"], one["detail"]) for one in reply.json["validations"]] == [
        ("secrets[1].name", 'Secret "a/b": Name must not contain /, ?, or #.'),
        ("secrets[2].value", 'Secret "EMPTY": Value is required.'),
        ("secrets[3].name", 'Secret " c": Name must not have leading or trailing whitespace.'),
        ("secrets[3].value", 'Secret " c": secret value must not contain null bytes'),
        ("secrets[4].name", f"{long}: Name must not exceed 256 bytes"),
        ("secrets[4].value", f"{long}: secret value must not exceed 24576 bytes"),
        ("secrets[5].name", 'Secret "batch": Name must not be batch: a route is called so.'),
    ]
    lined = send(as_ann, "# c\nDEBUG=\n")
    assert lined.json["validations"] == [
        {"field": "secrets[0].value", "detail": 'Secret "DEBUG" on line 2: Value is required.'}
    ]
    assert (names(as_ann), stored()) == ([], 0)


def test_every_entry_that_is_there_already_is_named_and_nothing_is_kept(as_ann: Client) -> None:
    assert send(as_ann, "A=1\nB=2").status == 201
    assert as_ann.patch(f"{SECRETS}/A", {"env_name": "C"}).status == 200
    reply = send(as_ann, "NEW=3\nA=4\nB=5\nC=6\na=7")
    assert (reply.status, reply.json["message"]) == (409, "Some secrets already exist.")
    assert [(one["field"], one["detail"]) for one in reply.json["validations"]] == [
        ("secrets[1].name", 'Secret "A" on line 2: name already in use'),
        ("secrets[2].name", 'Secret "B" on line 3: name already in use'),
        ("secrets[3].env_name", 'Secret "C" on line 4: environment variable already in use'),
    ]
    assert (names(as_ann), stored()) == (["A", "B"], 3)


def test_an_entry_that_two_secrets_are_in_the_way_of_names_both(as_ann: Client) -> None:
    assert send(as_ann, "A=1\nB=2").status == 201
    for name, variable in (("A", "C"), ("B", "A")):
        assert as_ann.patch(f"{SECRETS}/{name}", {"env_name": variable}).status == 200
    assert [(one["field"], one["detail"]) for one in send(as_ann, "A=3").json["validations"]] == [
        ("secrets[0].name", 'Secret "A" on line 1: name already in use'),
        ("secrets[0].env_name", 'Secret "A" on line 1: environment variable already in use'),
    ]


@pytest.mark.parametrize(
    ("kept", "content", "message", "detail"),
    [
        (
            3,
            lines(50, first=10),
            "User secrets limit reached.",
            "You have 3 of 50 secrets and this file has 50: remove at least 3.",
        ),
        (
            0,
            lines(80_000, "x"),
            "User secrets limit reached.",
            "You have 0 of 50 secrets and this file has 80000: remove at least 79950.",
        ),
        (
            3,
            lines(60, "x", first=10),
            "User secrets limit reached.",
            "You have 3 of 50 secrets and this file has 60: remove at least 13.",
        ),
        (
            0,
            "".join(f"k-{index}={'x' * 24_576}\n" for index in range(9)),
            "User secrets value-bytes limit reached.",
            f"{ENTRY % (8, 'k-8', 9)} The values would have 221184 bytes, {MORE} (204800 bytes).",
        ),
        (
            1,
            f"A=a\nLAST={'x' * 24_560}\n",
            "Environment-injected user secrets bytes limit reached.",
            f"{ENTRY % (1, 'LAST', 2)} {OF_VARIABLES} 24589 bytes, {MORE} (24576 bytes).",
        ),
    ],
    ids=["with the others", "alone", "too many alone, with the others", "bytes", "variables"],
)
def test_the_limits_of_a_user_hold(as_ann: Client, kept: int, content: str, message: str, detail: str) -> None:
    if kept:
        assert send(as_ann, lines(kept)).status == 201
    reply = send(as_ann, content)
    assert (reply.status, reply.json) == (400, {"message": message, "detail": detail})
    assert (len(names(as_ann)), stored()) == (kept, kept and kept + 1)


def test_nobody_imports_for_somebody_else(owner: Client, house: House, ann: User) -> None:
    for client in (owner, house.client(house.user("bob"))):
        reply = client.post(f"/api/v2/users/{ann.id}/secrets/batch", {"format": "env", "content": "A=1"})
        assert reply.status == 404
    reader = house.client(ann, scopes=("user_secret:read",))
    assert send(reader, "A=1").status == 403
    assert stored() == 0


@pytest.mark.needs("transactions")
def test_what_an_import_left_behind_goes_with_the_next_change(as_ann: Client, transport: ObservedTransport) -> None:
    begun = 0

    def interrupted(forward: Send, operation: str, request: Any) -> dict[str, Any]:
        nonlocal begun
        begun += operation == "TransactWriteItems"
        # The first says what is pending, the second stores the values, and the third would make them secrets.
        if operation == "TransactWriteItems" and begun == 3:
            raise refusal("AccessDeniedException", operation)
        return forward(operation, request)

    transport.intercept(interrupted)
    assert send(as_ann, lines(5)).status == 500
    assert names(as_ann) == []
    assert stored() == 6
    transport.restore()
    assert as_ann.post(SECRETS, {"name": "one", "value": "1"}).status == 201
    assert (names(as_ann), stored()) == (["one"], 2)


@pytest.mark.needs("transactions")
def test_files_imported_at_once_keep_the_rules(as_ann: Client) -> None:
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda first: send(as_ann, lines(15, first=first * 10)), range(4)))
    done = [reply for reply in replies if reply.status == 201]
    assert done
    assert {reply.status for reply in replies} <= {201, 400, 409, 503}
    assert sorted(names(as_ann)) == sorted(row["name"] for reply in done for row in reply.json)
    assert stored() == 1 + len(names(as_ann))


def test_a_deleted_user_leaves_nothing_of_an_import(as_ann: Client, ann: User, owner: Client) -> None:
    assert send(as_ann, lines(50)).status == 201
    assert owner.delete(f"/api/v2/users/{ann.id}").status == 200
    assert stored() == 0
