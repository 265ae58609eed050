"""Exports of a running service into a directory: whole, the same bytes after any kill, and checked again."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from chalicelib import times
from chalicelib.export.formats import FORMATS
from chalicelib.export.parts import PartWriter
from chalicelib.export.progress import Progress
from chalicelib.export.question import Question
from chalicelib.retention import holds
from chalicelib.settings import Settings
from scripts.exports import service as services
from scripts.exports.check import problems
from scripts.exports.command import Asked, export
from scripts.exports.directory import STATE, Directory, DirectoryError
from scripts.exports.service import Get, Reply, Service, ServiceError
from tests.api.conftest import Client

if TYPE_CHECKING:
    from tests.api.conftest import House

Event = Callable[..., dict[str, Any]]
CONNECTIONS, AUDIT = "/api/v2/connectionlog", "/api/v2/audit"
END = datetime(2025, 8, 1, tzinfo=UTC)
ROWS = 600
PART_BYTES = 20_000


class Killed(BaseException):
    """The end of a process, at some step."""


def sent_by(client: Client) -> Get:
    def get(path: str, parameters: Mapping[str, str]) -> Reply:
        reply = client.get(path, query=dict(parameters) or None)
        return Reply(reply.status, reply.headers, reply.text.encode())

    return get


def asked(log: str = "connection", form: str = "ndjson", **changes: Any) -> Asked:
    return Asked(
        Question(log, "", None, END, form)._replace(**changes),
        until_now=False,
        source="http://here",
        part_bytes=PART_BYTES,
    )


def parts_of(path: Path) -> dict[str, bytes]:
    return {part.name: part.read_bytes() for part in sorted(path.glob("part-*"))}


def lines_of(path: Path) -> list[str]:
    return [line for data in parts_of(path).values() for line in gzip.decompress(data).decode().split("\n") if line]


@pytest.fixture
def service(owner: Client, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(services, "ROWS_A_PAGE", 37)
    return Service(sent_by(owner), pause=lambda _seconds: None)


@pytest.fixture
def rows(owner: Client, make_event: Event) -> list[dict[str, Any]]:
    """Rows of both kinds, several at one moment, newest first, as an independent walk by ids has them."""
    numbers = random.Random(18)
    events = [
        make_event(
            type=("ssh", "workspace_app", "tunnel")[index % 3],
            time=f"2025-07-10T10:{index // 3 % 60:02}:00Z",
            connection_id=str(UUID(int=numbers.getrandbits(128))),
            workspace_id=str(UUID(int=numbers.getrandbits(128))),
            user_agent=f"=1+1 a line\u2028separator {numbers.randbytes(400).hex()}\u0085",
        )
        for index in range(ROWS)
    ]
    for start in range(0, ROWS, 100):
        assert owner.post(CONNECTIONS, events[start : start + 100]).json["created"] == 100
    met: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while page := owner.get(CONNECTIONS, query={"limit": "90", "count": "false", **after}).json["connection_logs"]:
        met += page
        after = {"after_id": page[-1]["id"]}
    assert len(met) == ROWS
    return met


def test_an_export_has_the_rows_of_an_independent_walk(
    service: Service, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    written = export(Directory(tmp_path), service, asked())
    assert [json.loads(line) for line in lines_of(tmp_path)] == rows
    assert written["status"] == "complete"
    assert written["rows"] == ROWS
    assert len(written["parts"]) > 3
    assert all(PART_BYTES <= part["bytes"] < 4 * PART_BYTES for part in written["parts"][:-1])
    assert json.loads((tmp_path / "manifest.json").read_text()) == written
    assert list(problems(tmp_path, written)) == []
    assert {path.name for path in tmp_path.iterdir()} == {"manifest.json", *parts_of(tmp_path)}


@pytest.mark.parametrize("form", list(FORMATS))
def test_an_export_that_is_killed_twenty_times_has_the_same_bytes(
    service: Service, rows: list[dict[str, Any]], tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    export(Directory(whole), service, asked(form=form))
    steps_left = [0]

    def mortal(original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            if steps_left[0] == 0:
                raise Killed
            steps_left[0] -= 1
            return original(*arguments, **named)

        return step

    numbers = random.Random(20)
    kills = 0
    with monkeypatch.context() as patched:
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (PartWriter, "add"), (service, "page")):
            patched.setattr(owner, name, mortal(getattr(owner, name)))
        while kills < 20:
            steps_left[0] = numbers.randrange(3, 90)
            patched.setattr(services, "ROWS_A_PAGE", numbers.randrange(5, 60))
            with pytest.raises(Killed):
                export(Directory(killed), service, asked(form=form))
            kills += 1
            assert not (killed / "manifest.json").exists()
    assert export(Directory(killed), service, asked(form=form))["status"] == "complete"
    assert parts_of(killed) == parts_of(whole)
    assert len(parts_of(whole)) > 3


def test_times_that_are_counted_from_now_are_counted_from_the_first_start(
    service: Service, rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = END - timedelta(days=20)
    monkeypatch.setattr(times, "now", lambda: first)
    page = service.page
    pages: list[str] = []

    def mortal(question: Question, cursor: str) -> Any:
        if len(pages) == 2:
            raise Killed
        pages.append(cursor)
        return page(question, cursor)

    words = asked(q="before:-37h30m type:ssh,tunnel after:-37h50m")
    with monkeypatch.context() as patched:
        patched.setattr(service, "page", mortal)
        with pytest.raises(Killed):
            export(Directory(tmp_path), service, words)
    monkeypatch.setattr(times, "now", lambda: first + timedelta(days=25))
    written = export(Directory(tmp_path), service, words)
    moments = [times.wire(first - duration) for duration in (timedelta(hours=37.5), timedelta(hours=37, minutes=50))]
    assert written["q"] == f'before:"{moments[0]}" type:ssh,tunnel after:"{moments[1]}"'
    wanted = [row for row in rows if row["type"] != "workspace_app" and moments[1] <= row["connect_time"] <= moments[0]]
    assert [json.loads(line) for line in lines_of(tmp_path)] == wanted
    assert len(wanted) > 2 * 37, "it has more than the pages that were read before"


def test_rows_that_come_meanwhile_are_not_in_it(
    owner: Client, service: Service, rows: list[dict[str, Any]], make_event: Event, tmp_path: Path
) -> None:
    first = service.page(asked().question, "")

    def page(question: Question, cursor: str) -> Any:
        assert owner.post(CONNECTIONS, make_event(time="2025-09-01T00:00:00Z")).status == 200
        return first if not cursor else Service.page(service, question, cursor)

    service.page = page  # type: ignore[method-assign]
    assert export(Directory(tmp_path), service, asked())["rows"] == len(rows)


def test_a_range_and_a_filter_narrow_an_export(service: Service, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    begin = datetime(2025, 7, 10, 10, 30, tzinfo=UTC)
    written = export(
        Directory(tmp_path), service, asked(q="type:tunnel", begin=begin, end=begin + timedelta(minutes=9))
    )
    wanted = [row for row in rows if row["type"] == "tunnel" and "10:30:00Z" <= row["connect_time"][11:] <= "10:39:00Z"]
    assert [json.loads(line) for line in lines_of(tmp_path)] == wanted
    assert list(problems(tmp_path, written)) == []
    assert written["from"] == "2025-07-10T10:30:00Z"


def test_an_export_of_nothing_is_whole(service: Service, tmp_path: Path) -> None:
    written = export(Directory(tmp_path), service, asked())
    assert (written["status"], written["rows"], written["parts"]) == ("complete", 0, [])
    assert list(problems(tmp_path, written)) == []


def test_an_auditor_of_an_organization_exports_theirs_alone(
    house: House, owner: Client, make_event: Event, tmp_path: Path
) -> None:
    mine, other = house.organization("mine"), house.organization("other")
    owner.post(CONNECTIONS, [make_event(organization_id=one.id) for one in (mine, other) for _ in range(3)])
    auditor = house.client(house.user("aud", organizations={mine.id: ("organization-auditor",)}))
    written = export(Directory(tmp_path), Service(sent_by(auditor)), asked())
    assert {json.loads(line)["organization"]["id"] for line in lines_of(tmp_path)} == {mine.id}
    assert written["holds"] == {"at_begin": None, "at_end": None}


def test_what_retention_takes_meanwhile_makes_it_partial(
    owner: Client, service: Service, rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    age = datetime.now(UTC) - datetime(2025, 7, 10, 10, tzinfo=UTC)
    kept = [age + timedelta(days=1), age - timedelta(minutes=70)]
    begin = datetime(2025, 7, 10, 10, tzinfo=UTC)
    held = owner.put("/api/v2/retention/holds/case-7", {"log": "connection", "q": "type:tunnel", "reason": "a case"})
    assert held.status == 201

    def page(question: Question, cursor: str) -> Any:
        days = int(kept[0 if not cursor else 1].total_seconds()) * 10**9
        monkeypatch.setattr(holds, "current", lambda: Settings(connection_logs_retention=days))
        return Service.page(service, question, cursor)

    service.page = page  # type: ignore[method-assign]
    written = export(Directory(tmp_path), service, asked(begin=begin))
    assert written["status"] == "partial"
    assert written["reasons"] == [written["reasons"][0]]
    assert written["reasons"][0].startswith("connection_logs: rows before 2025-07-10T11:")
    assert written["rows"] < len(rows)
    assert [hold["name"] for hold in written["holds"]["at_end"]] == ["case-7"]


def test_another_export_does_not_go_on_in_the_same_directory(
    service: Service, rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows
    page, note = service.page, Directory.note
    kept: list[Progress] = []

    def noted(self: Directory, progress: Progress) -> None:
        kept.append(progress)
        note(self, progress)

    with monkeypatch.context() as patched:
        patched.setattr(Directory, "note", noted)
        patched.setattr(service, "page", lambda question, cursor: 1 / 0 if kept[-1].parts else page(question, cursor))
        with pytest.raises(ZeroDivisionError):
            export(Directory(tmp_path), service, asked())
    assert (tmp_path / STATE).exists()
    with pytest.raises(DirectoryError, match="another export"):
        export(Directory(tmp_path), service, asked(q="type:ssh"))
    (tmp_path / "part-00001.ndjson.gz").write_bytes(b"")
    with pytest.raises(DirectoryError, match="begin again"):
        export(Directory(tmp_path), service, asked())


def test_an_export_goes_on_with_another_token_of_the_user_and_with_nobody_elses(
    house: House, owner: Client, service: Service, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    page = service.page
    pages: list[str] = []

    def mortal(question: Question, cursor: str) -> Any:
        if len(pages) == 6:
            raise Killed
        pages.append(cursor)
        return page(question, cursor)

    service.page = mortal  # type: ignore[method-assign]
    with pytest.raises(Killed):
        export(Directory(tmp_path), service, asked())
    auditor = house.client(house.user("aud", "auditor"))
    with pytest.raises(DirectoryError, match="has an export of the user"):
        export(Directory(tmp_path), Service(sent_by(auditor)), asked())
    asking = owner.get("/api/v2/users/me").json
    narrow = {"token_name": "reader", "scopes": ["connection_log:read"]}
    token = owner.post("/api/v2/users/me/keys/tokens", narrow).json["key"]
    written = export(Directory(tmp_path), Service(sent_by(Client(token))), asked())
    assert (written["rows"], written["asked_by"]) == (len(rows), asking["id"])


def test_only_an_empty_directory_is_taken(service: Service, tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("dear")
    with pytest.raises(DirectoryError, match=r"diary\.txt"):
        export(Directory(tmp_path), service, asked())


@pytest.mark.parametrize("log", ["connection", "audit"])
@pytest.mark.parametrize("form", list(FORMATS))
def test_a_check_finds_what_was_changed(
    owner: Client, service: Service, rows: list[dict[str, Any]], tmp_path: Path, log: str, form: str
) -> None:
    assert rows
    owner.post(f"{AUDIT}/testgenerate", {"action": "write"})
    owner.post(f"{AUDIT}/testgenerate", {"action": "login"})
    written = export(Directory(tmp_path), service, asked(log, form, end=datetime.now(UTC) + timedelta(hours=1)))
    assert list(problems(tmp_path, written)) == []
    name, data = next(iter(parts_of(tmp_path).items()))
    (tmp_path / name).write_bytes(data[:-9])
    assert any("SHA-256" in problem for problem in problems(tmp_path, written))
    lines = gzip.decompress(data).decode().split("\n")[:-1]
    (tmp_path / name).write_bytes(gzip.compress("".join(f"{line}\n" for line in lines[:-1]).encode(), mtime=0))
    assert any("rows, not" in problem for problem in problems(tmp_path, written))
    (tmp_path / name).unlink()
    assert f"{name}: there is no such file" in list(problems(tmp_path, written))
    (tmp_path / name).write_bytes(data)
    (tmp_path / "part-99999.ndjson.gz").write_bytes(b"")
    assert list(problems(tmp_path, written)) == ["part-99999.ndjson.gz is no part of the export"]


def test_a_service_that_fails_for_a_while_is_asked_again(owner: Client, tmp_path: Path) -> None:
    failures: list[object] = [
        Reply(503, {"retry-after": "3"}, b"{}"),
        ConnectionResetError("reset"),
        http.client.IncompleteRead(b""),
        Reply(429, {}, b""),
    ]
    pauses: list[float] = []
    send = sent_by(owner)

    def get(path: str, parameters: Mapping[str, str]) -> Reply:
        failure = failures.pop() if failures else send(path, parameters)
        if isinstance(failure, Exception):
            raise failure
        assert isinstance(failure, Reply)
        return failure

    assert export(Directory(tmp_path), Service(get, pauses.append), asked())["status"] == "complete"
    assert pauses == [0.5, 1.0, 2.0, 3.0]


def test_a_service_that_refuses_is_not_asked_again(house: House, owner: Client, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="is not a valid query param"):
        export(Directory(tmp_path), Service(sent_by(owner)), asked(q="color:red"))
    reader = house.client(house.user("bob"))
    with pytest.raises(ServiceError, match="Forbidden"):
        Service(sent_by(reader)).page(asked("audit").question, "")
    away: list[float] = []
    with pytest.raises(ServiceError, match="no answer after 8 tries"):
        Service(lambda _path, _parameters: Reply(503, {}, b""), away.append).page(asked().question, "")
    assert len(away) == 7
