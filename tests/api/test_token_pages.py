"""A list of tokens is always short enough to be answered, and its pages show each token once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chalicelib import times
from chalicelib.api import keys
from chalicelib.settings import Settings
from chalicelib.store.directory import api_keys, people, token_counts

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House, Reply

USERS = "/api/v2/users"
MINE = f"{USERS}/me/keys/tokens"


def pages(client: Client, **query: str) -> list[list[str]]:
    """The ids on each page, by following the links."""
    listed: list[list[str]] = []
    asked = dict(query)
    while True:
        reply = client.get(MINE, query=asked or None)
        assert reply.status == 200
        listed.append([key["id"] for key in reply.json])
        if "link" not in reply.headers:
            return listed
        link = reply.headers["link"]
        assert link.startswith("<?")
        assert link.endswith('>; rel="next"')
        asked = dict(pair.split("=") for pair in link[2:].partition(">")[0].split("&"))


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
def test_the_links_lead_through_every_token_once(house: House, ann: User, as_ann: Client, limit: int) -> None:
    minted = [as_ann.token[:10], *(house.token(ann)[:10] for _ in range(6))]
    house.token(ann, expires_at=times.now())
    listed = pages(as_ann, limit=str(limit))
    assert [key_id for page in listed for key_id in page] == minted
    assert all(len(page) == limit for page in listed[:-1])


def test_who_may_read_their_own_alone_has_no_others_looked_at(
    house: House, ann: User, as_ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.token(house.user("bob"))
    mine = [as_ann.token[:10], house.token(ann)[:10]]
    monkeypatch.setattr(api_keys, "list_all", lambda _after: pytest.fail("everybody's tokens are read"))
    assert pages(as_ann, include_all="true", limit="1") == [[mine[0]], [mine[1]]]
    narrow = house.client(ann, scopes=("user:read", "api_key:read"), allow_list=("user:*", f"api_key:{mine[1]}"))
    assert pages(narrow, include_all="true") == [[mine[1]]]


def test_without_a_limit_a_page_has_the_default(house: House, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "DEFAULT_LIMIT", 3)
    monkeypatch.setattr(keys, "AT_ONCE", 2)
    client = house.client(ann)
    for _ in range(6):
        house.token(ann)
    house.token(ann, expires_at=times.now())
    assert [len(page) for page in pages(client)] == [3, 3, 1]
    assert [len(page) for page in pages(client, include_expired="true")] == [3, 3, 2]
    assert [len(page) for page in pages(house.client(house.user("root", "owner")), include_all="1")] == [3, 3, 2]


def test_no_list_is_longer_than_can_be_answered(house: House, ann: User, owner: Client) -> None:
    long = tuple(f"workspace:{uuid4()}" for _ in range(128))
    names = tuple(f"workspace:{action}" for action in ("read", "update", "ssh")) * 60
    made = [
        house.token(ann, allow_list=long, scopes=names, allowed_ips=tuple(f"10.0.{n}.0/24" for n in range(64)))[:10]
        for _ in range(480)
    ]
    reply: Reply = owner.get(MINE, query={"include_all": "true"})
    assert len(reply.text) < 5_500_000
    listed = pages(owner, include_all="true")
    assert len(listed) > 1
    assert sorted(key_id for page in listed for key_id in page) == sorted([owner.token[:10], *made])


def test_at_the_cap_minting_is_refused_and_ending_a_token_makes_room(
    house: House, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_counts, "current", lambda: Settings(max_tokens_per_user=3))
    client = house.client(ann)
    made = [client.post(MINE, {}) for _ in range(3)]
    assert [reply.status for reply in made] == [201, 201, 403]
    assert made[2].json["detail"].startswith("The user has 3 tokens, as many as a user may have")
    assert client.put(f"{USERS}/me/keys/{made[0].json['key'][:10]}/expire").status == 204
    assert [client.post(MINE, {}).status for _ in range(2)] == [201, 403]


# Who comes back after a deletion.


def test_what_is_minted_while_a_user_is_deleted_is_never_live_and_never_listed(
    house: House, owner: Client, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_ann, original, replies = house.client(ann), people.save_user, []

    def meanwhile(*arguments: Any) -> None:
        # The tokens are deleted, the user is not yet.
        replies.append(owner.post(f"{USERS}/{ann.id}/keys/tokens", {}))
        original(*arguments)
        replies.append(owner.post(f"{USERS}/{ann.id}/keys/tokens", {}))

    monkeypatch.setattr(people, "save_user", meanwhile)
    assert owner.delete(f"{USERS}/{ann.id}").status == 200
    monkeypatch.setattr(people, "save_user", original)
    assert [reply.status for reply in replies] == [201, 404]
    assert list(api_keys.of_user(ann.id)) == []
    assert owner.put(f"{USERS}/{ann.id}", {"username": "ann", "email": "ann@example.com"}).status == 201
    for token in (replies[0].json["key"], as_ann.token):
        assert replace(as_ann, token=token).get(f"{USERS}/me").status == 401


def test_a_user_who_is_deleted_during_a_mint_gets_no_token(
    house: House, owner: Client, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    del house
    original, pending = api_keys.add, [True]

    def overtaken(*arguments: Any, **guards: Any) -> None:
        if pending:
            pending.clear()
            assert owner.delete(f"{USERS}/{ann.id}").status == 200
        original(*arguments, **guards)

    monkeypatch.setattr(api_keys, "add", overtaken)
    assert owner.post(f"{USERS}/{ann.id}/keys/tokens", {}).status == 404
    assert list(api_keys.of_user(ann.id)) == []


def test_who_becomes_owner_during_a_mint_gets_no_longer_a_token_than_an_owner(
    house: House, owner: Client, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    del house
    original, pending = api_keys.add, [True]

    def overtaken(*arguments: Any, **guards: Any) -> None:
        if pending:
            pending.clear()
            promoted = {"username": "ann", "email": ann.email, "roles": ["owner"]}
            assert owner.put(f"{USERS}/{ann.id}", promoted).status == 200
        original(*arguments, **guards)

    monkeypatch.setattr(api_keys, "add", overtaken)
    years = 80 * 365 * 86_400 * 10**9
    assert owner.post(f"{USERS}/{ann.id}/keys/tokens", {"lifetime": years}).status == 400
    assert list(api_keys.of_user(ann.id)) == []


def test_a_token_from_before_a_deletion_is_not_listed_when_its_user_is_back(
    house: House, owner: Client, ann: User
) -> None:
    old = house.token(ann, created_at=ann.created_at - timedelta(seconds=1))
    listed = [key["id"] for key in owner.get(f"{USERS}/{ann.id}/keys/tokens").json]
    assert old[:10] not in listed
    assert old[:10] not in [key["id"] for key in owner.get(MINE, query={"include_all": "true"}).json]
