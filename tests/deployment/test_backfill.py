"""A lane that is switched on again holds every row once the backfill has been by, however often it was stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import plan
from chalicelib.logs.session import join
from chalicelib.records import AuditLog, Closing, ConnectionLog, Mark, Origin
from chalicelib.settings import Settings, load
from chalicelib.store.dynamodb import patience
from chalicelib.store.dynamodb.batch_get import batch_get
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import call
from chalicelib.store.logs import audit_rows, connection_requests, connection_writer
from chalicelib.store.logs import tables as log_tables
from chalicelib.store.logs.connection_writer import Rule
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import AUDIT_LOGS, CONNECTION_LOGS
from scripts.deployment import backfill
from scripts.local.engine import EmbeddedEngine
from tests.transport import ObservedTransport, Send, refusal

pytestmark = pytest.mark.usefixtures("tables")

NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)
FEW = load({"GATEBOOK_CONNECTION_LANES": "workspace", "GATEBOOK_AUDIT_LANES": "user", "GATEBOOK_LOG_SHARDS": "3"})
EVERY = load({"GATEBOOK_LOG_SHARDS": "3", "GATEBOOK_CONNECTION_LANES": "*,status"})


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(FEW, monkeypatch)


def keep(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (connection_requests, audit_rows, log_tables, backfill):
        monkeypatch.setattr(module, "current", lambda: settings)


def connection(number: int) -> ConnectionLog:
    moment = NOON + timedelta(seconds=number)
    return ConnectionLog(
        id=str(UUID(int=number)),
        session=True,
        connect_time=moment,
        organization_id=str(UUID(int=900)),
        workspace_owner_id=str(UUID(int=901)),
        workspace_id=str(UUID(int=902)),
        workspace_name="dev",
        agent_name="main",
        type="ssh",
        connection_id=str(UUID(int=1_000 + number)),
        closing=Closing(moment, Mark(moment, "left")) if number % 2 else None,
    )


def ended(row: ConnectionLog, end: datetime) -> ConnectionLog:
    """The row that the disconnect of a session makes by itself."""
    return replace(row, connect_time=end, closing=Closing(end), origin=Origin.DISCONNECT)


def audit(number: int) -> AuditLog:
    return AuditLog(
        id=str(UUID(int=number)),
        time=NOON + timedelta(seconds=number),
        user_id=str(UUID(int=900)),
        organization_id=str(UUID(int=901)),
        ip=None,
        user_agent=None,
        resource_type="workspace_build",
        resource_id=str(UUID(int=902)),
        resource_target="",
        resource_icon="",
        action="start",
        status_code=200,
        request_id=str(UUID(int=903)),
        diff={},
        additional_fields={"build_reason": "cli"},
    )


def matching(fields: dict[str, str]) -> list[str]:
    """The ids that the best lane of all holds, whatever the deployment keeps."""
    asked = Criteria({name: frozenset({value}) for name, value in fields.items()})
    log: log_tables.LogTable[ConnectionLog] = CONNECTION_LOGS
    return [row.id for row in read_page(log, [plan(asked, log.lanes, 3)], Budget(), Window(100)).rows]


def ids(*numbers: int) -> list[str]:
    return [str(UUID(int=number)) for number in numbers]


def test_rows_pay_nothing_for_lanes_that_are_off_and_disconnect_all_the_same(tables: EmbeddedEngine) -> None:
    opened = replace(connection(1), closing=None)
    connection_writer.write([opened], Rule(join))
    closed = ended(opened, NOON + timedelta(hours=1))
    (item,) = tables.items(CONNECTION_LOGS.table_name)
    assert set(item) == {"id", "position", "rev", "zdoc", "open", "workspace", "all"}
    connection_writer.write([closed], Rule(join))
    (item,) = tables.items(CONNECTION_LOGS.table_name)
    assert set(item) == {"id", "position", "rev", "zdoc", "closing", "workspace", "all"}
    assert item["rev"] == {"N": "2"}


def test_rows_from_before_the_order_of_arrival_arrive_as_they_are_filled(
    tables: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = replace(connection(1), closing=None)
    connection_writer.write([opened], Rule(join))
    keep(load({"GATEBOOK_CONNECTION_LANES": "workspace,+arrival"}), monkeypatch)
    assert backfill.backfill(CONNECTION_LOGS)[0] == 1
    (item,) = tables.items(CONNECTION_LOGS.table_name)
    filled = item["arrived"]["S"]
    assert item["arrival"] == {"S": "arrival#0"}
    assert filled > "2026"
    assert backfill.backfill(CONNECTION_LOGS)[0] == 0
    connection_writer.write([ended(opened, NOON + timedelta(hours=1))], Rule(join))
    (item,) = tables.items(CONNECTION_LOGS.table_name)
    assert item["arrived"]["S"] > filled


def test_a_session_that_ended_while_the_order_of_arrival_was_off_arrives_as_it_is_filled(
    tables: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = replace(connection(1), closing=None)
    on = load({"GATEBOOK_CONNECTION_LANES": "workspace,arrival"})
    keep(on, monkeypatch)
    connection_writer.write([opened], Rule(join))
    (item,) = tables.items(CONNECTION_LOGS.table_name)
    followed_to = item["arrived"]["S"]
    keep(FEW, monkeypatch)
    connection_writer.write([ended(opened, NOON + timedelta(hours=1))], Rule(join))
    (item,) = tables.items(CONNECTION_LOGS.table_name)
    assert not item.keys() & {"arrival", "arrived"}
    keep(on, monkeypatch)
    assert backfill.backfill(CONNECTION_LOGS)[0] == 1
    (item,) = tables.items(CONNECTION_LOGS.table_name)
    assert item["arrived"]["S"] > followed_to
    assert "closing" in item


@pytest.mark.parametrize("at_once", [1, 4, 100])
def test_every_row_gets_the_keys_it_lacks_and_no_other(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        connection_writer.write([connection(number)], Rule(join))
    assert matching({"type": "ssh"}) == []
    keep(EVERY, monkeypatch)
    connection_writer.write([connection(9)], Rule(join))
    place: str | None = None
    written = 0
    while True:
        newly_written, place = backfill.backfill(CONNECTION_LOGS, place, at_once)
        written += newly_written
        if place is None:
            break
    assert written == 9
    assert (
        matching({"type": "ssh"}) == matching({"workspace_owner_id": str(UUID(int=901))}) == ids(*reversed(range(10)))
    )
    assert matching({"status": "ongoing"}) == matching({"status": "ongoing", "type": "ssh"}) == ids(8, 6, 4, 2, 0)
    assert backfill.backfill(CONNECTION_LOGS, None) == (0, None)


@pytest.mark.usefixtures("tables")
def test_a_row_that_is_changed_meanwhile_is_left_to_its_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    connection_writer.write([connection(2)], Rule(join))
    keep(EVERY, monkeypatch)
    (item,) = (stored for _, stored in batch_get({CONNECTION_LOGS.table_name: [connection(2).id]}))
    end = connection(2).connect_time + timedelta(hours=1)
    connection_writer.write([ended(connection(2), end)], Rule(join))
    monkeypatch.setattr(backfill, "batch_get", lambda _: [(CONNECTION_LOGS.table_name, item)])
    assert backfill.backfill(CONNECTION_LOGS) == (0, None)
    assert matching({"status": "ongoing"}) == []


def test_calls_that_fail_for_a_while_are_made_again_and_what_was_written_is_told(
    tables: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, transport: ObservedTransport
) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE_SECONDS", 0)
    for number in range(12):
        connection_writer.write([connection(number)], Rule(join))
    keep(EVERY, monkeypatch)
    random = Random(3)

    def flaky(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if random.random() < 0.25:
            raise refusal("ThrottlingException")
        return send(operation, request)

    transport.intercept(flaky)
    assert backfill.backfill(CONNECTION_LOGS) == (12, None)
    transport.restore()
    assert backfill.backfill(CONNECTION_LOGS) == (0, None)
    assert all("type" in item for item in tables.items(CONNECTION_LOGS.table_name))


def test_what_was_written_before_the_store_went_down_is_told(
    monkeypatch: pytest.MonkeyPatch, transport: ObservedTransport
) -> None:
    for number in range(5):
        connection_writer.write([connection(number)], Rule(join))
    keep(EVERY, monkeypatch)
    written: list[str] = []

    def down(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "UpdateItem":
            if len(written) == 3:
                raise refusal("ThrottlingException")
            written.append(request["Key"]["id"]["S"])
        return send(operation, request)

    transport.intercept(down)
    monkeypatch.setattr(backfill, "SECONDS", 0.0)
    with pytest.raises(SystemExit) as stopped:
        backfill.main(["connection"])
    said = str(stopped.value)
    assert said.startswith("3 rows written, then the store did not answer. Run it again. It said: ")
    assert "ThrottlingException" in said


@pytest.mark.parametrize("place", ["nonsense", "0", "2026-01-01", "2026-01-01T00:00:00.000000Z#x", ""])
def test_going_on_below_what_is_no_position_is_refused(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        backfill.main(["connection", "--below", place])
    assert stopped.value.code == 2
    assert "is no position such as an earlier run printed" in capsys.readouterr().err


def test_what_the_store_refuses_is_told_with_what_to_do(transport: ObservedTransport) -> None:
    def refused(_send: Send, _operation: str, _request: Mapping[str, Any]) -> dict[str, Any]:
        raise refusal("ResourceNotFoundException")

    transport.intercept(refused)
    with pytest.raises(SystemExit) as stopped:
        backfill.main(["connection"])
    assert str(stopped.value).startswith("0 rows written, then the store refused it: ")
    assert "set GATEBOOK_TABLE_PREFIX" in str(stopped.value)


def test_the_command_fills_a_log_and_says_how_to_go_on(
    tables: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        call(
            "PutItem",
            {
                "TableName": AUDIT_LOGS.table_name,
                "Item": audit_rows.to_item(audit(number), shards=3, lanes=FEW.audit_lanes.written),
            },
        )
    keep(EVERY, monkeypatch)
    monkeypatch.setattr(backfill, "ROWS", 2)
    backfill.main(["audit"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "5 rows written; every row has its keys."
    assert f"--below '{AUDIT_LOGS.position(audit(3))}'" in lines[0]
    assert all(
        item["build_reason_action"]["S"].startswith("cli:start#") for item in tables.items(AUDIT_LOGS.table_name)
    )
    backfill.main(["audit", "--below", AUDIT_LOGS.position(audit(3))])
    assert capsys.readouterr().out.splitlines()[-1] == "0 rows written; every row has its keys."
