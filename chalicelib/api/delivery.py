"""Events as they were delivered, by a request or by the queue: the body, and who sent it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.access.decide import Subject


@dataclass(frozen=True, slots=True)
class Delivery:
    """One body with events.

    Attributes:
        body: as it was sent.
        subject: who sent it.
        key_id: of the token that it came with.
        received_at: when the service got it.
        request_id: a UUID, for the lines of its events.
        give_up_at: when to begin no other write, on the clock of `time.monotonic`.
    """

    body: bytes = field(repr=False)
    subject: Subject
    key_id: str
    received_at: datetime
    request_id: str
    give_up_at: float
