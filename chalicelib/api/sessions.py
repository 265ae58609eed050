"""Logging in and out as Coder's clients do, and checks of a caller's rights; there are no passwords here."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from chalicelib.access.decide import Object, Reach, Subject, decide, is_closed_to_secret, reach
from chalicelib.api import lookup
from chalicelib.api.authentication import TOKEN_NAME, authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.lookup import canonical
from chalicelib.api.trail import delete_tokens
from chalicelib.errors import BadRequest, Forbidden
from chalicelib.models.authcheck import AuthCheck, CheckedObject
from chalicelib.models.base import parse
from chalicelib.models.service import AuthMethodsJSON, LoginTypeJSON, MessageJSON
from chalicelib.store.directory import api_keys

_APPLICATION_CONNECT = "coder:application_connect"
_ME = "me"


def auth_methods(_call: Call) -> Answer:
    """The ways to log in: none but a token."""
    body: AuthMethodsJSON = {
        "password": {"enabled": False},
        "github": {"enabled": False, "default_provider_configured": False},
        "oidc": {"enabled": False, "signInText": "", "iconUrl": ""},
    }
    return Answer(body)


def create_first_user(_call: Call) -> Answer:
    """There is no open way to make the first owner: it is made at the first start, or by the deployer."""
    raise _no_passwords()


def log_in(_call: Call) -> Answer:
    """There are no passwords to log in with."""
    raise _no_passwords()


@authenticated
def log_out(call: Call, caller: Caller) -> Answer:
    """Delete the token that this request came with, and the user's tokens for applications that it may delete."""
    caller.require_current_secret()
    applications = [
        key
        for key in api_keys.of_user(caller.user.id)
        if _APPLICATION_CONNECT in key.scopes
        and key.id != caller.key.id
        and decide(caller.subject, "delete", Object("api_key", key.id, owner=key.user_id))
    ]
    delete_tokens(call, caller, applications, "delete")
    delete_tokens(call, caller, [caller.key], "logout")
    cookie = f"{TOKEN_NAME}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    return Answer(MessageJSON(message="Logged out!"), headers={"Set-Cookie": cookie})


@authenticated
def login_type(_call: Call, caller: Caller, user: str) -> Answer:
    """The way in which a user logs in to the platform."""
    return Answer(LoginTypeJSON(login_type=lookup.user(caller, user).login_type))


@authenticated
def check(call: Call, caller: Caller) -> Answer:
    """Whether the caller may do each of the named things."""
    asked = parse(AuthCheck, call.body)
    for name, item in asked.checks.items():
        if not item.object.resource_type:
            raise BadRequest(f'Object\'s "resource_type" field must be defined for key "{name}".')
    # Whoever is in many organizations has them looked at once for each kind of question, and not for each question.
    reached = cache(partial(reach, caller.subject))
    return Answer(
        {name: _may(caller.subject, item.action, item.object, reached) for name, item in asked.checks.items()}
    )


def _may(subject: Subject, action: str, about: CheckedObject, reached: Callable[[str, str], Reach]) -> bool:
    owner = subject.user_id if about.owner_id == _ME else canonical(about.owner_id)
    object_id = canonical(about.resource_id)
    if about.any_org:
        return _may_anywhere(subject, action, Object(about.resource_type, object_id, owner), reached)
    return bool(
        decide(subject, action, Object(about.resource_type, object_id, owner, canonical(about.organization_id)))
    )


def _may_anywhere(subject: Subject, action: str, obj: Object, reached: Callable[[str, str], Reach]) -> bool:
    """Whether there is any organization in which the subject may do the action to such an object."""
    places = reached(action, obj.type)
    if is_closed_to_secret(subject, action, obj.type) or (places.ids is not None and obj.id not in places.ids):
        return False
    own = obj.owner == subject.user_id and bool(places.own_in)
    return places.site or bool(places.organizations) or own


def _no_passwords() -> Forbidden:
    return Forbidden("Password authentication is disabled.", "Use a token; an owner can mint one for you.")
