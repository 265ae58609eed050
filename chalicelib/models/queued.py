"""A request that waits in the queue: its body as it was sent, and who sent it, as the gate knew them then.

The subject is recorded whole. So whoever stores the events later needs no token and decides by the same rules, and a
change of roles between the two is not looked at: what was acknowledged is stored.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from chalicelib.access.decide import Subject
from chalicelib.models.base import Model

LogName = Literal["connection_log", "audit_log"]
"""The names of the rows of a log in the policy."""
Form = Literal[LogName, "hec", "hec_raw", "otlp"]
"""The forms of bodies: events of one log, or those of both by a protocol of collectors."""

_FASTEST = 1


class Queued(Model):
    """One request, as JSON in the queue.

    Attributes:
        id: of the request, a UUID; the sender was answered with it.
        log: the form of its body: of one log, or a protocol by which both are sent.
        received_at: when it was acknowledged.
        key_id: of the token that it came with.
        subject: who sent it.
        packed: the body, compressed.
    """

    model_config = ConfigDict(extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    id: str
    log: Form
    received_at: datetime
    key_id: str
    subject: Subject
    packed: bytes

    @property
    def body(self) -> bytes:
        """The body as it was sent.

        Raises:
            zlib.error: it is damaged.
        """
        return zlib.decompress(self.packed)


def packed(body: bytes) -> bytes:
    """A body as a queued request has it."""
    return zlib.compress(body, _FASTEST)
