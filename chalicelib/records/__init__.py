"""The values that tables hold, as plain frozen classes: the words in which every other room speaks of them.

Ids are lower-case hyphenated UUIDs (`APIKey.id` is ten characters), times are UTC datetimes, absent values are None.
"""

from chalicelib.records.api_keys import APIKey
from chalicelib.records.audit_logs import CONNECTION_EVENT_ACTIONS, AuditLog, Overflow
from chalicelib.records.connection_logs import ConnectionLog
from chalicelib.records.directory import LoginType, Organization, User, UserStatus
from chalicelib.records.row import API_KEYS, AUDIT_CONNECTION_EVENTS, AUDIT_LOGS, CONNECTION_LOGS, DATA_SETS, Receipt
from chalicelib.records.sessions import NO_CONFLICTS, Closing, Conflict, Conflicts, Mark, Origin

__all__ = [
    "API_KEYS",
    "AUDIT_CONNECTION_EVENTS",
    "AUDIT_LOGS",
    "CONNECTION_EVENT_ACTIONS",
    "CONNECTION_LOGS",
    "DATA_SETS",
    "NO_CONFLICTS",
    "APIKey",
    "AuditLog",
    "Closing",
    "Conflict",
    "Conflicts",
    "ConnectionLog",
    "LoginType",
    "Mark",
    "Organization",
    "Origin",
    "Overflow",
    "Receipt",
    "User",
    "UserStatus",
]
