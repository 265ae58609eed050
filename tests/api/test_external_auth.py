"""Links to external providers: kept encrypted, and ended by their user whatever the provider answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.dispatch import revocation
from chalicelib.dispatch.revocation import NotRevoked, Token

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House
    from tests.transport import ObservedTransport

LINKS = "/api/v2/external-auth"
LINK = {"type": "gitlab", "revoke_url": "https://gitlab.example.com/oauth/revoke", "access_token": "acc3ss"}


def put(owner: Client, user: User, **changes: Any) -> int:
    return owner.put(f"/api/v2/users/{user.id}/external-auth/gitlab", {**LINK, **changes}).status


@pytest.mark.usefixtures("keeps_secrets")
def test_a_link_is_listed_to_its_user_and_stored_encrypted(
    owner: Client, ann: User, as_ann: Client, transport: ObservedTransport
) -> None:
    assert put(owner, ann, refresh_token="r3fresh") == 204
    assert not any(secret in repr(transport.requests) for secret in ("acc3ss", "r3fresh"))
    body = as_ann.get(LINKS).json
    assert body["providers"] == [{"id": "gitlab", "type": "gitlab", "supports_revocation": True}]
    (link,) = body["links"]
    assert (link["provider_id"], link["has_refresh_token"], link["authenticated"]) == ("gitlab", True, True)
    assert owner.get(LINKS).json == {"providers": [], "links": []}
    one = as_ann.get(f"{LINKS}/gitlab")
    assert (one.status, one.json["authenticated"], one.json["supports_revocation"]) == (200, True, True)
    assert "acc3ss" not in one.text
    assert owner.get(f"{LINKS}/gitlab").status == as_ann.get(f"{LINKS}/github").status == 404


@pytest.mark.usefixtures("keeps_secrets")
@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (True, {"token_revoked": True}),
        (False, {"token_revoked": False}),
        (
            NotRevoked("failed to revoke token: 500"),
            {"token_revoked": False, "token_revocation_error": "failed to revoke token: 500"},
        ),
    ],
    ids=["revoked", "not offered", "failed"],
)
def test_a_link_is_gone_whatever_the_provider_answers(
    owner: Client, ann: User, as_ann: Client, monkeypatch: pytest.MonkeyPatch, outcome: Any, answer: dict[str, Any]
) -> None:
    tokens: list[Token] = []

    def revoke(token: Token) -> bool:
        tokens.append(token)
        assert as_ann.get(LINKS).json["links"] == [], "the link goes first"
        if isinstance(outcome, NotRevoked):
            raise outcome
        return bool(outcome)

    monkeypatch.setattr(revocation, "revoke", revoke)
    put(owner, ann)
    reply = as_ann.delete(f"{LINKS}/gitlab")
    assert (reply.status, reply.json) == (200, answer)
    assert [token.access_token for token in tokens] == ["acc3ss"]
    assert as_ann.delete(f"{LINKS}/gitlab").status == 404


@pytest.mark.usefixtures("keeps_secrets")
def test_a_token_of_another_scope_neither_lists_nor_ends_a_link(owner: Client, ann: User, house: House) -> None:
    put(owner, ann)
    narrow = house.client(ann, scopes=("workspace:read",))
    assert narrow.get(LINKS).json["links"] == []
    assert narrow.get(f"{LINKS}/gitlab").status == 404
    assert narrow.delete(f"{LINKS}/gitlab").status == 404
    assert owner.delete(f"{LINKS}/gitlab").status == 404


def test_a_deployment_without_a_key_takes_no_link(owner: Client, ann: User) -> None:
    assert put(owner, ann) == 501


@pytest.mark.usefixtures("keeps_secrets")
@pytest.mark.parametrize("url", ["http://gitlab.example.com/revoke", "https://user@internal/", "file:///etc/passwd"])
def test_tokens_are_sent_to_addresses_of_https_alone(owner: Client, ann: User, url: str) -> None:
    assert put(owner, ann, revoke_url=url) == 400


@pytest.mark.usefixtures("keeps_secrets")
def test_a_link_of_an_owner_is_kept_by_owners_alone(house: House, root: User, owner: Client, ann: User) -> None:
    as_admin = house.client(house.user("admin", "user-admin"))
    assert put(as_admin, root) == 403
    assert owner.get(LINKS).json["links"] == []
    assert put(as_admin, ann) == 204
    assert put(owner, root) == 204
