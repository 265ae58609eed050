"""Large exports: asked for, written by a function of its own through any number of starts, fetched, deleted."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest
import requests
from chalice.local import LambdaContext

import app as application
from chalicelib import times
from chalicelib.api import export_writer
from chalicelib.retention import holds
from chalicelib.settings import Settings
from chalicelib.store import clients
from chalicelib.store.exports import files, function, jobs
from chalicelib.store.logs import tables as log_tables
from scripts.deployment import export_resources
from tests.deployment.test_lane_rights import CASES, EVERY_LANE

if TYPE_CHECKING:
    from chalicelib.records import AuditLog, User
    from tests.api.conftest import Client, Clock, House, Reply

Event = Callable[..., dict[str, Any]]
CheckError = Callable[["Reply"], dict[str, Any]]
Trail = Callable[[], "list[AuditLog]"]
EXPORTS, CONNECTIONS, AUDIT = "/api/v2/exports", "/api/v2/connectionlog", "/api/v2/audit"
CONNECTED = {
    "user_id": str(uuid4()),
    "resource_type": "workspace",
    "resource_id": str(uuid4()),
    "resource_target": "dev",
    "action": "connect",
    "status_code": 200,
}
PAST = {"to": "2025-12-31T00:00:00Z"}


class Lambda(LambdaContext):
    """The time that a run of the function has: so many looks at the clock, and then none."""

    def __init__(self, looks: int = 10_000) -> None:
        super().__init__("write_export", memory_size=1_024, max_runtime_ms=900_000)
        self.looks = looks

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 900_000 if self.looks >= 0 else 59_000


def run(export_id: str, looks: int = 10_000) -> dict[str, Any]:
    answer: dict[str, Any] = application.write_export({"id": export_id}, Lambda(looks))
    return answer


def begun(client: Client, **body: Any) -> str:
    reply = client.post(EXPORTS, {"log": "connection", **PAST, **body})
    assert reply.status == 202, reply.text
    assert reply.json["state"] == "running"
    assert reply.headers["location"] == f"{EXPORTS}/{reply.json['id']}"
    return str(reply.json["id"])


def fetched(body: dict[str, Any]) -> list[bytes]:
    """The parts, as whoever has the links fetches them, checked against what the answer says of them."""
    contents = []
    for part in body["parts"]:
        reply = requests.get(part["url"], timeout=10)
        assert reply.status_code == 200
        assert len(reply.content) == part["bytes"]
        assert hashlib.sha256(reply.content).hexdigest() == part["sha256"]
        contents.append(reply.content)
    return contents


def lives(link: str) -> int:
    """The seconds that a link is valid for, as it says itself."""
    return int(parse_qs(urlsplit(link).query)["X-Amz-Expires"][0])


def rows_of(parts: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for part in parts for line in gzip.decompress(part).decode().split("\n") if line]


def objects(export_id: str) -> list[str]:
    client: Any = boto3.client("s3")  # type: ignore[no-untyped-call]
    buckets = [one["Name"] for one in client.list_buckets()["Buckets"]]
    listed = [one for bucket in buckets for one in client.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return [one["Key"].rpartition("/")[2] for one in listed if export_id in one["Key"]]


@pytest.fixture
def rows(owner: Client, make_event: Event, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Rows that take several parts, newest first, as the API answers them."""
    monkeypatch.setattr(export_writer, "PART_BYTES", 9_000)
    monkeypatch.setattr(export_writer, "ROWS_A_PAGE", 9)
    events = [
        make_event(
            type="workspace_app",
            time=f"2025-07-10T10:{index % 60:02}:00Z",
            user_agent=random.Random(index).randbytes(400).hex(),
        )
        for index in range(120)
    ]
    assert owner.post(CONNECTIONS, events).json["created"] == 120
    listed: list[dict[str, Any]] = owner.get(CONNECTIONS, query={"limit": "500"}).json["connection_logs"]
    return listed


def test_an_export_is_written_by_as_many_runs_as_it_takes_and_fetched_by_links(
    owner: Client, rows: list[dict[str, Any]], keeps_exports: list[str], trail: Trail
) -> None:
    once, often = begun(owner), begun(owner)
    assert run(once)["message"] == "The export has ended."
    runs = 0
    keeps_exports.clear()
    while run(often, looks=6)["message"] == "The export goes on.":
        runs += 1
        body = owner.get(f"{EXPORTS}/{often}").json
        assert body["state"] == "running"
        assert "manifest_url" not in body
        assert runs < 100
    assert runs > 1
    assert keeps_exports == [often] * runs, "a run that has no time left starts the next one"
    bodies = [owner.get(f"{EXPORTS}/{one}").json for one in (once, often)]
    assert {body["state"] for body in bodies} == {"complete"}
    parts = [fetched(body) for body in bodies]
    assert parts[0] == parts[1], "byte-identical whenever it was stopped"
    assert len(parts[0]) > 2
    assert rows_of(parts[0]) == rows
    assert bodies[0]["rows"] == len(rows)
    manifest = requests.get(bodies[0]["manifest_url"], timeout=10).json()
    assert (manifest["status"], manifest["rows"]) == ("complete", len(rows))
    assert [part["sha256"] for part in manifest["parts"]] == [part["sha256"] for part in bodies[0]["parts"]]
    recorded = [(row.action, row.resource_id) for row in trail() if row.resource_type == "export"]
    assert recorded.count(("create", once)) == recorded.count(("write", once)) == recorded.count(("read", once)) == 1


@pytest.mark.parametrize("form", ["csv", "ocsf"])
def test_an_export_is_written_in_other_formats(
    owner: Client, rows: list[dict[str, Any]], keeps_exports: list[str], form: str
) -> None:
    export_id = begun(owner, format=form)
    run(export_id)
    assert keeps_exports == [export_id]
    (first, *_) = fetched(owner.get(f"{EXPORTS}/{export_id}").json)
    text = gzip.decompress(first).decode()
    assert text.startswith("\ufeff" if form == "csv" else '{"metadata"')
    assert rows[0]["id"] in text


@pytest.mark.usefixtures("keeps_exports")
def test_an_auditor_of_an_organization_exports_theirs_alone(house: House, owner: Client, make_event: Event) -> None:
    mine, other = house.organization("mine"), house.organization("other")
    owner.post(CONNECTIONS, [make_event(organization_id=one.id) for one in (mine, other) for _ in range(3)])
    user = house.user("aud", organizations={mine.id: ("organization-auditor",)})
    auditor = house.client(user)
    export_id = begun(auditor)
    run(export_id)
    body = auditor.get(f"{EXPORTS}/{export_id}").json
    rows = rows_of(fetched(body))
    assert {row["organization"]["id"] for row in rows} == {mine.id}
    assert all("written_by" not in row for row in rows)
    assert requests.get(body["manifest_url"], timeout=10).json()["holds"] == {"at_begin": None, "at_end": None}
    assert owner.get(f"{EXPORTS}/{export_id}").status == 404, "it is seen by who asked for it"
    narrower = house.client(user, scopes=("user:read",))
    assert narrower.get(f"{EXPORTS}/{export_id}").status == 404, "and may read what they might then"
    assert narrower.post(EXPORTS, {"log": "connection"}).status == 403
    assert auditor.post(EXPORTS, {"log": "connection", "q": f"organization:{other.id}"}).status == 403


@pytest.mark.usefixtures("keeps_exports")
def test_a_token_that_may_not_read_the_holds_gets_no_manifest_that_names_them(
    house: House, root: User, owner: Client, rows: list[dict[str, Any]]
) -> None:
    assert rows
    hold = {"log": "connection", "q": "type:workspace_app", "reason": "a case that few know of"}
    assert owner.put("/api/v2/retention/holds/case-7", hold).status == 201
    narrow = house.client(root, scopes=("connection_log:read",))
    named, unnamed = begun(owner), begun(narrow)
    run(named)
    run(unnamed)
    assert narrow.get("/api/v2/retention/holds").status == 403
    for request in (narrow.get, narrow.delete):
        assert request(f"{EXPORTS}/{named}").status == 404
    for reader, export, holds_named in ((owner, named, True), (narrow, unnamed, False), (owner, unnamed, False)):
        body = reader.get(f"{EXPORTS}/{export}").json
        manifest = requests.get(body["manifest_url"], timeout=10).text
        assert ("case-7" in manifest) is holds_named


@pytest.mark.usefixtures("keeps_exports")
def test_links_for_a_token_that_is_bound_to_networks_live_a_minute(
    house: House, root: User, owner: Client, rows: list[dict[str, Any]], clock: Clock
) -> None:
    assert rows
    export_id = begun(owner)
    run(export_id)
    bound = house.client(root, allowed_ips=("192.0.2.0/24",))
    for client, seconds in ((owner, 600), (bound, 60)):
        body = client.get(f"{EXPORTS}/{export_id}").json
        assert body["links_expire_at"] == times.wire(clock.moment + timedelta(seconds=seconds))
        links = [body["manifest_url"], *(part["url"] for part in body["parts"])]
        assert {*map(lives, links)} == {seconds}
        fetched(body)
    outside = replace(bound, source_ip="203.0.113.7")
    assert outside.get(f"{EXPORTS}/{export_id}").status == 403


@pytest.mark.usefixtures("keeps_exports")
def test_an_export_is_closed_to_its_user_once_they_know_fewer_people(
    house: House, owner: Client, make_event: Event
) -> None:
    acme, lab, visitor = house.organization(), house.organization("lab"), house.user("visitor")
    event = make_event(type="workspace_app", organization_id=acme.id, user_id=str(visitor.id), time=PAST["to"])
    assert owner.post(CONNECTIONS, event).json["created"] == 1
    held = {acme.id: ("organization-auditor",), lab.id: ()}
    ken = house.user("ken", "user-admin", organizations=held)
    as_ken = house.client(ken)
    export = begun(as_ken)
    run(export)
    body = as_ken.get(f"{EXPORTS}/{export}").json
    assert visitor.email in gzip.decompress(fetched(body)[0]).decode()
    for roles, organizations, status in (
        ((), held, 404),
        (("user-admin",), {acme.id: ("organization-auditor",)}, 200),
        (("user-admin",), held, 200),
    ):
        wanted = {"username": "ken", "email": ken.email, "roles": roles, "organization_ids": [*organizations]}
        assert owner.put(f"/api/v2/users/{ken.id}", wanted).status == 200
        assert as_ken.get(f"{EXPORTS}/{export}").status == status


@pytest.mark.usefixtures("keeps_exports")
def test_rows_that_come_while_it_is_written_are_not_in_it(
    owner: Client, rows: list[dict[str, Any]], make_event: Event
) -> None:
    export_id = begun(owner, to=None)
    run(export_id, looks=6)
    owner.post(CONNECTIONS, make_event(time=(datetime.now(UTC) + timedelta(hours=1)).isoformat()))
    run(export_id)
    assert rows_of(fetched(owner.get(f"{EXPORTS}/{export_id}").json)) == rows


@pytest.mark.usefixtures("keeps_exports")
def test_times_that_are_counted_from_now_are_counted_from_when_it_was_asked_for(
    owner: Client, make_event: Event, clock: Clock
) -> None:
    for days in (1, 2, 3):
        assert owner.post(CONNECTIONS, make_event(time=times.wire(clock.moment - timedelta(days=days)))).status == 200
    export_id = begun(owner, q="after:-60h", to=None)
    clock.forward(timedelta(days=2))
    run(export_id)
    body = owner.get(f"{EXPORTS}/{export_id}").json
    since = times.wire(clock.moment - timedelta(days=2, hours=60))
    assert body["q"] == f'after:"{since}"'
    assert [row["connect_time"] >= since for row in rows_of(fetched(body))] == [True, True]


@pytest.mark.usefixtures("keeps_exports")
def test_what_retention_takes_and_a_hold_that_is_lifted_meanwhile_make_it_partial(
    house: House, owner: Client, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows
    hold = {"log": "connection", "q": "type:ssh", "reason": "a case"}
    assert owner.put("/api/v2/retention/holds/case-7", hold).status == 201
    auditor = house.client(house.user("aud", "auditor"))
    ids = [begun(client, **{"from": "2025-07-10T00:00:00Z"}) for client in (owner, auditor)]
    for one in ids:
        run(one, looks=6)
    since = datetime.now(UTC) - datetime(2025, 7, 10, 10, 30, tzinfo=UTC)
    days = int(since.total_seconds()) * 10**9
    monkeypatch.setattr(holds, "current", lambda: Settings(connection_logs_retention=days))
    assert owner.delete("/api/v2/retention/holds/case-7").status < 300
    for one in ids:
        run(one)
    first, second = (client.get(f"{EXPORTS}/{one}").json for client, one in zip((owner, auditor), ids, strict=True))
    assert first["state"] == second["state"] == "partial"
    assert first["reasons"][0].startswith("connection_logs: rows before 2025-07-10T10:")
    assert "case-7" in first["reasons"][1]
    assert "case-7" not in json.dumps(second)
    assert len(second["reasons"]) == 2


def test_a_deleted_export_is_gone_with_its_files_also_while_it_is_written(
    owner: Client, rows: list[dict[str, Any]], keeps_exports: list[str], monkeypatch: pytest.MonkeyPatch, trail: Trail
) -> None:
    assert rows
    ended, running = begun(owner), begun(owner)
    assert keeps_exports == [ended, running]
    run(ended)
    assert "manifest.json" in objects(ended)
    assert owner.delete(f"{EXPORTS}/{ended}").status == 204
    put = files.put

    def deleting(export_id: str, name: str, content: bytes) -> None:
        put(export_id, name, content)
        if name.startswith("part-00002"):
            assert owner.delete(f"{EXPORTS}/{export_id}").status == 204
            put(export_id, name, content)

    monkeypatch.setattr(files, "put", deleting)
    assert run(running)["message"] == "The export was deleted, or another function writes it."
    for one in (ended, running):
        assert objects(one) == []
        assert owner.get(f"{EXPORTS}/{one}").status == 404
        assert owner.delete(f"{EXPORTS}/{one}").status == 404
        assert run(one)["message"] == "There is no such export."
    assert [row.action for row in trail() if row.resource_type == "export"].count("delete") == 2


def test_of_two_functions_that_write_one_export_the_second_stops(
    owner: Client, rows: list[dict[str, Any]], keeps_exports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows
    export_id = begun(owner)
    put = files.put
    nested: list[dict[str, Any]] = []

    def racing(one: str, name: str, content: bytes) -> None:
        if not nested:
            nested.append({})
            nested[0] = run(export_id)
        put(one, name, content)

    monkeypatch.setattr(files, "put", racing)
    assert run(export_id)["message"] == "The export was deleted, or another function writes it."
    assert nested[0]["message"] == "The export has ended."
    assert run(export_id)["message"] == "The export has ended."
    assert rows_of(fetched(owner.get(f"{EXPORTS}/{export_id}").json)) == rows
    assert keeps_exports == [export_id]


def test_an_export_whose_function_was_lost_goes_on_when_it_is_looked_at(
    owner: Client, keeps_exports: list[str], clock: Clock
) -> None:
    export_id = begun(owner)
    assert owner.get(f"{EXPORTS}/{export_id}").json["state"] == "running"
    assert keeps_exports == [export_id]
    clock.forward(timedelta(minutes=16))
    for _ in range(3):
        assert owner.get(f"{EXPORTS}/{export_id}").json["rows"] == 0
    assert keeps_exports == [export_id, export_id], "once, however often it is looked at"
    clock.forward(timedelta(minutes=16))
    assert run(export_id)["message"] == "The export has ended."
    assert owner.get(f"{EXPORTS}/{export_id}").json["state"] == "complete"


def test_a_request_that_is_sent_again_with_its_key_begins_one_export(
    house: House, owner: Client, rows: list[dict[str, Any]], keeps_exports: list[str], trail: Trail
) -> None:
    def asked(client: Client = owner, key: str = "one", **body: str) -> Reply:
        return client.post(EXPORTS, {"log": "connection", **PAST, **body}, headers={"Idempotency-Key": key})

    first, again = asked(), asked()
    assert (first.status, again.status, again.text) == (202, 202, first.text)
    assert keeps_exports == [first.json["id"]] * 2, "started again, as nothing says that it was"
    run(first.json["id"])
    assert asked().json["rows"] == len(rows)
    assert len(keeps_exports) == 2, "it is written"
    assert asked(log="audit").status == 422
    assert (
        asked(key="two").json["id"] != first.json["id"] != asked(house.client(house.user("aud", "auditor"))).json["id"]
    )
    assert asked(key="").status == 400
    assert len([row for row in trail() if (row.resource_type, row.action) == ("export", "create")]) == 3
    assert owner.delete(f"{EXPORTS}/{first.json['id']}").status == 204
    assert asked().json["rows"] == 0, "what was deleted may be asked for anew"


def test_of_two_requests_with_one_key_at_once_one_begins_it_and_both_have_its_id(
    owner: Client, keeps_exports: list[str], monkeypatch: pytest.MonkeyPatch, trail: Trail
) -> None:
    def asked() -> Reply:
        return owner.post(EXPORTS, {"log": "connection"}, headers={"Idempotency-Key": "one"})

    read, replies = jobs.read, list[Any]()

    def outrun(export_id: str) -> jobs.Kept | None:
        kept = read(export_id)
        if not replies:
            replies.append(None)
            replies[0] = asked()
        return kept

    monkeypatch.setattr(jobs, "read", outrun)
    second = asked()
    (first,) = replies
    assert (first.status, second.status) == (202, 202)
    assert first.json["id"] == second.json["id"]
    assert {*keeps_exports} == {first.json["id"]}
    assert [row.action for row in trail() if row.resource_type == "export"] == ["create"]


@pytest.mark.parametrize(
    "body",
    [
        {"log": "tokens"},
        {"q": "color:red"},
        {"format": "xlsx"},
        {"from": "2025-07-11T00:00:00Z", "to": "2025-07-10T00:00:00Z"},
        {"from": "yesterday"},
        {"q": "x" * 2_001},
    ],
)
@pytest.mark.usefixtures("keeps_exports")
def test_what_cannot_be_exported_is_refused(owner: Client, body: dict[str, str], assert_error: CheckError) -> None:
    reply = owner.post(EXPORTS, {"log": "connection", **body})
    assert reply.status == 400
    assert assert_error(reply)["validations"]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", EXPORTS), ("GET", f"{EXPORTS}/7d0bd3f2-2a65-4a8a-9d4e-5d7e7d0c6a11")]
)
def test_without_a_bucket_there_are_none_and_the_answer_says_how_to_have_them(
    owner: Client, method: str, path: str, assert_error: CheckError
) -> None:
    reply = owner.send(method, path, {} if method == "POST" else None)
    assert reply.status == 404
    assert "parameter Exports" in assert_error(reply)["message"]


@pytest.mark.usefixtures("keeps_exports")
def test_the_function_may_read_by_every_lane(
    owner: Client, house: House, make_event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.organization("acme")
    monkeypatch.setattr(log_tables, "current", lambda: EVERY_LANE)
    owner.post(CONNECTIONS, make_event())
    for path, _, q in CASES:
        export_id = begun(owner, log="connection" if path == CONNECTIONS else "audit", q=q, to=None)
        assert run(export_id)["message"] == "The export has ended."
    large = {"action": "write", "additional_fields": {"noise": random.Random(1).randbytes(4_000).hex()}}
    assert owner.post(f"{AUDIT}/testgenerate", large).status == 204
    assert (
        owner.post(AUDIT, {**CONNECTED, "time": f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"}).status
        == 200
    )
    old = Settings(audit_logs_retention=3_600 * 10**9)
    monkeypatch.setattr(holds, "current", lambda: old)
    export_id = begun(owner, log="audit", to=None)
    assert run(export_id)["message"] == "The export has ended."
    rows = rows_of(fetched(owner.get(f"{EXPORTS}/{export_id}").json))
    assert {row["action"] for row in rows} >= {"connect", "write"}
    assert any("noise" in row["additional_fields"] for row in rows)


def test_the_rights_of_the_stack_are_those_that_are_used(
    owner: Client, rows: list[dict[str, Any]], keeps_exports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows
    used: set[str] = set()
    s3 = clients.client("s3")
    s3.meta.events.register("before-call", lambda model, **_: used.add(f"s3:{model.name}"))
    export_id = begun(owner)
    run(export_id, looks=2)
    run(export_id)
    assert used == {"s3:PutObject", "s3:GetObject", "s3:DeleteObject"}
    fetched(owner.get(f"{EXPORTS}/{export_id}").json)
    assert owner.delete(f"{EXPORTS}/{export_id}").status == 204
    # One call that deletes several objects needs the right to delete one.
    rights = {"s3:ListObjectsV2": "s3:ListBucket", "s3:DeleteObjects": "s3:DeleteObject"}
    named = {rights.get(name, name) for name in used} | {"s3:GetObject"}
    assert named == {*export_resources.API_RIGHTS, *export_resources.WRITER_RIGHTS, "s3:ListBucket"}
    assert keeps_exports
    asked: list[dict[str, Any]] = []

    class Functions:
        def invoke(self, **request: Any) -> None:
            asked.append(request)

    monkeypatch.undo()
    monkeypatch.setattr(function, "client", lambda _service: Functions())
    function.start("writer", "an-id")
    assert asked == [{"FunctionName": "writer", "InvocationType": "Event", "Payload": b'{"id": "an-id"}'}]
