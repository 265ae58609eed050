"""Secrets of users: each user keeps their own, and nobody else so much as hears that they are there, owners included.

A value goes in and comes out by one route alone, to a token whose allow list names the secret by its id: what an agent
is given. Its audit row is stored before the value leaves.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from chalicelib import times
from chalicelib.access.decide import Object
from chalicelib.access.policy import WILDCARD
from chalicelib.api import lookup, secret_trail
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.saving import saved
from chalicelib.casing import lowered
from chalicelib.errors import BadRequest, Conflict, Forbidden, NotFound
from chalicelib.models.base import parse
from chalicelib.models.user_secrets import CapabilitiesJSON, ChangedSecret, NewSecret, released_json, secret_json
from chalicelib.settings import current
from chalicelib.store.directory import people
from chalicelib.store.dynamodb.transaction import transact
from chalicelib.store.secrets import data_keys, shelf
from chalicelib.store.secrets.shelf import Shelf
from chalicelib.vault import limits, rules
from chalicelib.vault.secret import Secret

_NAMING = ("user_secret", WILDCARD)
"""The types of allow list entries that may name a secret."""
_OFF = "User secrets are switched off in this deployment."
_HOW_TO_SWITCH_ON = (
    "Set the parameter UserSecrets of the stack to true; elsewhere set GATEBOOK_SECRETS_KEY to a key of KMS or a file."
)


@authenticated
def show_capabilities(_call: Call, _caller: Caller) -> Answer:
    """The capabilities of user secrets in this deployment."""
    _check_on()
    answer: CapabilitiesJSON = {"file_path_delivery_enabled": _files()}
    return Answer(answer)


@authenticated
def create(call: Call, caller: Caller, user: str) -> Answer:
    """Keep a new secret."""
    check_own(caller, user)
    if not caller.may("create", object_of(caller)):
        raise Forbidden
    asked = parse(NewSecret, call.body)
    fields = asked.model_dump(exclude={"enabled"})
    rules.check(fields, new=True)
    value: str = fields.pop("value")
    now = times.now()
    secret = Secret(
        id=str(uuid4()),
        size=len(value.encode()),
        created_at=now,
        updated_at=now,
        disabled=asked.enabled is False,
        **fields,
    )
    rules.check_place(secret, None, enabled=asked.enabled, files=_files())

    def write() -> Answer:
        kept = shelf.read(caller.user.id)
        limits.check(secret, kept.secrets.values())
        trail = secret_trail.changed(call, caller, 201, None, secret, value=True)
        shelf.put(kept, secret, value, *trail, guards=[people.unchanged(caller.user)])
        return Answer(secret_json(secret), 201)

    return saved(write)


@authenticated
def list_all(_call: Call, caller: Caller, user: str) -> Answer:
    """The user's secrets that the token may read, by name, without their values."""
    check_own(caller, user)
    kept = shelf.read(caller.user.id).secrets.values()
    readable = (secret for secret in kept if caller.may("read", object_of(caller, secret)))
    return Answer([secret_json(secret) for secret in sorted(readable, key=lambda one: (lowered(one.name), one.name))])


@authenticated
def show(_call: Call, caller: Caller, user: str, name: str) -> Answer:
    """One secret, without its value."""
    check_own(caller, user)
    return Answer(secret_json(_named(caller, shelf.read(caller.user.id), name, "read")))


@authenticated
def change(call: Call, caller: Caller, user: str, name: str) -> Answer:
    """Change a secret; it keeps its name."""
    check_own(caller, user)
    asked = parse(ChangedSecret, call.body).model_dump(exclude_none=True)
    if not asked:
        raise BadRequest("At least one field must be provided.")
    enabled: bool | None = asked.pop("enabled", None)
    rules.check(asked, new=False)
    value: str | None = asked.pop("value", None)
    if enabled is not None:
        asked["disabled"] = not enabled

    def write() -> Answer:
        kept = shelf.read(caller.user.id)
        before = _named(caller, kept, name, "update")
        size = before.size if value is None else len(value.encode())
        after = replace(before, size=size, updated_at=times.now(), **asked)
        rules.check_place(after, before, enabled=enabled, files=_files())
        limits.check(after, (other for other in kept.secrets.values() if other.id != before.id))
        trail = secret_trail.changed(call, caller, 200, before, after, value=value is not None)
        shelf.put(kept, after, value, *trail, guards=[people.unchanged(caller.user)])
        return Answer(secret_json(after))

    return saved(write)


@authenticated
def delete(call: Call, caller: Caller, user: str, name: str) -> Answer:
    """Delete a secret with its value."""
    check_own(caller, user)

    def write() -> Answer:
        kept = shelf.read(caller.user.id)
        secret = _named(caller, kept, name, "delete")
        shelf.remove(kept, name, *secret_trail.changed(call, caller, 204, secret, None, value=True))
        return Answer(None, 204)

    return saved(write)


@authenticated
def release(call: Call, caller: Caller, user: str, name: str) -> Answer:
    """A secret with its value, to a token whose allow list names it."""
    check_own(caller, user)
    secret = _named(caller, shelf.read(caller.user.id), name, "read")
    if not any(entry.id == secret.id and entry.type in _NAMING for entry in caller.subject.allow_list):
        raise Forbidden(
            "This token may not have the value of a secret.",
            f"Mint one for the agent whose allow list names it: user_secret:{secret.id}.",
        )
    if secret.disabled:
        raise Conflict("This secret is disabled.", "Its user has to enable it first: coder secret enable.")
    call.require_body_wanted()
    value = shelf.value_of(caller.user.id, secret)
    if value is None:
        raise NotFound
    transact(secret_trail.released(call, caller, secret))
    return Answer(released_json(secret, value, files=_files()))


def check_own(caller: Caller, user: str) -> None:
    """Make sure that there are secrets here, and that a path names the caller: whoever else it names has none."""
    own = (caller.user.id, lowered(caller.user.username), "me")
    if lookup.canonical(user) not in own and lowered(user) not in own:
        raise NotFound
    _check_on()


def _check_on() -> None:
    if not data_keys.is_on():
        raise NotFound(_OFF, _HOW_TO_SWITCH_ON)


def _files() -> bool:
    """Whether the deployment gives secrets to agents in files."""
    return not current().disable_user_secret_file_path


def _named(caller: Caller, kept: Shelf, name: str, action: str) -> Secret:
    """The secret of a name, for a caller who may do the action to it.

    Raises:
        NotFound: there is none, or the token may not read it either.
        Forbidden: the token may read it, and not do this.
    """
    secret = kept.secrets.get(name)
    if secret is None:
        raise NotFound
    if not caller.may(action, object_of(caller, secret)):
        raise Forbidden if caller.may("read", object_of(caller, secret)) else NotFound
    return secret


def object_of(caller: Caller, secret: Secret | None = None) -> Object:
    """The object that the policy decides about: a secret of the caller, or any that is to be."""
    return Object("user_secret", secret.id if secret else "", owner=caller.user.id)
