"""The peer's tables: Coder's columns and indexes, and the same filters as SQL.

What Coder joins to each row for display (users, organizations) is left out; the names that filters give are looked up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench import events, rows
from chalicelib.records import AuditLog, ConnectionLog

USERS = """
CREATE TABLE users (id uuid PRIMARY KEY, username text NOT NULL, email text NOT NULL, deleted boolean NOT NULL);
CREATE UNIQUE INDEX ON users (lower(username)) WHERE NOT deleted;
CREATE UNIQUE INDEX ON users (lower(email)) WHERE NOT deleted;
"""

_CONNECTION_LOGS = """
CREATE TYPE connection_type AS ENUM ('ssh', 'vscode', 'jetbrains', 'reconnecting_pty', 'workspace_app', 'port_forwarding');
CREATE TABLE connection_logs (
    id uuid PRIMARY KEY, connect_time timestamptz NOT NULL, organization_id uuid NOT NULL,
    workspace_owner_id uuid NOT NULL, workspace_id uuid NOT NULL, workspace_name text NOT NULL,
    agent_name text NOT NULL, type connection_type NOT NULL, ip inet, code integer, user_agent text, user_id uuid,
    slug_or_port text, connection_id uuid, disconnect_time timestamptz, disconnect_reason text
);
CREATE UNIQUE INDEX ON connection_logs (connection_id, workspace_id, agent_name);
CREATE INDEX ON connection_logs (connect_time DESC);
CREATE INDEX ON connection_logs (organization_id);
CREATE INDEX ON connection_logs (workspace_owner_id);
CREATE INDEX ON connection_logs (workspace_id);
"""  # noqa: E501 - an enum reads best in one line

_AUDIT_LOGS = """
CREATE TABLE audit_logs (
    id uuid PRIMARY KEY, time timestamptz NOT NULL, user_id uuid NOT NULL, organization_id uuid NOT NULL, ip inet,
    user_agent varchar(256), resource_type text NOT NULL, resource_id uuid NOT NULL, resource_target text NOT NULL,
    action text NOT NULL, diff jsonb NOT NULL, status_code integer NOT NULL, additional_fields jsonb NOT NULL,
    request_id uuid NOT NULL, resource_icon text NOT NULL
);
CREATE INDEX ON audit_logs (organization_id);
CREATE INDEX ON audit_logs (resource_id);
CREATE INDEX ON audit_logs (user_id);
CREATE INDEX ON audit_logs (time DESC);
"""

_ONE_USER = "(SELECT id FROM users WHERE lower(username) = 'person-1' AND NOT deleted)"
_ONE_ADDRESS = "(SELECT id FROM users WHERE email = 'person-1@example.com')"
_SESSION = "type NOT IN ('workspace_app', 'port_forwarding')"


@dataclass(frozen=True, slots=True)
class PeerTable:
    """One log at the peer.

    Attributes:
        log: `connection` or `audit`.
        name: of the table.
        time: the column that orders it.
        create: SQL that makes it.
        where: the queries of `bench.queries` whose columns are the peer's too, as conditions.
    """

    log: str
    name: str
    time: str
    create: str
    where: Mapping[str, str]

    def lines(self, first: int, end: int) -> Iterator[str]:
        """Rows, from one number to another, as COPY reads them."""
        make = _connection_columns if self.log == "connection" else _audit_columns
        for number in range(first, end):
            yield "\t".join(map(_copied, make(number)))


def _connection_where() -> Mapping[str, str]:
    organization, workspace = events.made_id("organization", 1), events.made_id("workspace", 1)
    connection = events.made_id("connection", 250)
    return {
        "": "true",
        "organization:org-1": f"organization_id = '{organization}'",
        "workspace_owner:person-1": f"workspace_owner_id = {_ONE_USER}",
        "type:ssh": "type = 'ssh'",
        "username:person-1": f"user_id = {_ONE_USER}",
        f"workspace_id:{workspace}": f"workspace_id = '{workspace}'",
        f"connection_id:{connection}": f"connection_id = '{connection}'",
        "status:ongoing": f"disconnect_time IS NULL AND {_SESSION}",
        "status:completed": f"disconnect_time IS NOT NULL AND {_SESSION}",
        "status:ongoing type:ssh": f"disconnect_time IS NULL AND {_SESSION} AND type = 'ssh'",
    }


def _audit_where() -> Mapping[str, str]:
    request, resource = events.made_id("request", 250), events.made_id("template", 1)
    organization = events.made_id("organization", 1)
    reason = "additional_fields ->> 'build_reason' = 'initiator'"
    return {
        "": "true",
        f"request_id:{request}": f"request_id = '{request}'",
        f"resource_id:{resource}": f"resource_id = '{resource}'",
        "resource_target:template-1": "resource_target = 'template-1'",
        "username:person-1": f"user_id = {_ONE_USER}",
        "organization:org-1": f"organization_id = '{organization}'",
        "resource_type:template": "resource_type = 'template'",
        "action:create": "action = 'create'",
        "build_reason:initiator": reason,
        "resource_type:workspace action:create": "resource_type = 'workspace' AND action = 'create'",
        "resource_type:user action:delete": "resource_type = 'user' AND action = 'delete'",
        "resource_type:workspace_build action:start build_reason:initiator": (
            f"resource_type = 'workspace_build' AND action = 'start' AND {reason}"
        ),
        "resource_type:api_key action:login": "resource_type = 'api_key' AND action = 'login'",
    }


PEER_TABLES = (
    PeerTable("connection", "connection_logs", "connect_time", _CONNECTION_LOGS, _connection_where()),
    PeerTable("audit", "audit_logs", "time", _AUDIT_LOGS, _audit_where()),
)


def user_lines() -> Iterator[str]:
    """The users as COPY reads them."""
    for number in range(events.PEOPLE):
        columns = (events.made_id("user", number), f"person-{number}", f"person-{number}@example.com", "f")
        yield "\t".join(columns)


def _connection_columns(number: int) -> tuple[Any, ...]:
    row: ConnectionLog = rows.connection_log(number)
    end = row.closing
    return (
        row.id,
        row.connect_time.isoformat(),
        row.organization_id,
        row.workspace_owner_id,
        row.workspace_id,
        row.workspace_name,
        row.agent_name,
        row.type,
        row.ip,
        end.code.value if end and end.code else row.code,
        row.user_agent,
        row.user_id,
        row.slug_or_port,
        row.connection_id,
        end.time.isoformat() if end else None,
        end.reason.value if end and end.reason else None,
    )


def _audit_columns(number: int) -> tuple[Any, ...]:
    row: AuditLog = rows.audit_log(number)
    return (
        row.id,
        row.time.isoformat(),
        row.user_id,
        row.organization_id,
        row.ip,
        row.user_agent,
        row.resource_type,
        row.resource_id,
        row.resource_target,
        row.action,
        json.dumps(row.diff),
        row.status_code,
        json.dumps(row.additional_fields),
        row.request_id,
        row.resource_icon,
    )


def _copied(value: object) -> str:
    if value is None:
        return r"\N"
    return str(value).replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n")
