"""API keys, as they are kept: no secret, only hashes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class APIKey:
    """A token as it is kept: the secret only as its SHA-256.

    Attributes:
        allowed_ips: the networks it may be used from; none means any.
        previous_secret: the SHA-256 of the secret before the last rotation, which opens until `previous_until`.
        retry_secret: the SHA-256 of the secret with which the token rotated itself, where the request may be sent
            again with it; None once the new secret has been used.
        refused_at: when a refused use with a right secret was last noted in the audit log.
        revision: how often it was changed; the condition of every change.
    """

    id: str
    hashed_secret: bytes = field(repr=False)
    user_id: str
    login_type: str
    token_name: str
    scopes: tuple[str, ...]
    allow_list: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    last_used: datetime
    lifetime_seconds: int
    allowed_ips: tuple[str, ...] = ()
    previous_secret: bytes | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    retry_secret: bytes | None = field(default=None, repr=False)
    refused_at: datetime | None = None
    revision: int = 1

    def with_secret(self, hashed: bytes, now: datetime, until: datetime | None, retry: bytes | None = None) -> APIKey:
        """The token with a new secret; the one it had opens until then, or not at all.

        Args:
            hashed: the SHA-256 of the new secret.
            now: the time of the rotation.
            until: when the grace of the old secret ends; None for no grace.
            retry: the SHA-256 of the secret that may send the same rotation again.
        """
        return replace(
            self,
            hashed_secret=hashed,
            updated_at=now,
            previous_secret=self.hashed_secret if until else None,
            previous_until=until,
            retry_secret=retry,
        )

    def reissued(self, hashed: bytes, now: datetime) -> APIKey:
        """The token with a new secret in place of the one that nobody has; what other secrets open stays as it was."""
        return replace(self, hashed_secret=hashed, updated_at=now)
