"""Goes on with a request that has more than one may have, where it is sent again as it was.

A shipper that does not read `Gatebook-Accepted-Lines` sends the same lines until it is answered 200. So it is noted how
many of them were taken, and each time the next ones are read. The same lines of another token are another request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

from chalicelib import times
from chalicelib.api.delivery import Delivery
from chalicelib.errors import Unavailable
from chalicelib.models.queued import Form
from chalicelib.models.results import Results

T = TypeVar("T")

_log = logging.getLogger(__name__)


def read_on(delivery: Delivery, form: Form, read: Callable[[int], tuple[Results, T]]) -> tuple[Results, T, bool]:
    """A request as it is read from its beginning or, if it is too much, from where it was taken up to before.

    Whether it is too much comes last: who reads it from the queue would not know where to go on.

    Args:
        delivery: of the request.
        form: of its body.
        read: reads from a line or an object on, given how many come before it.
    """
    results, accepted = read(0)
    is_too_much = results.is_cut
    if is_too_much and (begin := _taken(delivery, form)):
        results, accepted = read(begin)
    return results, accepted, is_too_much


def note(delivery: Delivery, form: Form, results: Results) -> None:
    """Note how far a request was taken that has more than one may have; the answer does not depend on that."""
    if not results.is_cut or not results.accepted:
        return
    # Imported here, as below: few requests are too much, and no cold start waits for it.
    from chalicelib.store.logs import taken  # noqa: PLC0415

    try:
        taken.note(_digest(delivery, form), results.accepted, times.now())
    except Unavailable:
        _log.warning("It could not be noted how far a request was taken")


def _taken(delivery: Delivery, form: Form) -> int:
    from chalicelib.store.logs import taken  # noqa: PLC0415

    try:
        return taken.number(_digest(delivery, form), times.now())
    except Unavailable:
        return 0


def _digest(delivery: Delivery, form: Form) -> str:
    return sha256(f"{delivery.key_id}\n{form}\n".encode() + delivery.body).hexdigest()
