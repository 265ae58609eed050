"""Sends what waits in the outbox, what has waited longest first, until nothing is due or the time is over.

Each attempt is leased before it is made, so that two runs at once send nothing twice. A run that dies in between leaves
the lease to end: then the message is sent again, at least once and now and then twice.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

from chalicelib import embedded_metrics, times
from chalicelib.dispatch import mail, webhook
from chalicelib.dispatch.enqueue import row_of
from chalicelib.dispatch.failure import Failed
from chalicelib.embedded_metrics import metric_line
from chalicelib.notifications.message import INBOX, SMTP, WEBHOOK, Message
from chalicelib.records import User
from chalicelib.settings import current
from chalicelib.store.directory import people
from chalicelib.store.dynamodb.client import ConditionFailed, call
from chalicelib.store.notifications import choices, inbox, outbox
from chalicelib.store.notifications.outbox import MOST_ATTEMPTS, OutboxItem

LEASE = timedelta(minutes=2)
"""Longer than any attempt takes."""
FIRST_PAUSE = timedelta(minutes=1)
"""Between the first attempt and the second; each pause after that is twice as long."""
_AT_ONCE = 25

_log = logging.getLogger(__name__)


def sweep(seconds: float) -> dict[str, int]:
    """Send what is due.

    Args:
        seconds: after how long no attempt is begun.

    Returns:
        How many attempts ended how: `sent`, `inhibited`, `put_off` and `permanent_failure`.
    """
    give_up_at = time.monotonic() + seconds
    ended: Counter[str] = Counter()
    while time.monotonic() < give_up_at and not choices.read().paused:
        waiting = outbox.due(times.now(), _AT_ONCE)
        leased = 0
        for delivery in waiting:
            if time.monotonic() >= give_up_at:
                break
            taken = outbox.lease(delivery, times.now() + LEASE)
            if taken is not None:
                leased += 1
                ended[_attempt(taken)] += 1
        # What only others have leased is in the index for a moment still.
        if not leased:
            break
    lost = ended["permanent_failure"]
    if lost:
        moment = int(times.now().timestamp() * 1_000)
        values = {"LostNotifications": (lost, "Count")}
        embedded_metrics.emit(metric_line(moment, {"Deployment": current().table_prefix}, values))
    return dict(ended)


def _attempt(delivery: OutboxItem) -> str:
    """Send one message; what became of it."""
    user = people.get_user(delivery.message.user_id)
    wants = user is not None and not user.deleted
    if user is None or not wants or not choices.read(user.id).sends(delivery.message.template_id):
        outbox.settle(delivery, "inhibited", times.now())
        return "inhibited"
    try:
        _SEND[delivery.method](delivery.id.partition("#")[2], delivery.message, user)
    except Failed as error:
        return _failed(delivery, error)
    outbox.settle(delivery, "sent", times.now())
    return "sent"


def _failed(delivery: OutboxItem, error: Failed) -> str:
    _log.warning("A notification could not be sent by %s: %s", delivery.method, error)
    if error.for_good or delivery.attempts >= MOST_ATTEMPTS:
        outbox.settle(delivery, "permanent_failure", times.now(), str(error))
        return "permanent_failure"
    outbox.put_off(delivery, times.now() + FIRST_PAUSE * 2 ** (delivery.attempts - 1), str(error))
    return "put_off"


def _into_inbox(_message_id: str, message: Message, user: User) -> None:
    try:
        call("PutItem", inbox.insertion(row_of(message, user.name or user.username)).request)
    except ConditionFailed:
        return  # it is there already


_SEND: Mapping[str, Callable[[str, Message, User], None]] = {
    INBOX: _into_inbox,
    SMTP: mail.send,
    WEBHOOK: webhook.send,
}
