"""Placing and lifting holds, so that a hold that was placed is one that no later delete ignores."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from chalicelib import times
from chalicelib.retention import holds
from chalicelib.retention.holds import Hold, read
from chalicelib.store.dynamodb.patience import patiently
from chalicelib.store.dynamodb.transaction import Write
from chalicelib.store.retention import state as retention_state
from chalicelib.store.retention.state import State

MOST_HOLDS = 100
MOST_BYTES = 100_000
"""Of all holds together. Each renewal of the lease writes them too, at a unit per KB."""

_POLL_SECONDS = 0.25


class TooMany(Exception):
    """There are as many holds as there may be, or they are as long as they may be together."""


def known() -> tuple[State, dict[str, Hold]]:
    """The state of this moment, and its holds by name."""
    state = retention_state.read()
    return state, {hold.name: hold for hold in read(state.holds)}


def save(state: State, after: Sequence[Hold], *trail: Write) -> int:
    """Make these the holds that there are, write the trail of it, and answer the version they have.

    Raises:
        TooMany: there would be too many of them; nothing was changed.
        Changed: another request changed the holds since the state was read.
    """
    saved = {hold.name: hold.saved() for hold in after}
    if len(after) > max(MOST_HOLDS, len(state.holds)) or len(json.dumps(saved)) > MOST_BYTES:
        raise TooMany
    retention_state.save_holds(saved, state, *trail)
    holds.forget()
    return state.version + 1


def in_force(version: int, *, give_up_at: float) -> bool:
    """Wait until no purge can delete without knowing of the holds of a version; False when the time was up.

    Args:
        version: of the holds that were saved.
        give_up_at: on the clock of `time.monotonic`.
    """
    while True:
        state = patiently(retention_state.read, give_up_at=give_up_at)
        if state.acknowledged >= version or not state.leased(times.now()):
            return True
        if time.monotonic() + _POLL_SECONDS > give_up_at:
            return False
        time.sleep(_POLL_SECONDS)
