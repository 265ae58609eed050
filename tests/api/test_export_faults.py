"""An export to a bucket comes out the same whatever call it is killed at, and costs the reads of its pages."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from chalicelib.api import export_writer
from chalicelib.retention import holds, purge
from chalicelib.settings import Settings
from chalicelib.store.exports import files
from tests.api.test_exports import EXPORTS, begun, fetched, objects, rows_of, run

if TYPE_CHECKING:
    from chalicelib.records import AuditLog
    from tests.api.conftest import Client
    from tests.transport import ObservedTransport, Send

Event = Callable[..., dict[str, Any]]
Trail = Callable[[], "list[AuditLog]"]
CONNECTIONS = "/api/v2/connectionlog"
ROWS = 120
ROWS_A_PAGE = 20


class Killed(BaseException):
    """The end of the function, at some call."""


class Calls:
    """The calls of the store and of the bucket, of which one ends the function: before it is made, or after."""

    def __init__(self) -> None:
        self.number = 0
        self.deadly = 0
        self.is_done = False

    def made(self, call: Callable[[], Any]) -> Any:
        self.number += 1
        is_deadly = self.number == self.deadly
        if is_deadly and not self.is_done:
            raise Killed
        answer = call()
        if is_deadly:
            raise Killed
        return answer


@pytest.fixture
def rows(owner: Client, make_event: Event, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Rows that take several parts, newest first, as the API answers them."""
    monkeypatch.setattr(export_writer, "PART_BYTES", 9_000)
    monkeypatch.setattr(export_writer, "ROWS_A_PAGE", ROWS_A_PAGE)
    numbers = random.Random(18)
    for start in range(0, ROWS, 30):
        events = [
            make_event(
                type="workspace_app",
                time=f"2025-07-10T10:{(start + number) % 60:02}:00Z",
                user_agent=numbers.randbytes(400).hex(),
            )
            for number in range(30)
        ]
        assert owner.post(CONNECTIONS, events).json["created"] == 30
    listed: list[dict[str, Any]] = owner.get(CONNECTIONS, query={"limit": "500"}).json["connection_logs"]
    return listed


@pytest.fixture
def calls(transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The calls of the function."""
    counted = Calls()

    def fault(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = counted.made(lambda: send(operation, request))
        return answer

    transport.intercept(fault)
    for name in ("put", "get", "remove"):
        made = getattr(files, name)
        monkeypatch.setattr(files, name, lambda *arguments, made=made: counted.made(lambda: made(*arguments)))
    return counted


@pytest.mark.usefixtures("keeps_exports")
def test_an_export_that_is_killed_at_any_call_goes_on_to_the_same_bytes(
    owner: Client, rows: list[dict[str, Any]], calls: Calls, trail: Trail
) -> None:
    whole = begun(owner)
    calls.number = 0
    run(whole)
    number = calls.number
    assert number > 20
    parts = fetched(owner.get(f"{EXPORTS}/{whole}").json)
    assert rows_of(parts) == rows
    assert len(parts) > 2
    killed = {}
    for is_done in (False, True):
        for deadly in range(1, number + 1):
            export_id = begun(owner)
            calls.number, calls.deadly, calls.is_done = 0, deadly, is_done
            with pytest.raises(Killed):
                run(export_id)
            calls.deadly = 0
            run(export_id)
            killed[export_id] = f"killed at call {deadly}, which was {'made' if is_done else 'not made'}"
    for export_id, where in killed.items():
        body = owner.get(f"{EXPORTS}/{export_id}").json
        assert body["state"] == "complete", where
        assert fetched(body) == parts, where
        manifest = requests.get(body["manifest_url"], timeout=10).json()
        assert manifest["rows"] == len(rows), where
        assert set(objects(export_id)) == {"manifest.json", *(part["name"] for part in body["parts"])}, where
    ended = [row.resource_id for row in trail() if row.resource_type == "export" and row.action == "write"]
    assert sorted(ended) == sorted([whole, *killed]), "each end is recorded once"


@pytest.mark.usefixtures("keeps_exports")
@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_an_export_of_whose_parts_none_is_done_in_a_run_comes_to_its_end(
    owner: Client, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(export_writer, "PART_BYTES", 50_000)
    once, often = begun(owner, format=form), begun(owner, format=form)
    run(once)
    runs = 1
    while run(often, looks=1)["message"] == "The export goes on.":
        runs += 1
        assert runs <= len(rows)
    assert runs >= len(rows) // ROWS_A_PAGE
    bodies = [owner.get(f"{EXPORTS}/{one}").json for one in (once, often)]
    assert fetched(bodies[0]) == fetched(bodies[1])
    assert sorted(objects(once)) == sorted(objects(often)), "what was laid aside is gone"


@pytest.mark.usefixtures("keeps_exports")
def test_a_part_that_another_function_laid_aside_is_written_again(owner: Client, rows: list[dict[str, Any]]) -> None:
    whole, doubled = begun(owner), begun(owner)
    run(whole)
    run(doubled, looks=1)
    files.put(doubled, "unfinished.gz", gzip.compress(b"{}\n"))
    run(doubled)
    bodies = [owner.get(f"{EXPORTS}/{one}").json for one in (whole, doubled)]
    assert fetched(bodies[0]) == fetched(bodies[1])
    assert bodies[1]["rows"] == len(rows)


@pytest.mark.usefixtures("keeps_exports")
def test_an_export_that_is_killed_as_it_goes_on_goes_on_to_the_same_bytes(
    owner: Client, rows: list[dict[str, Any]], calls: Calls
) -> None:
    whole = begun(owner)
    run(whole)
    parts = fetched(owner.get(f"{EXPORTS}/{whole}").json)
    assert rows_of(parts) == rows
    for is_done in (False, True):
        for deadly in range(1, 30):
            export_id = begun(owner)
            run(export_id, looks=1)
            calls.number, calls.deadly, calls.is_done = 0, deadly, is_done
            with suppress(Killed):
                run(export_id, looks=2)
            calls.deadly = 0
            run(export_id)
            assert fetched(owner.get(f"{EXPORTS}/{export_id}").json) == parts, (deadly, is_done)


@pytest.mark.usefixtures("keeps_exports")
def test_a_purge_of_rows_that_are_not_read_yet_never_shortens_an_export_silently(
    owner: Client, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded, open_ended, begun_later = (
        begun(owner, **{"from": begin}) for begin in ("2025-07-10T00:00:00Z", None, "2025-07-10T10:31:00Z")
    )
    for export_id in (bounded, open_ended, begun_later):
        run(export_id, looks=2)
    age = datetime.now(UTC) - datetime(2025, 7, 10, 10, 30, tzinfo=UTC)
    shorter = Settings(connection_logs_retention=int(age.total_seconds()) * 10**9)
    for module in (holds, purge):
        monkeypatch.setattr(module, "current", lambda: shorter)
    deleted = owner.post("/api/v2/retention/runs").json["purged"]["connection_logs"]
    assert 0 < deleted < len(rows)
    for export_id in (bounded, open_ended, begun_later):
        run(export_id)
    first, second, third = (owner.get(f"{EXPORTS}/{one}").json for one in (bounded, open_ended, begun_later))
    assert first["state"] == second["state"] == "partial"
    assert len(rows) - deleted <= first["rows"] == second["rows"] < len(rows)
    assert "passed their retention while the export ran" in first["reasons"][0]
    assert "retention was shortened while the export ran" in second["reasons"][0]
    since = [row for row in rows if row["connect_time"][11:16] >= "10:31"]
    assert (third["state"], third["rows"]) == ("complete", len(since))


@pytest.mark.usefixtures("keeps_exports")
def test_a_part_that_was_written_while_its_export_was_deleted_is_deleted_by_the_next_run(
    owner: Client, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows
    export_id = begun(owner)
    put = files.put

    def last(one: str, name: str, content: bytes) -> None:
        assert owner.delete(f"{EXPORTS}/{export_id}").status == 204
        put(one, name, content)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(files, "put", last)
        with pytest.raises(Killed):
            run(export_id)
    assert objects(export_id) == ["part-00001.ndjson.gz"]
    assert run(export_id)["message"] == "There is no such export."
    assert objects(export_id) == []


@pytest.mark.usefixtures("keeps_exports")
def test_an_export_reads_each_row_once_and_a_page_as_a_file_reads_what_the_page_reads(
    owner: Client, rows: list[dict[str, Any]], transport: ObservedTransport
) -> None:
    read: list[int] = []

    def metered(send: Send, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = send(operation, request)
        read.append(int(answer["ScannedCount"]) if operation == "Query" else 0)
        return answer

    transport.intercept(metered)
    query = {"limit": str(ROWS_A_PAGE), "count": "false"}
    asked = []
    for form in ("json", "ndjson", "csv"):
        transport.requests.clear()
        read.clear()
        assert owner.get(CONNECTIONS, query={**query, "format": form}).status == 200
        assert sum(read) <= ROWS_A_PAGE + 1
        asked.append([(operation, dict(request)) for operation, request in transport.requests if operation == "Query"])
    assert asked[0] == asked[1] == asked[2]
    export_id = begun(owner)
    read.clear()
    run(export_id)
    pages = -(-len(rows) // ROWS_A_PAGE)
    assert len(rows) <= sum(read) <= len(rows) + pages
    whole = owner.get(f"{EXPORTS}/{export_id}").json
    assert whole["rows"] == len(rows)
