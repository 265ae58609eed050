"""Who is calling: what the gate learns of a request, and every view asks of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.access.decide import Object, Secret, SecretReplaced, Subject, decide
from chalicelib.access.lifetime import Grant
from chalicelib.access.secret import same
from chalicelib.errors import Forbidden
from chalicelib.records import APIKey, User
from chalicelib.store.directory import api_keys
from chalicelib.store.directory.claims import Claims
from chalicelib.store.directory.commit import Guarded


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: the user, the token, and what the two together may do.

    Attributes:
        names: what was known of the names that the request speaks of when the user was read.
    """

    user: User
    key: APIKey
    subject: Subject
    names: Claims = field(default_factory=dict)

    @property
    def grant(self) -> Grant:
        """The rights of the token that the caller may pass on."""
        return Grant(self.key.scopes, self.subject.allow_list, self.key.expires_at, bounded=bool(self.key.allowed_ips))

    @property
    def opens_until(self) -> datetime:
        """When the secret that the caller brings opens nothing any more, unless use puts that off."""
        until = self.key.previous_until if self.subject.secret is Secret.REPLACED else None
        return self.key.expires_at if until is None else min(until, self.key.expires_at)

    def may(self, action: str, obj: Object) -> bool:
        """Whether the caller may do the action to the object.

        Raises:
            Forbidden: nothing but the secret is against it, which a rotation has replaced.
        """
        decision = decide(self.subject, action, obj)
        if isinstance(decision, SecretReplaced):
            raise secret_replaced()
        return bool(decision)

    def with_current_secret(self) -> Caller:
        """The caller as who brings the token's current secret."""
        return replace(self, subject=replace(self.subject, secret=Secret.CURRENT))

    def unchanged(self, changed: APIKey | None = None) -> list[Guarded]:
        """The guards that the calling token is still as it was when the request came.

        Args:
            changed: the token that is written, where it is the calling one itself: then its own condition says so.

        Raises:
            Forbidden: it is the calling one, and has another secret by now.
        """
        if changed is None or changed.id != self.key.id:
            return [api_keys.unchanged(self.key)]
        if not same(changed.hashed_secret, self.key.hashed_secret):
            raise secret_replaced()
        return []

    def require_current_secret(self) -> None:
        """Make sure that the caller brings the current secret of the token.

        Raises:
            Forbidden: a rotation has replaced it.
        """
        if self.subject.secret is Secret.REPLACED:
            raise secret_replaced()


def secret_replaced() -> Forbidden:
    """The answer to a replaced secret where only the current one will do."""
    return Forbidden(detail="The secret you bring has been rotated; use the new one.")
