"""Links of users to external providers: deposited by the platform, listed to their user, and ended where they began.

A link is ended before its token is revoked, so that a provider that does not answer keeps nobody linked. Until the
outcome is on record it stays as one that is ending, which nobody is shown, so that a request that failed can be sent
again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.access.decide import decide
from chalicelib.api import external_trail, lookup, user_changes
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.saving import saved
from chalicelib.dispatch import revocation
from chalicelib.dispatch.revocation import NotRevoked, Token
from chalicelib.errors import BadRequest, Forbidden, GatebookError, NotFound
from chalicelib.models.base import Model, Moment, ShortText, parse
from chalicelib.store.platform import beside
from chalicelib.store.secrets import data_keys, envelope

_ENDING: Final = "ending"
_MOST_LINKS: Final = 32
_TOKEN_LENGTH: Final = 8_192
_PROVIDER_LENGTH: Final = 64

_Secret = Annotated[str, Field(max_length=_TOKEN_LENGTH)]


class PutLink(Model):
    """A link of a user to a provider, with what it takes to revoke its token."""

    type: ShortText
    revoke_url: Annotated[str, Field(max_length=1_024, pattern=r"^(https://[^\s/?#@]+(/\S*)?)?$")] = ""
    client_id: ShortText = ""
    client_secret: _Secret = ""
    access_token: Annotated[str, Field(min_length=1, max_length=_TOKEN_LENGTH)]
    refresh_token: _Secret = ""
    expires: Moment | None = None


class UnlinkedJSON(TypedDict):
    """The result of revoking the token of a link that was ended."""

    token_revoked: bool
    token_revocation_error: NotRequired[str]


class ProviderJSON(TypedDict):
    """codersdk.ExternalAuthLinkProvider: a provider that the caller has a link to.

    It is the platform that asks providers for tokens, so nothing is refreshed or validated here.
    """

    id: str
    type: str
    device: bool
    display_name: str
    display_icon: str
    allow_refresh: bool
    allow_validate: bool
    supports_revocation: bool
    code_challenge_methods_supported: list[str]


class LinkJSON(TypedDict):
    """codersdk.ExternalAuthLink."""

    provider_id: str
    created_at: str
    updated_at: str
    has_refresh_token: bool
    expires: str
    authenticated: bool
    validate_error: str


class ExternalAuthJSON(TypedDict):
    """codersdk.ExternalAuth; nothing is known here of the user at the provider and of its apps."""

    authenticated: bool
    device: bool
    display_name: str
    supports_revocation: bool
    user: None
    app_installable: bool
    installations: list[dict[str, object]]
    app_install_url: str


class LinksJSON(TypedDict):
    """codersdk.ListUserExternalAuthResponse."""

    providers: list[ProviderJSON]
    links: list[LinkJSON]


@authenticated
def put(call: Call, caller: Caller, user: str, provider: str) -> Answer:
    """Keep a link of a user, its tokens encrypted."""
    asked = parse(PutLink, call.body)
    named = lookup.user(caller, user)
    if not decide(caller.subject, "update", lookup.user_object(named.id)):
        raise Forbidden
    user_changes.check_owner(caller, named)
    if not 0 < len(provider) <= _PROVIDER_LENGTH:
        raise BadRequest(f"The id of a provider has 1 to {_PROVIDER_LENGTH} characters.")
    data_keys.require_on()
    secrets = asked.model_dump(include={"client_secret", "access_token", "refresh_token"})
    sealed = envelope.sealed(json.dumps(secrets), _context(named.id, provider))

    def write() -> Answer:
        before = beside.read(_item_id(named.id))
        now = times.wire(times.now())
        known = _kept(before).get(provider)
        link = {
            "type": asked.type,
            "revoke_url": asked.revoke_url,
            "client_id": asked.client_id,
            "has_refresh_token": bool(asked.refresh_token),
            "expires": times.wire(asked.expires) if asked.expires else times.wire(times.NEVER),
            "created_at": known["created_at"] if known else now,
            "updated_at": now,
            "sealed": sealed,
        }
        after = {**before, provider: link}
        if len(_kept(after)) > _MOST_LINKS:
            raise BadRequest(f"A user may have {_MOST_LINKS} links.")
        trail = external_trail.kept(call, caller, named, provider, link, new=known is None)
        beside.put_changed(_item_id(named.id), after, before, *trail)
        return Answer(None, 204)

    return saved(write)


@authenticated
def list_own(_call: Call, caller: Caller) -> Answer:
    """The caller's own links, and the providers that they are to; none for a token that reads nothing personal."""
    may = decide(caller.subject, "read_personal", lookup.user_object(caller.user.id))
    links = sorted(_kept(beside.read(_item_id(caller.user.id))).items()) if may else []
    body: LinksJSON = {
        "providers": [
            {
                "id": provider,
                "type": link["type"],
                "device": False,
                "display_name": provider,
                "display_icon": "",
                "allow_refresh": False,
                "allow_validate": False,
                "supports_revocation": _revokes(link),
                "code_challenge_methods_supported": [],
            }
            for provider, link in links
        ],
        "links": [
            {
                "provider_id": provider,
                "created_at": link["created_at"],
                "updated_at": link["updated_at"],
                "has_refresh_token": link["has_refresh_token"],
                "expires": link["expires"],
                "authenticated": True,
                "validate_error": "",
            }
            for provider, link in links
        ],
    }
    return Answer(body)


@authenticated
def show(_call: Call, caller: Caller, provider: str) -> Answer:
    """The caller's own link to a provider."""
    may = decide(caller.subject, "read_personal", lookup.user_object(caller.user.id))
    link = _kept(beside.read(_item_id(caller.user.id))).get(provider) if may else None
    if link is None:
        raise NotFound
    body: ExternalAuthJSON = {
        "authenticated": True,
        "device": False,
        "display_name": provider,
        "supports_revocation": _revokes(link),
        "user": None,
        "app_installable": False,
        "installations": [],
        "app_install_url": "",
    }
    return Answer(body)


@authenticated
def unlink(call: Call, caller: Caller, provider: str) -> Answer:
    """End the caller's own link to a provider, and then revoke its token there, as far as the provider does."""
    user_id = caller.user.id
    if not decide(caller.subject, "update_personal", lookup.user_object(user_id)):
        raise NotFound
    ending: dict[str, Any] = {}

    def end() -> Answer:
        before = beside.read(_item_id(user_id))
        if provider not in before:
            raise NotFound
        ending.update(before[provider], **{_ENDING: True})
        if ending != before[provider]:
            trail = external_trail.ended(call, caller, provider, ending)
            beside.put_changed(_item_id(user_id), {**before, provider: ending}, before, *trail)
        return Answer(None)

    def note() -> Answer:
        before = beside.read(_item_id(user_id))
        # Another link to the provider may have been deposited meanwhile.
        after = {name: link for name, link in before.items() if (name, link) != (provider, ending)}
        trail = external_trail.revoked(call, caller, provider, ending, outcome)
        beside.put_changed(_item_id(user_id), after, before, *trail)
        return Answer(outcome)

    saved(end)
    outcome = _revoked(ending, user_id, provider)
    return saved(note)


def _revoked(link: dict[str, Any], user_id: str, provider: str) -> UnlinkedJSON:
    try:
        secrets = json.loads(envelope.opened(link["sealed"], _context(user_id, provider)))
        token = Token(link["type"], link["revoke_url"], link["client_id"], **secrets)
        return {"token_revoked": revocation.revoke(token)}
    except NotRevoked as error:
        return {"token_revoked": False, "token_revocation_error": str(error)}
    except GatebookError as error:
        return {"token_revoked": False, "token_revocation_error": error.message}


def _kept(links: Mapping[str, Any]) -> dict[str, Any]:
    return {provider: link for provider, link in links.items() if not link.get(_ENDING)}


def _revokes(link: dict[str, Any]) -> bool:
    return link["type"] == revocation.GITHUB or bool(link["revoke_url"])


def _context(user_id: str, provider: str) -> dict[str, str]:
    return {"user": user_id, "secret": f"external_auth#{provider}"}


def _item_id(user_id: str) -> str:
    return f"external_auth#{user_id}"
