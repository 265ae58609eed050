"""Pages of the logs as files, and the links from each page of a list to the next."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import uuid4

import pytest

from chalicelib.api import links, log_files
from chalicelib.export.columns import COLUMNS
from chalicelib.models.sending import bytes_sent
from chalicelib.retention import holds
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport

Event = Callable[..., dict[str, Any]]
CheckError = Callable[["Reply"], dict[str, Any]]
CONNECTIONS, AUDIT = "/api/v2/connectionlog", "/api/v2/audit"


def follow(client: Client, path: str, query: dict[str, str], headers: dict[str, str] | None = None) -> Iterator[Reply]:
    """The pages of a list, by the links in their headers alone."""
    asked = query
    while True:
        reply = client.get(path, query=asked, headers=headers)
        assert reply.status == 200, reply.text
        yield reply
        if "link" not in reply.headers:
            return
        reference, _, relation = reply.headers["link"].partition(">; ")
        assert relation == 'rel="next"'
        assert reference.startswith("<?")
        asked = dict(parse_qsl(reference[2:], keep_blank_values=True))


def rows_of(text: str, form: str) -> list[dict[str, Any]]:
    if form == "ndjson":
        return [json.loads(line) for line in text.splitlines()]
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.fixture
def events(owner: Client, make_event: Event) -> list[dict[str, Any]]:
    """Eleven rows as JSON has them."""
    made = [
        make_event(
            type="ssh" if index % 2 else "workspace_app", time=f"2025-07-10T10:00:{index:02}Z", user_agent="=1+1"
        )
        for index in range(11)
    ]
    assert owner.post(CONNECTIONS, made).status == 200
    rows: list[dict[str, Any]] = owner.get(CONNECTIONS).json["connection_logs"]
    return rows


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_walk_by_links_has_every_row_once_in_each_format(
    owner: Client, events: list[dict[str, Any]], form: str
) -> None:
    pages = list(follow(owner, CONNECTIONS, {"format": form, "limit": "4"}))
    assert len(pages) == 3
    rows = [row for page in pages for row in rows_of(page.text, form)]
    assert [page.headers["gatebook-rows"] for page in pages] == ["4", "4", "3"]
    assert [row["id"] for row in rows] == [row["id"] for row in events]
    if form == "ndjson":
        assert rows == events
    else:
        assert tuple(rows[0]) == COLUMNS["connection"]
        assert rows[-1]["web_info.user_agent"] == "'=1+1"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("text/csv", "text/csv"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/json;q=0.2, text/csv;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("text/csv;q=0", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/csv;q=many", "application/json"),
        ("", "application/json"),
    ],
)
def test_accept_asks_for_a_format_too(owner: Client, accept: str, media: str) -> None:
    reply = owner.get(CONNECTIONS, headers={"Accept": accept})
    assert reply.headers["content-type"] == f"{media}; charset=utf-8"
    assert owner.get(CONNECTIONS, query={"format": "json"}, headers={"Accept": accept}).json["count"] == 0


def test_a_file_is_saved_under_the_name_of_its_log(owner: Client) -> None:
    reply = owner.get(AUDIT, query={"format": "csv"})
    assert reply.headers["content-disposition"] == 'attachment; filename="audit_logs.csv"'
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert len(rows_of(reply.text, "csv")) == len(owner.get(AUDIT).json["audit_logs"])


@pytest.mark.parametrize("query", [{"format": "xml"}, {"format": "csv", "explain": "true"}, {"format": "CSV "}])
def test_what_there_is_no_file_of_is_refused(owner: Client, assert_error: CheckError, query: dict[str, str]) -> None:
    reply = owner.get(CONNECTIONS, query=query)
    assert reply.status == 400
    assert assert_error(reply)["validations"]


def test_a_file_is_not_counted(owner: Client, events: list[dict[str, Any]], transport: ObservedTransport) -> None:
    assert events
    owner.get(CONNECTIONS, query={"limit": "4"})
    transport.requests.clear()
    owner.get(CONNECTIONS, query={"limit": "4", "count": "false"})
    plain = [operation for operation, _ in transport.requests]
    transport.requests.clear()
    owner.get(CONNECTIONS, query={"limit": "4", "format": "ndjson"})
    assert [operation for operation, _ in transport.requests] == plain


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_file_is_cut_at_a_row_before_it_is_too_large(
    owner: Client, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {
            "time": f"2025-07-10T10:00:0{index}Z",
            "user_id": str(uuid4()),
            "resource_type": "template",
            "resource_id": str(uuid4()),
            "resource_target": '"' * 1_000,
            "action": "write",
            "status_code": 200,
        }
        for index in range(9)
    ]
    assert owner.post(AUDIT, rows).json["created"] == 9
    monkeypatch.setattr(log_files, "LARGEST_FILE", 16_000)
    pages = list(follow(owner, AUDIT, {"format": form, "q": "resource_type:template"}))
    assert len(pages) > 2
    assert max(bytes_sent(page.text) for page in pages) <= 16_000
    assert len({row["id"] for page in pages for row in rows_of(page.text, form)}) == 9


def test_a_file_says_since_when_its_rows_are_kept(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "gatebook-kept-since" not in owner.get(CONNECTIONS, query={"format": "csv"}).headers
    monkeypatch.setattr(holds, "current", lambda: Settings(connection_logs_retention=86_400 * 10**9))
    said = owner.get(CONNECTIONS, query={"format": "csv"}).headers["gatebook-kept-since"]
    assert said.startswith("connection_logs=20")


def test_an_auditor_of_an_organization_takes_along_theirs_alone(house: House, owner: Client, make_event: Event) -> None:
    mine, other = house.organization("mine"), house.organization("other")
    auditor = house.client(house.user("aud", organizations={mine.id: ("organization-auditor",)}))
    owner.post(CONNECTIONS, [make_event(organization_id=one.id) for one in (mine, other) for _ in range(3)])
    (page,) = follow(auditor, CONNECTIONS, {"format": "ndjson"})
    assert {row["organization"]["id"] for row in rows_of(page.text, "ndjson")} == {mine.id}
    assert house.client(house.user("bob")).get(AUDIT, query={"format": "csv"}).status == 403


def test_pages_of_json_and_of_users_are_linked_too(owner: Client, events: list[dict[str, Any]], house: House) -> None:
    met = [
        row["id"]
        for page in follow(owner, CONNECTIONS, {"q": "type:ssh", "limit": "2", "offset": "1"})
        for row in page.json["connection_logs"]
    ]
    assert met == [row["id"] for row in events if row["type"] == "ssh"][1:]
    for name in ("ann", "bob", "cleo", "dora"):
        house.user(name)
    users = [row["username"] for page in follow(owner, "/api/v2/users", {"limit": "2"}) for row in page.json["users"]]
    assert users == ["ann", "bob", "cleo", "dora", "root"]


def test_a_file_whose_next_page_cannot_be_named_is_refused_and_json_is_not(
    owner: Client, events: list[dict[str, Any]], assert_error: CheckError, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert events
    monkeypatch.setattr(links, "LONGEST", 50)
    reply = owner.get(CONNECTIONS, query={"limit": "2", "format": "csv"})
    assert reply.status == 400
    assert_error(reply)
    plain = owner.get(CONNECTIONS, query={"limit": "2"})
    assert "link" not in plain.headers
    assert plain.json["next_cursor"]
