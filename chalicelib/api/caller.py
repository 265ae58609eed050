"""Who is calling: what the gate learns of a request, and every view asks of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.access.decide import Subject
from chalicelib.access.lifetime import Grant
from chalicelib.records import APIKey, User
from chalicelib.store.directory.claims import Claims


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: the user, the token, and what the two together may do.

    Attributes:
        in_grace: the token was opened by the secret that it had before its last rotation.
        names: what was known of the names that the request speaks of when the user was read.
    """

    user: User
    key: APIKey
    subject: Subject
    in_grace: bool = False
    names: Claims = field(default_factory=dict)

    @property
    def grant(self) -> Grant:
        """What the token holds, as far as it may be passed on: an old secret passes nothing on beyond its grace."""
        end = self.key.previous_until if self.in_grace else None
        bounded = self.in_grace or bool(self.key.allowed_ips)
        return Grant(self.key.scopes, self.subject.allow_list, end or self.key.expires_at, bounded=bounded)
