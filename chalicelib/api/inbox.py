"""The inbox: each user's own rows, and nobody else's."""

from __future__ import annotations

import time

from chalicelib import times
from chalicelib.access.decide import Object
from chalicelib.api import links
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.strict_query import StrictQuery
from chalicelib.errors import BadRequest, Forbidden, NotFound, NotOffered
from chalicelib.models.base import parse
from chalicelib.models.notifications import InboxJSON, MarkedNotificationJSON, ReadStatus, inbox_row_json
from chalicelib.notifications.inbox_row import READ_STATUSES, InboxFilter
from chalicelib.search import values
from chalicelib.store.notifications import inbox

POLL_SECONDS = 30
"""How often a client may well ask for its inbox."""

_WRONG_QUERY = "Query parameters have invalid values."
_WRONG_STATUS = "starting_before query parameter should be any of 'all', 'read', 'unread'."
_ANSWERING_SECONDS = 5.0


@authenticated
def list_rows(call: Call, caller: Caller) -> Answer:
    """The newest rows that are asked for, 25 at the most, and how many the caller has not read at all."""
    _check(caller, "read")
    query = StrictQuery(call)
    wanted = _filter(query)
    before_id = query.uuid("starting_before")
    query.check(_WRONG_QUERY)
    before = inbox.get(caller.user.id, before_id) if before_id else None
    page = inbox.page(caller.user.id, wanted, before)
    body: InboxJSON = {
        "notifications": [inbox_row_json(row) for row in page.rows],
        "unread_count": inbox.unread_count(caller.user.id),
    }
    following = page.rows[-1] if page.more else page.cut_at
    if page.cut_at is not None:
        # A filter that few rows match: this is not all that there is, and here it goes on.
        body["partial"], body["next_starting_before"] = True, page.cut_at.id
    return Answer(body, headers=links.next_page(call, {"starting_before": following.id}) if following else {})


@authenticated
def mark(call: Call, caller: Caller, id: str) -> Answer:  # noqa: A002 - as the path has it
    """Note that a row was read, now, or that it was not."""
    _check(caller, "update")
    row_id = _id(id)
    is_read = parse(ReadStatus, call.body).is_read
    row = inbox.mark(caller.user.id, row_id, times.now() if is_read else None)
    if row is None:
        raise NotFound
    marked: MarkedNotificationJSON = {
        "notification": inbox_row_json(row),
        "unread_count": inbox.unread_count(caller.user.id, row),
    }
    return Answer(marked)


@authenticated
def mark_all(call: Call, caller: Caller) -> Answer:
    """Note of every row that was not read that it was, now."""
    _check(caller, "update")
    inbox.mark_all(caller.user.id, times.now(), time.monotonic() + call.remaining_seconds - _ANSWERING_SECONDS)
    return Answer(None, 204)


@authenticated
def watch(call: Call, caller: Caller) -> Answer:
    """No stream: a function of Lambda does not wait for what may come. The answer says how often to ask instead."""
    _check(caller, "read")
    query = StrictQuery(call)
    _filter(query)
    query.text("format")
    query.check(_WRONG_QUERY)
    raise NotOffered(
        "This service does not push notifications.",
        f"Ask GET /api/v2/notifications/inbox every {POLL_SECONDS} seconds.",
        headers={"Retry-After": str(POLL_SECONDS)},
    )


def _filter(query: StrictQuery) -> InboxFilter:
    targets, templates = query.uuids("targets"), query.uuids("templates")
    status = query.text("read_status") or READ_STATUSES[0]
    if status not in READ_STATUSES:
        raise BadRequest(_WRONG_STATUS)
    return InboxFilter(frozenset(targets), frozenset(templates), status)


def _id(text: str) -> str:
    try:
        return values.uuid(text)
    except values.WrongValue as error:
        raise BadRequest(f"Invalid UUID {values.quoted(text)}.") from error


def _check(caller: Caller, action: str) -> None:
    if not caller.may(action, Object("inbox_notification", owner=caller.user.id)):
        raise Forbidden
