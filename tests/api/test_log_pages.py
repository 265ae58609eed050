"""Pages of a log over HTTP: cursors, rows to begin after, offsets, partial answers, and plans explained."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.api import answer_limits
from chalicelib.api.http import encoded
from chalicelib.lanes.positions import position
from chalicelib.models.sending import bytes_sent, may_be_sent
from chalicelib.retention import holds
from chalicelib.search import cursor
from chalicelib.search.cursor import CarriedCount, Cursor, WrongCursor
from chalicelib.search.filter import EVERYTHING, NOTHING, Filter
from chalicelib.settings import Settings
from chalicelib.store.dynamodb.rounds import IN_FLIGHT, rounds_heard_by
from chalicelib.store.logs import tables as log_tables

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House, Reply
    from tests.transport import ObservedTransport

CheckError = Callable[["Reply"], dict[str, Any]]
Event = Callable[..., dict[str, Any]]

PATH = "/api/v2/connectionlog"
A = "1a2bb67e-0117-4168-92e0-58138989a7f5"
B = "2b3cc78f-0117-4168-92e0-58138989a7f5"
CURSOR = 'Query param "cursor" is not valid'


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return [row["id"] for row in reply.json["connection_logs"]]


@pytest.fixture
def events(owner: Client, make_event: Event) -> list[str]:
    """Thirty rows of three moments, in two organizations; their ids, newest first."""
    made = [
        make_event(
            organization_id=A if index % 3 else B,
            type="ssh" if index % 2 else "workspace_app",
            time=f"2025-07-10T10:00:0{index % 3}Z",
        )
        for index in range(30)
    ]
    assert owner.post(PATH, made).status == 200
    return ids(owner.get(PATH))


def walk(client: Client, **query: str) -> Iterator[Reply]:
    while True:
        reply = client.get(PATH, query=query)
        yield reply
        if "next_cursor" not in reply.json:
            return
        query = {**query, "cursor": reply.json["next_cursor"], "offset": ""}


@pytest.mark.parametrize("limit", ["1", "7", "10", "29", "30", "31"])
def test_a_walk_by_cursor_meets_every_row_once(owner: Client, events: list[str], limit: str) -> None:
    pages = list(walk(owner, limit=limit))
    assert [row for page in pages for row in ids(page)] == events
    assert len(pages) == -(-30 // int(limit)), "the last page says that it is the last"
    assert {page.json["count"] for page in pages} == {30}
    assert not any("partial" in page.json for page in pages)


@pytest.mark.parametrize("query", ["type:ssh", f"organization:{A}", "status:ongoing", f"type:ssh organization:{A}"])
def test_a_filtered_walk_meets_what_one_page_shows(owner: Client, events: list[str], query: str) -> None:
    whole = ids(owner.logs(query))
    assert 0 < len(whole) < len(events)
    pages = list(walk(owner, q=query, limit="3"))
    assert [row for page in pages for row in ids(page)] == whole
    assert {page.json["count"] for page in pages} == {len(whole)}


def test_a_walk_by_the_last_row_meets_every_row_once(owner: Client, events: list[str]) -> None:
    met: list[str] = []
    after: dict[str, str] = {}
    while page := ids(owner.get(PATH, query={"limit": "7", **after})):
        met += page
        after = {"after_id": page[-1]}
    assert met == events
    assert ids(owner.get(PATH, query={"after_id": events[4], "offset": "3", "limit": "2"})) == events[8:10]
    assert owner.get(PATH, query={"after_id": events[4]}).json["count"] == 30


def test_newer_rows_do_not_disturb_a_walk(owner: Client, events: list[str], make_event: Event) -> None:
    met = []
    for page in walk(owner, limit="7"):
        met += ids(page)
        owner.post(PATH, [make_event(time="2025-07-10T11:00:00Z") for _ in range(8)])
    assert met == events
    after = ids(owner.get(PATH, query={"limit": "5"}))[-1]
    assert after not in events


def test_a_cursor_goes_on_from_an_offset_page(owner: Client, events: list[str]) -> None:
    first = owner.get(PATH, query={"limit": "5", "offset": "10"})
    assert ids(first) == events[10:15]
    assert ids(owner.get(PATH, query={"limit": "5", "cursor": first.json["next_cursor"]})) == events[15:20]


def test_another_spelling_of_the_same_query_is_the_same(owner: Client, events: list[str]) -> None:
    assert events
    made = owner.logs(f"type:ssh organization:{A}", limit="2").json["next_cursor"]
    assert owner.logs(f'organization:{A.upper()}  "type":SSH', limit="2", cursor=made).status == 200


def test_a_cursor_carries_the_count_so_that_the_next_pages_do_not_count_again(
    owner: Client, events: list[str], transport: ObservedTransport
) -> None:
    first = owner.logs("type:ssh", limit="2").json
    transport.requests.clear()
    pages = list(walk(owner, q="type:ssh", limit="2", cursor=first["next_cursor"]))
    assert {page.json["count"] for page in pages} == {first["count"]} == {15}
    assert len(pages) == 7
    assert not any(request.get("Select") == "COUNT" for _, request in transport.requests)
    assert events
    assert "count" not in owner.logs("type:ssh", limit="2", cursor=first["next_cursor"], count="false").json


def test_a_count_is_carried_for_those_alone_who_may_see_the_same_rows(
    owner: Client, house: House, events: list[str]
) -> None:
    auditor = house.client(house.user("bob", organizations={A: ("organization-auditor",)}))
    own = auditor.get(PATH, query={"limit": "4"}).json
    assert (own["count"], owner.get(PATH, query={"limit": "4"}).json["count"]) == (20, 30)
    for_all = owner.get(PATH, query={"limit": "4"}).json["next_cursor"]
    assert auditor.get(PATH, query={"limit": "4", "cursor": for_all}).json["count"] == 20
    assert owner.get(PATH, query={"limit": "4", "cursor": own["next_cursor"]}).json["count"] == 30
    assert events


OLD_CURSOR = "ATBP0Mt_RTIwMjUtMDctMTBUMTI6MDA6MDAuMDAwMDAwIzFhMmJiNjdlLTAxMTctNDE2OC05MmUwLTU4MTM4OTg5YTdmNSAw"


def test_a_cursor_of_an_earlier_version_goes_on_and_is_counted(owner: Client, events: list[str]) -> None:
    page = owner.get(PATH, query={"limit": "5", "cursor": OLD_CURSOR}).json
    assert ([row["id"] for row in page["connection_logs"]], page["count"]) == (events[:5], 30)


ROUND_TRIPS = 4


@pytest.mark.parametrize(
    "query",
    ["", "type:ssh", "type:ssh status:ongoing", "status:completed", f"organization:{A}", "workspace_owner:me"],
)
def test_a_counted_page_takes_four_round_trips_the_token_check_included(
    owner: Client, events: list[str], transport: ObservedTransport, query: str
) -> None:
    assert events
    transport.requests.clear()
    sizes: list[int] = []
    with rounds_heard_by(sizes.append):
        reply = owner.logs(query, limit="5")
    assert "count" in reply.json
    alone = len(transport.requests) - sum(sizes)
    assert alone + sum(ceil(size / IN_FLIGHT) for size in sizes) <= ROUND_TRIPS


def test_a_partial_page_says_down_to_which_time_it_has_come(
    owner: Client, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    query = f"type:ssh organization:{A}"
    assert "scanned_to" not in owner.logs(query, limit="2").json
    limited(monkeypatch, 4)
    pages = list(walk(owner, q=query, limit="5", count="false"))
    times = [page.json["scanned_to"] for page in pages[:-1]]
    assert times == sorted(times, reverse=True)
    assert {*times} <= {"2025-07-10T10:00:00Z", "2025-07-10T10:00:01Z", "2025-07-10T10:00:02Z"}
    assert "scanned_to" not in pages[-1].json
    assert events


def test_a_cursor_of_another_filter_or_another_log_is_refused(
    owner: Client, events: list[str], assert_error: CheckError
) -> None:
    assert events
    made = owner.logs("type:ssh", limit="2").json["next_cursor"]
    place = cursor.decode(made, "connection", Filter(fields=(("type", frozenset({"ssh"})),)))
    foreign = cursor.encode(place, "audit", Filter(fields=(("type", frozenset({"ssh"})),)))
    for query, text in (("", made), ("type:vscode", made), ("type:ssh status:ongoing", made), ("type:ssh", foreign)):
        reply = owner.logs(query, limit="2", cursor=text)
        assert reply.status == 400
        assert assert_error(reply) == {
            "message": "Query parameters have invalid values.",
            "validations": [{"field": "cursor", "detail": CURSOR}],
        }


PLACE = position(datetime(2025, 7, 10, 12, tzinfo=UTC), A)
GOOD = cursor.encode(Cursor(PLACE, 3), "audit", EVERYTHING)
COUNTED = Cursor(PLACE, 0, CarriedCount(1_234, "0a1b2c3d"))


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=500) | st.binary(max_size=90).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_no_text_is_a_cursor_but_one_that_was_made(text: str) -> None:
    if text != GOOD:
        with pytest.raises(WrongCursor):
            cursor.decode(text, "audit", EVERYTHING)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.characters(codec="ascii"))
def test_a_cursor_with_one_character_changed_is_refused(index: int, letter: str) -> None:
    changed = GOOD[:index] + letter + GOOD[index + 1 :]
    if changed != GOOD:
        with pytest.raises(WrongCursor):
            cursor.decode(changed, "audit", EVERYTHING)
    assert cursor.decode(GOOD, "audit", EVERYTHING) == Cursor(PLACE, 3)
    with pytest.raises(WrongCursor):
        cursor.decode(GOOD, "audit", NOTHING)


@pytest.mark.parametrize("place", ["", "x", "2025-07-10", PLACE + "\n", "z" + PLACE])
def test_a_cursor_must_be_a_position(place: str) -> None:
    assert cursor.decode(cursor.encode(COUNTED, "audit", EVERYTHING), "audit", EVERYTHING) == COUNTED
    text = cursor.encode(Cursor(place), "audit", EVERYTHING)
    with pytest.raises(WrongCursor):
        cursor.decode(text, "audit", EVERYTHING)


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"cursor": GOOD, "offset": "1"}, 'Query param "cursor" cannot be combined with offset'),
        ({"cursor": GOOD, "after_id": A}, 'Query param "cursor" cannot be combined with after_id'),
        (
            {"cursor": GOOD, "offset": "1", "after_id": A},
            'Query param "cursor" cannot be combined with offset or after_id',
        ),
        ({"cursor": "x"}, CURSOR),
    ],
)
def test_one_start_is_enough(owner: Client, assert_error: CheckError, query: Mapping[str, str], detail: str) -> None:
    reply = owner.get(PATH, query=query)
    assert reply.status == 400
    assert assert_error(reply)["validations"] == [{"field": "cursor", "detail": detail}]


def test_a_row_that_is_not_there_or_may_not_be_seen_is_nothing_to_begin_after(
    owner: Client, house: House, events: list[str], assert_error: CheckError, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = house.client(house.user("bob", organizations={A: ("organization-auditor",)}))
    seen = ids(auditor.get(PATH))
    hidden = next(row for row in events if row not in seen)
    refused = [
        assert_error(client.get(PATH, query={"after_id": row}))
        for client, row in ((owner, str(uuid4())), (auditor, hidden))
    ]
    assert refused[0] == refused[1]
    assert refused[0]["validations"] == [
        {"field": "after_id", "detail": 'Query param "after_id" is not the id of a row'}
    ]
    assert ids(auditor.get(PATH, query={"after_id": seen[3]})) == seen[4:]
    one = house.client(house.user("eve", "auditor"), allow_list=(f"connection_log:{events[0]}",))
    assert one.get(PATH, query={"after_id": events[1]}).status == 400
    assert one.get(PATH, query={"after_id": events[0]}).status == 200
    monkeypatch.setattr(holds, "current", lambda: Settings(connection_logs_retention=1_000_000_000))
    assert owner.get(PATH, query={"after_id": events[0]}).status == 400


def test_a_cursor_of_somebody_else_shows_no_row_that_the_caller_may_not_see(
    owner: Client, house: House, events: list[str]
) -> None:
    auditor = house.client(house.user("bob", organizations={A: ("organization-auditor",)}))
    seen = ids(auditor.get(PATH))
    made = owner.get(PATH, query={"limit": "9"}).json["next_cursor"]
    assert ids(auditor.get(PATH, query={"cursor": made})) == [row for row in events[9:] if row in seen]


@pytest.mark.parametrize("query", ["", "type:ssh", f"type:ssh organization:{A}"])
def test_a_count_may_be_left_out(owner: Client, events: list[str], query: str, transport: ObservedTransport) -> None:
    assert events
    body = owner.logs(query, limit="2", count="false").json
    assert set(body) == {"connection_logs", "next_cursor"}
    assert not any(request.get("Select") == "COUNT" for _, request in transport.requests)
    assert owner.logs(query, limit="2", count="true").json["count"] > 2


TOKEN_CHECK = ["GetItem", "GetItem"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Query", "Query", "BatchGetItem"]),
        ({"limit": "5"}, ["Query", "Query", "BatchGetItem"]),
        ({"limit": "5", "offset": "5"}, ["Query", "Query", "Query", "BatchGetItem"]),
        ({"limit": "5", "count": "false"}, ["Query", "BatchGetItem"]),
        ({"limit": "5", "q": "type:workspace_app"}, ["Query", "Query", "BatchGetItem"]),
        ({"limit": "5", "q": "type:ssh status:ongoing"}, ["Query", "Query", "BatchGetItem"]),
        ({"limit": "5", "q": "workspace_owner:me", "count": "false"}, []),
    ],
)
def test_a_page_takes_at_most_four_calls(
    owner: Client, events: list[str], transport: ObservedTransport, query: dict[str, str], expected: list[str]
) -> None:
    assert events
    transport.requests.clear()
    assert owner.get(PATH, query=query).status == 200
    operations = transport.operations
    assert operations[:2] == TOKEN_CHECK
    assert operations[2:] == (expected or ["Query"])
    assert len(operations) <= len(TOKEN_CHECK) + 4


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("workspace_owner:ann type:ssh", {"users": 2, "organizations": 0}),
        ("organization:Acme type:ssh", {"users": 1, "organizations": 1}),
        ("organization:acme workspace_owner_email:ANN@example.com", {"users": 2, "organizations": 1}),
    ],
)
def test_names_are_looked_up_in_the_call_that_reads_the_user(
    owner: Client,
    house: House,
    make_event: Callable[..., dict[str, Any]],
    query: str,
    keys: dict[str, int],
    transport: ObservedTransport,
) -> None:
    ann, acme = house.user("ann"), house.organization("acme")
    events = [
        make_event(workspace_owner_id=ann.id, organization_id=acme.id, time=f"2025-07-10T10:00:0{number}Z")
        for number in range(3)
    ]
    assert owner.post(PATH, {"events": events}).status == 200
    transport.requests.clear()
    reply = owner.logs(query, limit="2")
    assert (len(ids(reply)), reply.json["count"]) == (2, 3)
    assert transport.operations[:2] == ["GetItem", "BatchGetItem"]
    asked = transport.requests[1][1]["RequestItems"]
    assert {name: len(asked.get(f"gatebook-{name}", {"Keys": []})["Keys"]) for name in keys} == keys
    assert all(request["ConsistentRead"] for request in asked.values())
    assert len(transport.requests) <= len(TOKEN_CHECK) + 4


def test_a_name_that_cannot_be_looked_up_ahead_is_told_as_ever(owner: Client, house: House) -> None:
    house.organization("acme")
    assert owner.logs(f"workspace_owner:{'x' * 2_000}").json["count"] == 0
    assert owner.logs("organization:nobody").status == 400
    assert owner.logs("organization:acme :broken").status == 400


@pytest.mark.parametrize("offset", ["1", "12", "29", "30", "99"])
def test_an_offset_is_counted_and_not_read(
    owner: Client, events: list[str], transport: ObservedTransport, offset: str
) -> None:
    transport.requests.clear()
    reply = owner.get(PATH, query={"offset": offset, "limit": "5"})
    assert ids(reply) == events[int(offset) : int(offset) + 5]
    assert reply.json["count"] == 30
    read = [request for operation, request in transport.requests if operation == "Query" and "Select" not in request]
    assert sum(request["Limit"] for request in read) <= 6


def limited(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(answer_limits, "current", lambda: Settings(max_rows_read=rows))


def test_a_query_that_reads_too_much_says_so_and_how_to_go_on(
    owner: Client, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What no lane answers together: rows of one organization and one type.
    query = f"type:ssh organization:{A}"
    whole = ids(owner.logs(query))
    limited(monkeypatch, 4)
    pages = list(walk(owner, q=query, limit="5", count="false"))
    assert [row for page in pages for row in ids(page)] == whole
    assert len(pages) > 3
    assert all(page.json.get("partial") is True for page in pages[:-1])
    assert "partial" not in pages[-1].json
    counted = owner.logs(query, limit="5").json
    assert (counted["partial"], counted["count"]) == (True, len(counted["connection_logs"]))
    assert events


def test_a_page_that_is_whole_but_not_counted_says_so(
    owner: Client, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, 6)
    body = owner.get(PATH, query={"limit": "5"}).json
    assert [row["id"] for row in body["connection_logs"]] == events[:5]
    assert (body["count"], body["count_partial"]) == (6, True), "five, and one that another page has"
    assert "partial" not in body


def test_no_count_is_less_than_the_rows_beside_it(
    house: House, owner: Client, make_event: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen = [make_event(id=str(uuid4()), organization_id=B, time=f"2025-07-10T10:00:{n:02}Z") for n in range(20, 50)]
    seen = [make_event(id=str(uuid4()), organization_id=A, time=f"2025-07-10T10:00:{n:02}Z") for n in range(3)]
    assert owner.post(PATH, {"events": [*unseen, *seen]}).status == 200
    auditor = house.client(house.user("bob", organizations={A: ("organization-auditor",)}))
    limited(monkeypatch, 10)
    hidden = {row["id"] for row in owner.logs(f"organization:{B}").json["connection_logs"]}
    query = f"workspace_id:{unseen[0]['workspace_id']}"
    pages = list(walk(auditor, q=query, limit="5"))
    assert [len(ids(page)) for page in pages if ids(page)] == [3]
    assert all(page.json["count"] >= len(ids(page)) for page in pages)
    assert all("partial" not in page.json or "next_cursor" in page.json for page in pages)
    for page in pages[:-1]:
        decoded = base64.urlsafe_b64decode(page.json["next_cursor"] + "==").decode(errors="replace")
        assert not any(row in decoded for row in hidden), "a cursor tells no row that the caller may not see"


def test_rows_of_one_moment_that_the_caller_may_not_see_are_got_over(
    house: House, owner: Client, make_event: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [make_event(organization_id=B) for _ in range(25)] + [make_event(organization_id=A) for _ in range(5)]
    assert owner.post(PATH, {"events": events}).status == 200
    auditor = house.client(house.user("bob", organizations={A: ("organization-auditor",)}))
    limited(monkeypatch, 4)
    pages = list(walk(auditor, q=f"workspace_id:{events[0]['workspace_id']}", limit="2", count="false"))
    met = [row for page in pages for row in ids(page)]
    assert len(met) == len({*met}) == 5


def test_a_limit_beyond_what_an_answer_holds_is_gone_on_from(
    owner: Client, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_limits, "MOST_ROWS", 12)
    pages = list(walk(owner, limit="2147483647"))
    assert [len(ids(page)) for page in pages] == [12, 12, 6]
    assert [page.json.get("partial") for page in pages] == [True, True, None]
    assert [row for page in pages for row in ids(page)] == events


@pytest.mark.parametrize("text", ["a", '"\\', "ж", "\U0001f600", "<>&", "\x7f", "\x7fж", "\x1f"])
def test_an_answer_is_measured_as_lambda_sends_it(text: str) -> None:
    body = encoded([{"user_agent": text * 100}]).text[1:-1]
    assert 0 <= bytes_sent(body) - (len(json.dumps(body)) - 2) <= 2
    assert may_be_sent(body) >= bytes_sent(body) - 2


def test_near_the_deadline_every_page_still_gets_on(
    owner: Client, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_limits, "ANSWERING_SECONDS", 60.0)
    pages = list(walk(owner, limit="7", offset="5", count="false"))
    assert [row for page in pages for row in ids(page)] == events[5:]
    late = owner.get(PATH, query={"limit": "7"}).json
    assert late["count_partial"] is True
    assert late["count"] == 8


def test_an_answer_stays_below_what_lambda_sends(
    owner: Client, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_limits, "LARGEST_ANSWER", 2_500)
    pages = list(walk(owner, limit="30"))
    assert [row for page in pages for row in ids(page)] == events
    assert all(0 < len(ids(page)) < 10 for page in pages)
    assert all(page.json.get("partial") is True for page in pages[:-1])
    monkeypatch.setattr(answer_limits, "LARGEST_ANSWER", 1)
    assert len(ids(owner.get(PATH))) == 1


def test_a_plan_is_explained(owner: Client, house: House, events: list[str]) -> None:
    assert events
    body = owner.logs("type:ssh status:ongoing", limit="5", explain="true").json
    assert len(body["connection_logs"]) == 5
    assert body["explain"] == {
        "lane": "status_type",
        "keys": ["ongoing:ssh#0"],
        "why": (
            "Lane status_type: of the lanes that the deployment keeps it answers most of the query: status, type;"
            " nothing is left to check."
        ),
        "residual": {},
        "conditions": [],
        "rows_read": 6 + 15,
        "calls": 3,
        "read_units": pytest.approx(0.5 + 5 * 0.5 + 1),
    }
    assert house.client(house.user("eve", "auditor")).logs("", explain="true").status == 200
    nothing = owner.logs("type:ssh username:nobody", explain="true").json["explain"]
    assert (nothing["lane"], nothing["keys"], nothing["rows_read"]) == ("", [], 0)
    assert "explain" not in owner.logs("", explain="false").json


@pytest.mark.parametrize("organizations", [{}, {A: ("organization-auditor",)}, {A: ("organization-admin",)}])
def test_plans_are_for_those_who_may_read_the_whole_log(
    house: House, assert_error: CheckError, organizations: dict[str, tuple[str, ...]]
) -> None:
    reply = house.client(house.user("bob", organizations=organizations)).logs("", explain="true")
    assert reply.status == 403
    assert assert_error(reply)["message"] == "Forbidden."


def test_single_rows_of_an_allow_list_are_read_by_id(
    house: House, root: User, events: list[str], transport: ObservedTransport
) -> None:
    named = tuple(f"connection_log:{row}" for row in (*events[3:9], str(uuid4())))
    caller = house.client(root, allow_list=(*named, "user:*", "organization:*"))
    transport.requests.clear()
    body = caller.logs("", explain="true", limit="4").json
    assert [row["id"] for row in body["connection_logs"]] == events[3:7]
    assert (body["count"], body["explain"]["lane"], body["explain"]["rows_read"]) == (6, "id", 6)
    assert "Query" not in transport.operations
    assert [row for page in walk(caller, limit="4") for row in ids(page)] == events[3:9]


def test_a_lane_that_is_off_costs_rows_and_no_answer(
    owner: Client, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ids(owner.logs(f"type:ssh organization:{A}"))
    settings = Settings(
        connection_lanes=Settings().connection_lanes._replace(read=Settings().connection_lanes.read[-1:])
    )
    monkeypatch.setattr(log_tables, "current", lambda: settings)
    body = owner.logs(f"type:ssh organization:{A}", explain="true").json
    assert [row["id"] for row in body["connection_logs"]] == rows
    assert (body["explain"]["lane"], body["explain"]["rows_read"]) == ("all", len(events))
    assert set(body["explain"]["residual"]) == {"type", "organization_id"}
