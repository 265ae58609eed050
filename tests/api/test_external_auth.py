"""Links to external providers: kept encrypted, and ended by their user whatever the provider answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.dispatch import revocation
from chalicelib.dispatch.revocation import NotRevoked, Token

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, House
    from tests.transport import ObservedTransport

Trail = Callable[[], "list[AuditLog]"]
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
    assert body["providers"] == [
        {
            "id": "gitlab",
            "type": "gitlab",
            "device": False,
            "display_name": "gitlab",
            "display_icon": "",
            "allow_refresh": False,
            "allow_validate": False,
            "supports_revocation": True,
            "code_challenge_methods_supported": [],
        }
    ]
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


@pytest.mark.usefixtures("keeps_secrets")
def test_a_provider_is_linked_again_after_its_link_was_ended(owner: Client, ann: User, as_ann: Client) -> None:
    for _ in range(2):
        assert put(owner, ann, type="other", revoke_url="") == 204
        assert as_ann.get(f"{LINKS}/gitlab").status == 200
        assert as_ann.delete(f"{LINKS}/gitlab").status == 200


@pytest.mark.usefixtures("keeps_secrets")
def test_a_link_is_on_record_when_it_is_kept_when_it_is_ended_and_with_what_the_provider_said(
    owner: Client, root: User, ann: User, as_ann: Client, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[str] = []

    def revoke(_token: Token) -> bool:
        reply = owner.get("/api/v2/audit", query={"q": "resource_type:external_auth_link"})
        recorded.extend(row["action"] for row in reversed(reply.json["audit_logs"]))
        raise NotRevoked("failed to revoke token: 500")

    monkeypatch.setattr(revocation, "revoke", revoke)
    put(owner, ann, refresh_token="r3fresh", client_secret="cl13nt")
    put(owner, ann, revoke_url="https://gitlab.example.com/p4th/revoke", client_id="ours")
    assert as_ann.delete(f"{LINKS}/gitlab").status == 200
    assert as_ann.delete(f"{LINKS}/gitlab").status == 404
    assert recorded == ["create", "write", "delete"], "on record before the provider is asked"
    rows = trail()
    assert [(row.action, row.user_id, row.status_code) for row in rows] == [
        ("create", root.id, 204),
        ("write", root.id, 204),
        ("delete", ann.id, 200),
        ("write", ann.id, 200),
    ]
    assert {(row.resource_type, row.resource_target) for row in rows} == {("external_auth_link", "gitlab")}
    assert len({row.resource_id for row in rows}) == 1
    assert rows[1].additional_fields["link"] == {
        "user_id": ann.id,
        "username": ann.username,
        "provider": "gitlab",
        "type": "gitlab",
        "revoked_at_host": "gitlab.example.com",
        "client_id": "ours",
        "expires": "0001-01-01T00:00:00Z",
    }
    last = rows[3].additional_fields
    assert (last["token_revoked"], last["token_revocation_error"]) == (False, "failed to revoke token: 500")
    assert not any(secret in repr(rows) for secret in ("acc3ss", "r3fresh", "cl13nt", "p4th"))
    (row,) = owner.get("/api/v2/audit", query={"q": "resource_type:external_auth_link action:delete"}).json[
        "audit_logs"
    ]
    assert row["description"] == "{user} deleted external auth link {target}"


@pytest.mark.usefixtures("keeps_secrets")
def test_a_link_that_ends_while_the_provider_is_asked_is_gone_at_once_and_can_be_ended_again(
    owner: Client, ann: User, as_ann: Client, monkeypatch: pytest.MonkeyPatch, trail: Trail
) -> None:
    class Killed(BaseException):
        pass

    def killed(_token: Token) -> bool:
        raise Killed

    put(owner, ann)
    with monkeypatch.context() as patch:
        patch.setattr(revocation, "revoke", killed)
        with pytest.raises(Killed):
            as_ann.delete(f"{LINKS}/gitlab")
    assert as_ann.get(LINKS).json == {"providers": [], "links": []}
    assert as_ann.get(f"{LINKS}/gitlab").status == 404
    monkeypatch.setattr(revocation, "revoke", lambda _token: True)
    assert as_ann.delete(f"{LINKS}/gitlab").json == {"token_revoked": True}
    assert [row.action for row in trail()] == ["create", "delete", "write"]
    assert as_ann.delete(f"{LINKS}/gitlab").status == 404


@pytest.mark.usefixtures("keeps_secrets")
def test_a_link_that_is_kept_while_another_to_its_provider_ends_stays(
    owner: Client, ann: User, as_ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "revoke", lambda _token: put(owner, ann, access_token="n3w") == 204)
    put(owner, ann)
    assert as_ann.delete(f"{LINKS}/gitlab").json == {"token_revoked": True}
    assert as_ann.get(f"{LINKS}/gitlab").status == 200
