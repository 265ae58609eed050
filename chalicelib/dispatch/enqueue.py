"""Stores a notification: in the inbox at once, and in the outbox for whatever else it is sent by."""

from __future__ import annotations

from chalicelib.dispatch.ways import available
from chalicelib.errors import TooMany
from chalicelib.notifications.inbox_row import InboxRow
from chalicelib.notifications.message import INBOX, Message
from chalicelib.settings import current
from chalicelib.store.dynamodb.client import TransactionCancelled
from chalicelib.store.dynamodb.transaction import Write, transact
from chalicelib.store.notifications import choices, inbox, outbox

_AN_HOUR_SECONDS = 3_600


def enqueue(message: Message, user_name: str) -> bool:
    """Store a notification once, where its user gets such.

    Args:
        message: the notification.
        user_name: what it calls its user.

    Returns:
        Whether it is stored now: not where it was before, nor where the user has switched its template off.

    Raises:
        TooMany: the user was sent as many as may be sent in an hour.
        Unavailable: the store did not answer; the same message may be stored again.
    """
    chosen = choices.read(message.user_id)
    if not chosen.sends(message.template_id):
        return False
    method = chosen.methods.get(message.template_id, current().notifications_method)
    writes = [outbox.insertion(message, method)] if method in available() else []
    if current().inbox_enabled:
        # While sending is paused a row of the inbox waits like everything else.
        waits = chosen.paused
        writes.append(outbox.insertion(message, INBOX) if waits else inbox.insertion(row_of(message, user_name)))
    return bool(writes) and _stored([*writes, outbox.counted(message.user_id, message.created_at)])


def row_of(message: Message, user_name: str) -> InboxRow:
    """A notification as a row of the inbox."""
    return InboxRow(
        id=message.id_for(INBOX),
        user_id=message.user_id,
        template_id=message.template_id,
        title=message.title(user_name),
        content=message.body(user_name),
        icon=message.template.icon,
        targets=message.targets,
        created_at=message.created_at,
    )


def _stored(writes: list[Write]) -> bool:
    try:
        transact(writes)
    except TransactionCancelled as error:
        if error.failed == (len(writes) - 1,):
            raise TooMany(
                "Too many notifications.",
                f"A user may be sent {outbox.MOST_AN_HOUR} of them in an hour.",
                headers={"Retry-After": str(_AN_HOUR_SECONDS)},
            ) from error
        return False
    return True
