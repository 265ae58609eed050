"""Every change of a token and its audit row happen together or not at all, and nothing ever tells a secret."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app import app
from chalicelib import times
from chalicelib.access.secret import generate, hash_secret
from chalicelib.api.http import Answer
from chalicelib.errors import Unavailable
from chalicelib.store.directory import api_keys
from chalicelib.store.dynamodb import client, contention, transaction
from chalicelib.store.dynamodb.tables import APIKeyItem, AuditLogItem
from chalicelib.store.dynamodb.transaction import Write

if TYPE_CHECKING:
    from chalicelib.records import APIKey, AuditLog, User
    from tests.api.conftest import Client, Clock, House, Reply

Trail = Callable[[], list["AuditLog"]]

KEYS = "/api/v2/users/me/keys"
KEY = f"{KEYS}/{{id}}"
HOUR_NS = 3_600 * 1_000_000_000


@dataclass(frozen=True)
class Change:
    """A request that changes a token, and what its audit row says."""

    method: str
    path: str
    body: Any
    action: str
    status: int
    target: str = "ci"
    diff: frozenset[str] = frozenset()

    def send(self, client: Client, key_id: str, **more: Any) -> Reply:
        return client.send(self.method, self.path.format(id=key_id), self.body, **more)


BORN = frozenset({"user_id", "created_at", "expires_at", "last_used"})
CHANGES = {
    "mint": Change("POST", f"{KEYS}/tokens", {"token_name": "new"}, "create", 201, "new", BORN),
    "session": Change("POST", KEYS, None, "create", 201, "", BORN),
    "narrow": Change("PATCH", KEY, {"scopes": ["user:read"]}, "write", 200),
    "shorten": Change(
        "PATCH", KEY, {"expires_at": "2026-01-01T00:00:00Z"}, "write", 200, diff=frozenset({"expires_at"})
    ),
    "rename": Change("PATCH", KEY, {"token_name": "deploy"}, "write", 200, "deploy"),
    "rotate": Change("POST", f"{KEY}/rotate", {"grace": HOUR_NS}, "write", 201),
    "expire": Change("PUT", f"{KEY}/expire", None, "write", 204, diff=frozenset({"expires_at"})),
    "delete": Change("DELETE", KEY, None, "delete", 204, diff=BORN),
    "logout": Change("POST", "/api/v2/users/logout", None, "logout", 200, "caller"),
}
every_change = pytest.mark.parametrize("name", CHANGES)


@pytest.fixture
def caller(house: House, ann: User) -> Client:
    client = house.client(ann, token_name="caller")
    assert client.get("/api/v2/users/me").status == 200
    return client


@pytest.fixture
def token(house: House, ann: User) -> str:
    return house.token(ann, token_name="ci")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Mapping[str, Any]]]:
    """Every write, in order."""
    tally: list[tuple[str, Mapping[str, Any]]] = []
    for module in (transaction, api_keys):

        def counted(
            operation: str, request: Mapping[str, Any], original: Callable[..., Any] = module.call
        ) -> dict[str, Any]:
            if operation not in ("GetItem", "Query"):
                tally.append((operation, request))
            answer: dict[str, Any] = original(operation, request)
            return answer

        monkeypatch.setattr(module, "call", counted)
    return tally


def kept() -> dict[str, Any]:
    """Everything in the table of tokens, claims among it."""
    return {item["id"]["S"]: item for item in client.call("Scan", {"TableName": APIKeyItem.Meta.table_name})["Items"]}


def tables_of(request: Mapping[str, Any]) -> list[str]:
    """The tables of what is written; what is only checked is written nowhere."""
    writes = (write for write in request["TransactItems"] if "ConditionCheck" not in write)
    return [next(iter(write.values()))["TableName"] for write in writes]


@every_change
def test_a_change_writes_one_audit_row_in_its_own_transaction(
    caller: Client, token: str, sent: list[tuple[str, Mapping[str, Any]]], trail: Trail, name: str
) -> None:
    assert CHANGES[name].send(caller, token[:10]).status == CHANGES[name].status
    ((operation, request),) = sent
    assert operation == "TransactWriteItems"
    tables = tables_of(request)
    assert tables.count(AuditLogItem.Meta.table_name) == 1
    assert set(tables) == {AuditLogItem.Meta.table_name, APIKeyItem.Meta.table_name}
    assert len(trail()) == 1


@every_change
def test_what_the_row_says(caller: Client, ann: User, token: str, trail: Trail, clock: Clock, name: str) -> None:
    change = CHANGES[name]
    change.send(replace(caller, source_ip="::ffff:203.0.113.7"), token[:10], headers={"User-Agent": "coder-cli/v2"})
    (row,) = trail()
    assert (row.action, row.status_code, row.resource_type) == (change.action, change.status, "api_key")
    assert (row.user_id, row.resource_id, row.organization_id) == (ann.id, ann.id, None)
    assert (row.ip, row.user_agent, row.time) == ("203.0.113.7", "coder-cli/v2", clock.moment)
    assert UUID(row.request_id).int
    assert row.additional_fields["gatebook"] is True
    assert row.additional_fields["api_key_id"] == caller.token[:10]
    changed = row.additional_fields["changed_api_key_id"]
    if name in ("mint", "session"):
        assert changed in kept()
    else:
        assert changed == (caller if name == "logout" else replace(caller, token=token)).token[:10]
    assert row.resource_target == change.target
    assert set(row.diff) == change.diff
    assert not any(part["secret"] for part in row.diff.values())


def test_a_row_shows_both_sides_of_the_end(caller: Client, token: str, trail: Trail, clock: Clock) -> None:
    before = api_keys.get(token[:10])
    assert before is not None
    CHANGES["expire"].send(caller, token[:10])
    (row,) = trail()
    assert row.diff["expires_at"] == {
        "old": times.wire(before.expires_at),
        "new": times.wire(clock.moment),
        "secret": False,
    }


def test_a_change_for_another_user_names_both(owner: Client, root: User, ann: User, trail: Trail) -> None:
    assert owner.post(f"/api/v2/users/{ann.id}/keys/tokens", {"token_name": "ci"}).status == 201
    (row,) = trail()
    assert (row.user_id, row.resource_id, row.resource_target) == (root.id, ann.id, "ci")


def test_logging_out_writes_a_row_for_every_token_it_deletes(
    house: House, ann: User, caller: Client, trail: Trail
) -> None:
    applications = [house.token(ann, scopes=("coder:application_connect",))[:10] for _ in range(32)]
    caller.post("/api/v2/users/logout")
    deleted = sorted((row.action, row.additional_fields["changed_api_key_id"]) for row in trail())
    assert deleted == sorted([("logout", caller.token[:10]), *(("delete", key_id) for key_id in applications)])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", KEY, {}),
        ("PATCH", KEY, {"scopes": ["coder:all"], "token_name": "ci"}),
        ("PATCH", KEY, {"scopes": ["x"]}),
        ("PATCH", KEY, {"token_name": "caller"}),
        ("POST", f"{KEY}/rotate", {"grace": -1}),
        ("POST", f"{KEYS}/tokens", {"token_name": "ci"}),
        ("POST", f"{KEYS}/tokens", {"scopes": ["x"]}),
        ("DELETE", f"{KEYS}/0123456789", None),
        ("GET", KEY, None),
        ("GET", f"{KEYS}/tokens", None),
    ],
)
def test_what_changes_nothing_writes_nothing(
    *, caller: Client, token: str, trail: Trail, method: str, path: str, body: Any
) -> None:
    before = kept()
    caller.send(method, path.format(id=token[:10]), body)
    assert trail() == []
    assert kept() == before


@every_change
@pytest.mark.parametrize("failure", ["unavailable", "refused", "broken"])
def test_without_its_row_a_change_does_not_happen(
    *,
    caller: Client,
    token: str,
    trail: Trail,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    failure: str,
) -> None:
    before = kept()
    original = client.call

    def failing(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems" and AuditLogItem.Meta.table_name in tables_of(request):
            if failure == "unavailable":
                raise Unavailable
            if failure == "broken":
                raise RuntimeError("the audit log is broken")
            writes = [dict(write) for write in request["TransactItems"]]
            row = {name: writes[-1]["Put"][name] for name in ("TableName", "Item")}
            writes[-1] = {"Put": {**row, "ConditionExpression": "attribute_exists(id)"}}
            request = {"TransactItems": writes}
        answer: dict[str, Any] = original(operation, request)
        return answer

    monkeypatch.setattr(transaction, "call", failing)
    monkeypatch.setattr(contention, "FIRST_PAUSE_SECONDS", 0)
    reply = CHANGES[name].send(caller, token[:10])
    assert reply.status >= 400
    assert "key" not in reply.json
    assert kept() == before
    assert trail() == []


# Secrets.


def spellings(secret: str) -> Iterator[str]:
    """The secret and its hash, in every way one could be written by mistake."""
    yield secret
    for value in (secret.encode(), hash_secret(secret)):
        yield from (value.hex(), value.hex().upper(), repr(value), str(list(value)))
        for encoded in (base64.b64encode(value), base64.urlsafe_b64encode(value)):
            yield encoded.decode().rstrip("=")


def assert_silent(text: str, *tokens: str) -> None:
    for token in tokens:
        for spelling in spellings(token[11:]):
            assert spelling not in text


@contextmanager
def listening(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """All that the service logs, and what libraries log at the level of a deployment."""
    with (
        caplog.at_level(logging.INFO),
        caplog.at_level(logging.DEBUG, "chalicelib"),
        caplog.at_level(logging.DEBUG, app.app_name),
    ):
        yield


@every_change
def test_no_row_no_log_record_and_no_later_answer_tells_a_secret(
    *, caller: Client, token: str, trail: Trail, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with listening(caplog):
        reply = CHANGES[name].send(caller, token[:10])
        secrets = [token, caller.token]
        if reply.status == 201:
            secrets.append(reply.json["key"])
            assert reply.text == f'{{"key":"{secrets[-1]}"}}\n'
        else:
            assert_silent(reply.text, *secrets)
        later = [caller.get(path) for path in (f"{KEYS}/tokens", f"{KEYS}/{secrets[-1][:10]}", "/api/v2/users/me")]
    items = client.call("Scan", {"TableName": AuditLogItem.Meta.table_name})["Items"]
    assert len(items) == 1, "the use of a token that is gone writes none"
    assert_silent(f"{trail()!r} {items!r}", *secrets)
    assert_silent(" ".join(answer.text + repr(answer.headers) for answer in later), *secrets)
    for record in caplog.records:
        assert_silent(f"{record.getMessage()} {vars(record)!r} {record.exc_text or ''}", *secrets)


@pytest.mark.parametrize("failure", [Unavailable, RuntimeError, KeyError])
@every_change
def test_no_failure_tells_a_secret(
    *,
    caller: Client,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    failure: type[Exception],
) -> None:
    minted: list[str] = []
    original = generate

    def remembered(**arguments: Any) -> Any:
        made = original(**arguments)
        minted.append(made.text)
        return made

    def fail(operation: str, _request: Mapping[str, Any]) -> dict[str, Any]:
        raise failure(operation)

    monkeypatch.setattr("chalicelib.api.tokens.secret.generate", remembered)
    monkeypatch.setattr(transaction, "call", fail)
    with listening(caplog):
        reply = CHANGES[name].send(caller, token[:10])
    assert reply.status in (500, 503)
    assert bool(minted) is (name in ("mint", "session", "rotate"))
    assert_silent(reply.text + repr(reply.headers), token, caller.token, *minted)
    assert_silent(caplog.text, token, caller.token, *minted)


@pytest.mark.parametrize("place", ["header", "query", "bearer", "cookie"])
@pytest.mark.parametrize("wrong", ["typo", "secret", "unknown", "parts", "expired"])
def test_no_refusal_repeats_what_was_sent(
    *, house: House, ann: User, client: Client, token: str, caplog: pytest.LogCaptureFixture, place: str, wrong: str
) -> None:
    text = {
        "typo": f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}",
        "secret": generate(key_id=token[:10]).text,
        "unknown": generate().text,
        "parts": f"{token}-{token[11:]}",
        "expired": house.token(ann, expires_at=times.now() - timedelta(days=1)),
    }[wrong]
    more: dict[str, Any] = {
        "header": {"headers": {"Coder-Session-Token": text}},
        "query": {"query": {"coder_session_token": text}},
        "bearer": {"headers": {"Authorization": f"Bearer {text}"}},
        "cookie": {"headers": {"Cookie": f"coder_session_token={text}"}},
    }[place]
    with listening(caplog):
        reply = client.get("/api/v2/users/me", **more)
    assert reply.status == 401
    assert_silent(reply.text + repr(reply.headers) + caplog.text, text)
    assert text[11:] not in reply.text


def test_no_repr_tells_a_secret(caller: Client, token: str) -> None:
    from chalicelib.api.caller import Caller  # noqa: PLC0415 - only this test builds one
    from chalicelib.store.directory import people  # noqa: PLC0415 - as above

    caller.post(f"{KEYS}/{token[:10]}/rotate", {"grace": HOUR_NS})
    key = api_keys.get(token[:10])
    assert key is not None
    assert key.previous_secret == hash_secret(token[11:])
    user = people.get_user(key.user_id)
    assert user is not None
    made: APIKey = replace(key, hashed_secret=hash_secret(caller.token[11:]))
    for text in (repr(made), str(made), f"{made}", repr([made]), repr(Caller(user, made, None))):  # type: ignore[arg-type]
        assert_silent(text, token, caller.token)


def test_the_trail_says_what_a_change_of_a_token_changed(as_ann: Client, house: House, ann: User, trail: Trail) -> None:
    path = f"/api/v2/users/me/keys/{house.token(ann, token_name='before')[:10]}"
    as_ann.patch(path, {"scopes": ["user:read"], "token_name": "after"})
    as_ann.post(f"{path}/rotate", {})
    narrowed, rotated = (row.additional_fields["changes"] for row in trail())
    assert narrowed == {
        "token_name": {"old": "before", "new": "after"},
        "scopes": {"old": ["coder:all"], "new": ["user:read"]},
    }
    assert rotated == {"secret": {"secret": True}}


def test_nothing_that_holds_a_secret_or_a_hash_shows_it(house: House, ann: User) -> None:
    token = house.token(ann)
    key = api_keys.get(token[:10])
    assert key is not None
    item = APIKeyItem(key.id, hashed_secret=key.hashed_secret)
    texts = [repr(Answer({"key": token}, 201)), repr(item), repr(Write("Put", item.get_save_kwargs_from_instance()))]
    for text in texts:
        assert token not in text
        assert token[11:] not in text
        assert repr(key.hashed_secret) not in text


def test_the_tokens_of_a_deleted_user_are_deleted_with_a_trail(
    owner: Client, house: House, ann: User, trail: Trail
) -> None:
    ids = {house.token(ann)[:10] for _ in range(33)}
    assert owner.delete(f"/api/v2/users/{ann.id}").status == 200
    assert not any(map(api_keys.get, ids))
    rows = [row for row in trail() if row.resource_type == "api_key"]
    assert {row.additional_fields["changed_api_key_id"] for row in rows} == ids


def test_the_client_of_the_store_never_logs_what_it_sends() -> None:
    # Hashes of secrets are in its requests, and at DEBUG it would log them whole.
    for name in ("botocore", "botocore.endpoint", "botocore.parsers", "botocore.hooks"):
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)
