from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib import times
from chalicelib.access.secret import generate, hash_secret
from chalicelib.settings import Settings, current
from chalicelib.store.directory import api_keys, people

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House, Reply

ME = "/api/v2/users/me"
SIGNED_OUT = "You are signed out or your session has expired. Please sign in again to continue."
ENOUGH = "x" * 22
FOREVER = datetime(2999, 1, 1, tzinfo=UTC)
CheckError = Callable[["Reply"], dict[str, Any]]


def challenge(description: str) -> str:
    return (
        f'Bearer realm="coder", error="invalid_token", error_description="{description}",'
        f' resource_metadata="{current().access_url}/.well-known/oauth-protected-resource"'
    )


# First to last: the first place that holds anything decides.
PLACES: list[Callable[[str], dict[str, Mapping[str, str]]]] = [
    lambda token: {"headers": {"Cookie": f"theme=dark; coder_session_token={token}; a=b"}},
    lambda token: {"query": {"coder_session_token": token}},
    lambda token: {"headers": {"Coder-Session-Token": token}},
    lambda token: {"headers": {"Authorization": f"Bearer {token}"}},
    lambda token: {"query": {"access_token": token}},
]


def other_secret(token: str) -> str:
    """A token with the id of this one, a checksum that is right and a secret that is not its own."""
    return generate(key_id=token[:10]).text


def together(*parts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    whole: dict[str, dict[str, str]] = {}
    for part in parts:
        for name, values in part.items():
            whole.setdefault(name, {}).update(values)
    return whole


@pytest.fixture
def token(house: House, root: User) -> str:
    return house.token(root)


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_a_token_opens_from_every_place(client: Client, root: User, token: str, place: int) -> None:
    reply = client.get(ME, **PLACES[place](token))
    assert (reply.status, reply.json["id"]) == (200, root.id)


@pytest.mark.parametrize(("first", "later"), [*combinations(range(len(PLACES)), 2)])
def test_the_first_place_decides(client: Client, token: str, first: int, later: int) -> None:
    other = f"{'q' * 10}-{ENOUGH}"
    assert client.get(ME, **together(PLACES[first](token), PLACES[later](other))).status == 200
    assert client.get(ME, **together(PLACES[first](other), PLACES[later](token))).status == 401


@pytest.mark.parametrize(("first", "later"), [*combinations(range(len(PLACES)), 2)])
def test_an_empty_place_is_passed_over(client: Client, token: str, first: int, later: int) -> None:
    assert client.get(ME, **together(PLACES[first](""), PLACES[later](token))).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "bearer {}"},
        {"authorization": "Splunk {}"},
        {"AUTHORIZATION": "BEARER {}"},
        {"Authorization": "Bearer   {} "},
        {"coder-session-token": "{}"},
        {"CODER-SESSION-TOKEN": "{}"},
        {"cookie": 'coder_session_token="{}"'},
        {"Cookie": "a; =; coder_session_token={}"},
    ],
)
def test_spellings_of_the_places(client: Client, token: str, headers: dict[str, str]) -> None:
    assert client.get(ME, headers={name: value.format(token) for name, value in headers.items()}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic {}"},
        {"Authorization": "{}"},
        {"Authorization": "Bearer"},
        {"Cookie": "xcoder_session_token={}"},
        {"Cookie": "coder_session_token"},
        {"Session-Token": "{}"},
    ],
)
def test_elsewhere_there_is_no_token(
    client: Client, assert_error: CheckError, token: str, headers: dict[str, str]
) -> None:
    reply = client.get(ME, headers={name: value.format(token) for name, value in headers.items()})
    assert reply.status == 401
    assert assert_error(reply) == {
        "message": SIGNED_OUT,
        "detail": 'Cookie "coder_session_token" or query parameter must be provided.',
    }
    assert reply.headers["www-authenticate"] == challenge("The access token has expired")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("test", "incorrect amount of API key parts, expected 2 got 1"),
        ("test-wow-hello", "incorrect amount of API key parts, expected 2 got 3"),
        ("test-wow", "invalid API key ID length, expected 10 got 4"),
        ("testtestid-wow", "invalid API key secret length, expected 22 got 3"),
        ("-", "invalid API key ID length, expected 10 got 0"),
        (f"ééééé1-{ENOUGH}", "invalid API key ID length, expected 10 got 11"),
        (f"testtestid-é{ENOUGH}", "invalid API key secret length, expected 22 got 24"),
    ],
)
def test_a_token_of_another_form(client: Client, assert_error: CheckError, text: str, problem: str) -> None:
    reply = client.get(ME, headers={"Coder-Session-Token": text})
    assert reply.status == 401
    assert assert_error(reply) == {"message": SIGNED_OUT, "detail": f"Invalid API key format: {problem}"}
    assert reply.headers["www-authenticate"] == challenge("The access token has expired")


@pytest.mark.parametrize("key_id", ["unknownkey", "ééééé", "name#user#", "a b c d e "])
def test_an_unknown_id(client: Client, assert_error: CheckError, key_id: str) -> None:
    reply = client.get(ME, headers={"Coder-Session-Token": f"{key_id}-{ENOUGH}"})
    assert reply.status == 401
    assert assert_error(reply) == {"message": SIGNED_OUT, "detail": "API key is invalid."}
    assert reply.headers["www-authenticate"] == challenge("The access token has expired")


def test_a_wrong_secret(client: Client, house: House, root: User, assert_error: CheckError, token: str) -> None:
    plain = f"WuoWs4ZsMX-{ENOUGH}"
    house.token(root, id="WuoWs4ZsMX", hashed_secret=hash_secret(ENOUGH))
    assert client.get(ME, headers={"Coder-Session-Token": plain}).status == 200
    for wrong in (
        other_secret(token),
        f"{plain[:-1]}y",
        f"{plain[:11]}{'é' * 11}",
    ):
        reply = client.get(ME, headers={"Coder-Session-Token": wrong})
        assert reply.status == 401
        assert assert_error(reply) == {"message": SIGNED_OUT, "detail": "API key secret is invalid."}
        assert reply.headers["www-authenticate"] == challenge("The access token has expired")


@pytest.mark.parametrize(
    ("expired", "expected"),
    [
        (datetime(2026, 1, 2, 15, 4, 5, 999_999, tzinfo=UTC), "2026-01-02 15:04:05.999999 +0000 UTC"),
        (datetime(2026, 1, 2, 15, 4, 5, 120_000, tzinfo=UTC), "2026-01-02 15:04:05.12 +0000 UTC"),
        (datetime(2026, 1, 20, 0, 0, 0, 0, tzinfo=UTC), "2026-01-20 00:00:00 +0000 UTC"),
    ],
)
def test_an_expired_token_says_when_in_gos_words(
    house: House,
    root: User,
    assert_error: CheckError,
    expired: datetime,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_keys, "current", lambda: Settings(api_keys_retention=0))
    reply = house.client(root, expires_at=expired).get(ME)
    assert reply.status == 401
    assert assert_error(reply) == {"message": SIGNED_OUT, "detail": f'API key expired at "{expected}".'}
    assert reply.headers["www-authenticate"] == challenge("The access token has expired")


def test_an_expired_token_with_a_wrong_secret_says_nothing_of_its_end(
    client: Client, house: House, root: User, assert_error: CheckError
) -> None:
    token = house.token(root, expires_at=times.now() - timedelta(days=1))
    reply = client.get(ME, headers={"Coder-Session-Token": other_secret(token)})
    assert assert_error(reply)["detail"] == "API key secret is invalid."


def test_a_suspended_user(house: House, assert_error: CheckError) -> None:
    reply = house.client(house.user("sue", "owner", status="suspended")).get(ME)
    assert reply.status == 401
    assert assert_error(reply) == {
        "message": 'User is not active (status = "suspended"). Contact an admin to reactivate your account.'
    }
    assert reply.headers["www-authenticate"] == challenge("The access token is invalid")


@pytest.mark.parametrize("status", ["active", "dormant"])
def test_other_statuses_are_let_in(house: House, status: str) -> None:
    assert house.client(house.user("dora", status=status)).get(ME).status == 200


def test_a_deleted_user(house: House, assert_error: CheckError) -> None:
    gone = house.user("gone", "auditor")
    caller = house.client(gone)
    assert caller.get(ME).status == 200
    people.save_user(replace(gone, deleted=True, updated_at=times.now()), gone)
    reply = caller.get(ME)
    assert reply.status == 401
    assert assert_error(reply) == {"message": SIGNED_OUT, "detail": "API key is invalid."}


def test_a_user_that_was_never_there(house: House, root: User, assert_error: CheckError) -> None:
    reply = house.client(replace(root, id="6f6a1f0e-52a4-4b6e-9d0a-6a1d5b0f7c21")).get(ME)
    assert reply.status == 401
    assert assert_error(reply)["detail"] == "API key is invalid."


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "https://gatebook.example.com"}, True),
        ({"Origin": "http://127.0.0.1:8000"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://gatebook.example.com.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
def test_a_cookie_from_another_site_changes_nothing(
    client: Client,
    assert_error: CheckError,
    token: str,
    headers: dict[str, str],
    allowed: bool,
) -> None:
    cookie = {"Cookie": f"coder_session_token={token}"}
    sent = client.post("/api/v2/connectionlog", {"events": []}, headers=cookie | headers)
    assert sent.status == (200 if allowed else 403)
    if not allowed:
        assert "origin" in assert_error(sent)["message"]
    # Reading is not changing, and a page cannot set our header for another site.
    assert client.get(ME, headers=cookie | headers).status == 200
    with_header = cookie | headers | {"Coder-Session-Token": token}
    assert client.post("/api/v2/connectionlog", {"events": []}, headers=with_header).status == 200


def test_a_header_token_may_come_from_any_site(client: Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/api/v2/connectionlog", {"events": []}, headers=headers).status == 200


def test_refusing_takes_the_same_work_whatever_is_wrong(
    client: Client,
    house: House,
    root: User,
    store_calls: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good, expired = house.token(root), house.token(root, expires_at=times.now() - timedelta(days=1))
    rotated = house.token(root, previous_secret=hash_secret(ENOUGH), previous_until=FOREVER)
    compared: list[int] = []
    original = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(len(one) + len(other))
        return original(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    work = []
    for text in (f"unknownkey-{ENOUGH}", generate().text, other_secret(good), other_secret(rotated), expired):
        store_calls.clear()
        compared.clear()
        assert client.get(ME, headers={"Coder-Session-Token": text}).status == 401
        work.append((list(store_calls), list(compared)))
    assert work == [(["GetItem"], [64, 64, 64])] * 5


def test_a_token_check_takes_two_calls_to_the_store(client: Client, token: str, store_calls: list[str]) -> None:
    operations = []
    for _ in range(2):
        store_calls.clear()
        assert client.get(ME, headers={"Coder-Session-Token": token}).status == 200
        operations.append(list(store_calls))
    # The first use is noted, and then none for an hour.
    assert operations == [["GetItem", "GetItem", "UpdateItem", "UpdateItem"], ["GetItem", "GetItem"]]
