"""Requests that a client may send again: `Idempotency-Key`, as draft-ietf-httpapi-idempotency-key-header has it.

The same key from the same token within 24 hours is the same operation. Secrets are not kept, so a repetition issues a
new one in place of the one that nobody received. Answers: 400 for a malformed key, 409 while the first request is under
way or when the token has another secret by now, 422 for the same key with another request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from typing import Final, NamedTuple

from pydantic_core import to_json

from chalicelib import times
from chalicelib.access import secret
from chalicelib.access.decide import Secret
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.saving import saved
from chalicelib.api.trail import key_trail
from chalicelib.errors import BadRequest, Conflict, Unavailable, Unknown, Unprocessable
from chalicelib.models.base import read
from chalicelib.models.tokens import IssuedKeyJSON
from chalicelib.records import APIKey
from chalicelib.store.directory import api_keys, operations
from chalicelib.store.directory.commit import Guarded
from chalicelib.store.directory.operations import Operation

HEADER: Final = "Idempotency-Key"

_LONGEST = 255
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
"""A String of structured fields, RFC 9651 section 3.3.3."""
_BARE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/+=~-]*")
"""The header in the form of other services: a UUID without quotes, for example."""


class Identity(NamedTuple):
    """The parts of two requests that must be equal for the second to be a retry of the first.

    Attributes:
        id: of the operation: the calling token and the key that the client gave, hashed.
        fingerprint: of the request.
    """

    id: str
    fingerprint: bytes


class Retry(NamedTuple):
    """A request that issues a secret and may be retried.

    Attributes:
        id: of the operation, as its identity has it.
        fingerprint: of the request.
        earlier: the operation, where it was done already.
    """

    id: str
    fingerprint: bytes
    earlier: Operation | None

    def begun(self, key: APIKey) -> Guarded:
        """The guard that keeps the operation with the token that it makes or rotates."""
        return operations.begun(self.id, self.fingerprint, key)


def identity_of(call: Call, caller: Caller, about: str = "") -> Identity | None:
    """The identity of a request that may be retried; None for a request without a key.

    Args:
        call: the request.
        caller: who sent it.
        about: the id of what the path names, whichever way it names it.

    Raises:
        BadRequest: the key is malformed.
    """
    if not call.request.headers.get(HEADER) and HEADER not in call.request.headers:
        return None
    key = _key(call.header(HEADER))
    body = to_json(read(call.body)) if call.body.strip() else b"{}"
    fingerprint = sha256(b"\n".join([call.route.encode(), about.encode(), body])).digest()
    return Identity(sha256(f"{caller.key.id}\n{key}".encode()).hexdigest(), fingerprint)


def check_same(earlier: bytes, fingerprint: bytes) -> None:
    """Make sure that two requests with one key are one request.

    Raises:
        Unprocessable: the key came before with another request.
    """
    if not secret.same(earlier, fingerprint):
        raise Unprocessable(
            f"The {HEADER} was used with another request.", "Send that request again, or take another key for this one."
        )


def retry_of(call: Call, caller: Caller, about: str) -> Retry | None:
    """The identity of a request that may be retried, and what was done of it; None for a request without a key.

    Args:
        call: the request.
        caller: who sent it.
        about: the id of what the path names, whichever way it names it.

    Raises:
        BadRequest: the key is malformed.
        Unprocessable: the key came before with another request.
    """
    identity = identity_of(call, caller, about)
    if identity is None:
        return None
    earlier = operations.get(identity.id, times.now())
    if earlier is not None:
        check_same(earlier.fingerprint, identity.fingerprint)
    return Retry(*identity, earlier)


def repeating(caller: Caller, retry: Retry | None) -> Caller:
    """The caller, with the rights of the current secret where a replaced one only repeats what replaced it.

    The client that rotated its own token and lost the answer has no other secret.
    """
    if retry is None or retry.earlier is None or caller.subject.secret is Secret.CURRENT:
        return caller
    key, earlier = caller.key, retry.earlier
    own = earlier.key_id == key.id and secret.same(earlier.made, key.hashed_secret)
    brought = key.previous_secret if caller.subject.secret is Secret.REPLACED else key.retry_secret
    may = own and key.retry_secret is not None and brought is not None and secret.same(brought, key.retry_secret)
    return caller.with_current_secret() if may else caller


def repeated(call: Call, caller: Caller, operation: Operation) -> Answer:
    """The answer to an operation that was done already: a new secret in place of the one that nobody received.

    Raises:
        Conflict: the token is gone, or has another secret by now.
    """
    return saved(partial(_reissued, call, caller, operation))


@contextmanager
def under_way(retry: Retry | None, happened: str, recovery: str) -> Iterator[None]:
    """Around the write of an operation, which may have happened though the store did not say so.

    Args:
        retry: what makes the request the same as another.
        happened: what may have happened, as a sentence.
        recovery: how to find out and to go on without a key.

    Raises:
        Conflict: the same operation is under way.
        Unknown: the store did not answer.
    """
    try:
        yield
    except operations.UnderWay as error:
        raise Conflict(
            f"A request with this {HEADER} is under way.", "Send it again in a moment to get its answer."
        ) from error
    except Unavailable as error:
        again = f"Send the request again, with the same {HEADER}: it is done once."
        raise Unknown(f"The store did not answer in time. {happened}", again if retry else recovery) from error


def _reissued(call: Call, caller: Caller, operation: Operation) -> Answer:
    before = api_keys.get(operation.key_id)
    if before is None or not secret.same(before.hashed_secret, operation.made):
        raise Conflict(
            "The token of this request has been rotated or deleted since.", f"Take another {HEADER} for a new request."
        )
    issued = secret.generate(key_id=before.id)
    after = before.reissued(issued.hashed, times.now())
    again = Retry(operation.id, operation.fingerprint, operation)
    guards = [operations.repeated(operation, after), *caller.unchanged(before)]
    with under_way(again, "The token may have a new secret.", ""):
        api_keys.change(
            after, before, *key_trail(call, caller, "write", 201, before=before, after=after), guards=guards
        )
    return Answer(IssuedKeyJSON(key=issued.text), 201)


def _key(given: str) -> str:
    text = given.strip()
    quoted = _QUOTED.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if not (quoted or _BARE.fullmatch(text)) or not 0 < len(key) <= _LONGEST:
        raise BadRequest(
            f"The {HEADER} is malformed.",
            f"It takes a string in double quotes, of 1 to {_LONGEST} characters of ASCII: the best is a random UUID.",
        )
    return key
