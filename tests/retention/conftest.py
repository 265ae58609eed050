"""A clock that stands where the reference's does, a policy, and rows of any age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chalicelib import times
from chalicelib.lanes.criteria import Criteria
from chalicelib.logs.connection import session_id
from chalicelib.records import APIKey, AuditLog, Closing, ConnectionLog
from chalicelib.retention import holds, placing, purge
from chalicelib.retention.holds import Hold
from chalicelib.settings import Settings
from chalicelib.store.directory import api_keys
from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.tables import APIKeyItem, AuditLogItem, ConnectionLogItem
from chalicelib.store.logs import audit_rows, connection_rows
from scripts.local.engine import EmbeddedEngine

NOW = datetime(2025, 1, 15, 7, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ORGANIZATION = str(UUID(int=101))


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment


class Rules:
    """The policy of a test; retentions are durations, and nothing is kept for less than for ever but what is given."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self()

    def __call__(self, **retentions: timedelta) -> None:
        self.use(**{f"{name}_retention": in_nanoseconds(duration) for name, duration in retentions.items()})

    def use(self, **settings: Any) -> None:
        made = Settings(**{"api_keys_retention": 0, **settings})
        for module in (holds, purge, api_keys):
            self._patch.setattr(module, "current", lambda: made)


def in_nanoseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1) * 1_000


class Rows:
    """Puts rows straight into the tables, and tells which are there."""

    def __init__(self, engine: EmbeddedEngine, shards: int = 1) -> None:
        self.engine = engine
        self.shards = shards

    def session(self, age: timedelta, *, closed: timedelta | None = None, **changes: Any) -> ConnectionLog:
        """A session of this age, closed so long ago, or still open."""
        row = replace(SESSION, connect_time=NOW - age, connection_id=str(uuid4()), **changes)
        row_id = session_id(row.organization_id, row.connection_id or "", row.workspace_id, row.agent_name)
        closing = None if closed is None else Closing(NOW - closed)
        return self.put(replace(row, id=row_id, closing=closing))

    def web(self, age: timedelta, **changes: Any) -> ConnectionLog:
        kind: dict[str, Any] = {"session": False, "type": "workspace_app", "code": 200}
        return self.put(replace(SESSION, id=str(uuid4()), connect_time=NOW - age, **kind, **changes))

    def audit(self, age: timedelta, action: str = "create", **changes: Any) -> AuditLog:
        row = replace(EVENT, id=str(uuid4()), time=NOW - age, action=action, **changes)
        item, *more = audit_rows.to_items(row, shards=self.shards)
        self.engine.load(AuditLogItem.Meta.table_name, [item])
        for further in more:
            store_engine.call("PutItem", {"TableName": AuditLogItem.Meta.table_name, "Item": further})
        return row

    def put(self, row: ConnectionLog) -> ConnectionLog:
        item = connection_rows.to_item(row, shards=self.shards, revision=1)
        self.engine.load(ConnectionLogItem.Meta.table_name, [item])
        return row

    def token(self, expired: timedelta, **changes: Any) -> APIKey:
        """A token that expired so long ago; one with a negative age is still good."""
        key_id = uuid4().hex[:10]
        key = replace(_KEY, **{"id": key_id, "token_name": f"name-{key_id}", "expires_at": NOW - expired, **changes})
        api_keys.add(key)
        return key

    def ids(self, table: Any) -> set[str]:
        """The ids of all items of a table, tombstones left out."""
        items = self.engine.items(table.Meta.table_name)
        return {item["id"]["S"] for item in items if FORGET_AT not in item}

    @property
    def connections(self) -> set[str]:
        return self.ids(ConnectionLogItem)

    @property
    def audits(self) -> set[str]:
        return self.ids(AuditLogItem)

    @property
    def tokens(self) -> set[str]:
        """Tokens and claims, without the counts that a user keeps."""
        return {row_id for row_id in self.ids(APIKeyItem) if not row_id.startswith("tokens#")}


SESSION = ConnectionLog(
    id="",
    session=True,
    connect_time=NOW,
    organization_id=ORGANIZATION,
    workspace_owner_id=str(UUID(int=201)),
    workspace_id=str(UUID(int=301)),
    workspace_name="dev",
    agent_name="main",
    type="ssh",
    ip="192.0.2.1",
)
EVENT = AuditLog(
    id="",
    time=NOW,
    user_id=str(UUID(int=201)),
    organization_id=ORGANIZATION,
    ip=None,
    user_agent=None,
    resource_type="workspace",
    resource_id=str(UUID(int=301)),
    resource_target="dev",
    resource_icon="",
    action="create",
    status_code=200,
    request_id=str(UUID(int=401)),
    diff={},
    additional_fields={},
)
_KEY = APIKey(
    id="",
    hashed_secret=bytes(32),
    user_id=str(UUID(int=201)),
    login_type="token",
    token_name="",
    scopes=("coder:all",),
    allow_list=("*:*",),
    created_at=NOW - 999 * DAY,
    updated_at=NOW - 999 * DAY,
    expires_at=NOW,
    last_used=times.EPOCH,
    lifetime_seconds=1,
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(times, "now", stopped)
    return stopped


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch, clock: Clock, tables: EmbeddedEngine) -> Iterator[Rules]:
    assert clock
    assert tables
    holds.forget()
    yield Rules(monkeypatch)
    holds.forget()


@pytest.fixture
def rows(tables: EmbeddedEngine) -> Rows:
    return Rows(tables)


def hold(name: str = "a-case", log: str = "connection", **criteria: Any) -> Hold:
    """Place a hold on rows whose fields have these values."""
    meant = Criteria({field: frozenset({value}) for field, value in criteria.items()})
    made = Hold(name, log, "", "a case", str(UUID(int=1)), NOW, meant)
    state, known = placing.known()
    placing.save(state, [*({**known, name: made}).values()])
    return made


def lift(name: str = "a-case") -> None:
    state, known = placing.known()
    placing.save(state, [hold for hold in known.values() if hold.name != name])


class Killed(BaseException):
    """The process ends here."""
