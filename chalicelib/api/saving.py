"""Writes that read first: done again when another request has changed the row in between."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.api.http import Answer
from chalicelib.errors import Unavailable
from chalicelib.store.directory.api_keys import CallerChanged
from chalicelib.store.directory.claims import Changed
from chalicelib.store.dynamodb.contention import back_off

_ATTEMPTS = 8


def saved(write: Callable[[], Answer]) -> Answer:
    """The answer of `write`, repeated while other writers come in between.

    Args:
        write: reads the row, decides and saves; called anew each time.

    Raises:
        Unavailable: others changed the row at every attempt, or the token that the request came with.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return write()
        except CallerChanged as error:
            raise Unavailable("The token that you bring was changed at the same time.") from error
        except Changed:
            back_off(attempt)
    raise Unavailable("Others were changing the same row.")
