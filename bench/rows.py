"""Tables of any size: rows of the events of `bench.events`, newest first, every other connection a session."""

from __future__ import annotations

from collections.abc import Iterator

from bench import events
from chalicelib.logs.session import join
from chalicelib.models import audit_events, connection_events
from chalicelib.records import AuditLog, ConnectionLog
from chalicelib.settings import current
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.logs import audit_rows, connection_rows


def connection_log(number: int) -> ConnectionLog:
    """A row of the connection log."""
    if number % 2:
        return connection_events.parse_row(events.web(number))
    opened = connection_events.parse_row(events.opening(number))
    if not events.has_ended(number):
        return opened
    return join(opened, connection_events.parse_row(events.closing(number))).row


def audit_log(number: int) -> AuditLog:
    """A row of the audit log."""
    return audit_events.parse_row(events.any_audit(number))


def connection_items(first: int, end: int) -> Iterator[Item]:
    """The items of rows with the keys of the lanes that are kept now, as the embedded engine loads them."""
    return (item_of(connection_log(number)) for number in range(first, end))


def audit_items(first: int, end: int) -> Iterator[Item]:
    """As `connection_items`."""
    return (item_of(audit_log(number)) for number in range(first, end))


def item_of(row: ConnectionLog | AuditLog) -> Item:
    """The item of a row, as above."""
    settings = current()
    shards = settings.log_shards
    if isinstance(row, AuditLog):
        return audit_rows.to_item(row, shards=shards, lanes=settings.audit_lanes.written)
    lanes = settings.connection_lanes.written
    return connection_rows.to_item(row, shards=shards, revision=1, lanes=lanes)
