"""Imports a file of secrets: every entry becomes a secret of the user, or none does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from chalicelib import times
from chalicelib.api import secret_trail
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.saving import saved
from chalicelib.api.user_secrets import check_own, object_of
from chalicelib.errors import BadRequest, Conflict, Forbidden, Invalid, Validation
from chalicelib.models.base import parse
from chalicelib.models.user_secrets import SecretFile, secret_json
from chalicelib.store.directory import people
from chalicelib.store.secrets import shelf
from chalicelib.store.secrets.shelf import Shelf
from chalicelib.vault import formats, limits, rules
from chalicelib.vault.entries import Entry
from chalicelib.vault.secret import Secret


@authenticated
def import_all(call: Call, caller: Caller, user: str) -> Answer:
    """Keep a new secret for each entry of a file, in one step: a name that no variable may have goes without one."""
    check_own(caller, user)
    if not caller.may("create", object_of(caller)):
        raise Forbidden
    asked = parse(SecretFile, call.body)
    entries = formats.read(asked.format, asked.content)
    if len(entries) > limits.MOST:
        _check_number(entries, len(shelf.read(caller.user.id).secrets))
    _check_fields(entries)

    def write() -> Answer:
        kept = shelf.read(caller.user.id)
        secrets = _secrets(entries, kept, times.now())
        values = dict(zip(secrets, (entry.value for entry in entries), strict=True))
        trail = [row for one in secrets for row in secret_trail.changed(call, caller, 201, None, one, value=True)]
        shelf.put_all(kept, values, *trail, guards=[people.unchanged(caller.user)])
        return Answer([secret_json(secret) for secret in secrets], 201)

    return saved(write)


def _check_number(entries: Sequence[Entry], kept: int) -> None:
    """Make sure that the user may have so many secrets more.

    Raises:
        BadRequest: they would be too many; says how many the file has too much.
    """
    beyond = kept + len(entries) - limits.MOST
    if beyond > 0:
        raise BadRequest(
            "User secrets limit reached.",
            f"You have {kept} of {limits.MOST} secrets and this file has {len(entries)}: remove at least {beyond}.",
        )


def _check_fields(entries: Sequence[Entry]) -> None:
    """Make sure that each entry may be a secret.

    Raises:
        Invalid: names each field of each that may not.
    """
    wrong = [
        Validation(f"secrets[{index}].{one.field}", f"Secret {entry}: {one.detail}")
        for index, entry in enumerate(entries)
        for one in rules.wrong({"name": entry.key, "value": entry.value})
    ]
    if wrong:
        raise Invalid(wrong)


def _secrets(entries: Sequence[Entry], kept: Shelf, now: datetime) -> list[Secret]:
    """The secrets that the entries become beside those that the user has.

    Raises:
        Conflict: some have a name or a variable of these; names each.
        BadRequest: there would be too many, or too large ones.
    """
    others = tuple(kept.secrets.values())
    secrets = [
        Secret(
            id=str(uuid4()),
            name=entry.key,
            description="",
            env_name=rules.variable(entry.key),
            file_path="",
            size=len(entry.value.encode()),
            created_at=now,
            updated_at=now,
        )
        for entry in entries
    ]
    taken = [
        Validation(f"secrets[{index}].{one.field}", f"Secret {entries[index]}: {one.detail}")
        for index, secret in enumerate(secrets)
        for one in limits.conflicts(secret, others)
    ]
    if taken:
        raise Conflict("Some secrets already exist.", validations=taken)
    _check_number(entries, len(others))
    for index, secret in enumerate(secrets):
        try:
            limits.check_room(secret, (*others, *secrets[:index]))
        except BadRequest as error:
            raise BadRequest(error.message, f"Entry secrets[{index}] ({entries[index]}): {error.detail}") from error
    return secrets
