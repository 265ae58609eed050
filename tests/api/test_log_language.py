"""Queries that leave out and choose, single rows, and summaries agree with a naive reader."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import times
from chalicelib.api import answer_limits, log_summary
from chalicelib.retention import holds
from chalicelib.settings import Settings
from tests.api.conftest import Client, House

PATH = "/api/v2/connectionlog"
AUDIT = "/api/v2/audit"
NIL = "00000000-0000-0000-0000-000000000000"
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
Event = Callable[..., dict[str, Any]]


def ago(minutes: int) -> str:
    return times.wire(NOW - timedelta(minutes=minutes))


TYPES = ("ssh", "vscode", "jetbrains", "workspace_app")
ADDRESSES = ("10.0.0.1", "10.0.7.9", "192.0.2.1", "2001:db8::1", None)
WORKSPACES = ("dev", "Prod", "lab")


@pytest.fixture
def rows(owner: Client, house: House, make_event: Event) -> list[dict[str, Any]]:
    """Sixty connections, one a minute, and what was sent of each, newest first."""
    acme = house.organization("acme")
    sent = []
    for index in range(60):
        kind = TYPES[index % len(TYPES)]
        event = make_event(
            id=str(uuid4()),
            organization_id=acme.id,
            connection_id=None if kind == "workspace_app" else str(uuid4()),
            time=times.wire(NOW - timedelta(minutes=index)),
            type=kind,
            ip=ADDRESSES[index % len(ADDRESSES)],
            workspace_name=WORKSPACES[index % len(WORKSPACES)],
            slug_or_port="code" if kind == "workspace_app" else "",
            code=200 if kind == "workspace_app" else None,
        )
        sent.append({name: value for name, value in event.items() if value is not None})
    assert owner.post(PATH, sent).status == 200
    return sent


def answered(owner: Client, query: str, **more: str) -> list[dict[str, Any]]:
    reply = owner.logs(query, **{"limit": "100", **more})
    assert reply.status == 200, reply.text
    listed: list[dict[str, Any]] = reply.json["connection_logs"]
    assert reply.json["count"] == len(listed)
    return listed


def moments(rows: list[dict[str, Any]]) -> list[str]:
    return [row.get("connect_time") or row["time"] for row in rows]


def inside(row: dict[str, Any], network: str) -> bool:
    return "ip" in row and ip_address(row["ip"]) in ip_network(network)


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("type:ssh,vscode", lambda row: row["type"] in ("ssh", "vscode")),
        ("-type:ssh", lambda row: row["type"] != "ssh"),
        ("-type:ssh,workspace_app", lambda row: row["type"] in ("vscode", "jetbrains")),
        ("type:ssh,vscode -type:ssh", lambda row: row["type"] == "vscode"),
        ("type:ssh -type:ssh", lambda _: False),
        ("ip:10.0.0.0/8", lambda row: inside(row, "10.0.0.0/8")),
        ("ip:10.0.0.1", lambda row: row.get("ip") == "10.0.0.1"),
        ("-ip:10.0.0.0/8", lambda row: not inside(row, "10.0.0.0/8")),
        ('ip:"2001:db8::/32"', lambda row: inside(row, "2001:db8::/32")),
        ('-ip:10.0.0.1,"2001:db8::1"', lambda row: row.get("ip") not in ("10.0.0.1", "2001:db8::1")),
        ("workspace:prod", lambda row: row["workspace_name"] == "Prod"),
        ("workspace:dev,LAB -type:ssh", lambda row: row["workspace_name"] != "Prod" and row["type"] != "ssh"),
        ("-workspace:dev", lambda row: row["workspace_name"] != "dev"),
        ("agent:MAIN", lambda row: row["agent_name"] == "main"),
        ("-agent:main", lambda row: row["agent_name"] != "main"),
        ("status:ongoing -type:vscode", lambda row: row["type"] in ("ssh", "jetbrains")),
        ("-status:ongoing", lambda row: row["type"] == "workspace_app"),
        ("-status:completed", lambda _: True),
        pytest.param(
            f'after:"{times.wire(NOW - timedelta(minutes=9))}"',
            lambda row: row["time"] >= times.wire(NOW - timedelta(minutes=9)),
            id="after a moment",  # each process has its own moment, and must give the test the same name
        ),
        pytest.param(
            f'before:"{times.wire(NOW - timedelta(minutes=50))}"',
            lambda row: row["time"] <= times.wire(NOW - timedelta(minutes=50)),
            id="before a moment",  # each process has its own moment, and must give the test the same name
        ),
        ("after:-24h", lambda _: True),
        ("before:-24h", lambda _: False),
        ("after:2020-01-01 before:2020-01-02", lambda _: False),
    ],
)
def test_rows_are_those_that_a_naive_reader_keeps(
    owner: Client, rows: list[dict[str, Any]], query: str, matches: Callable[[dict[str, Any]], bool]
) -> None:
    assert moments(answered(owner, query)) == [row["time"] for row in rows if matches(row)]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.sets(st.sampled_from(TYPES)),
    without=st.sets(st.sampled_from(TYPES)),
    workspaces=st.sets(st.sampled_from(WORKSPACES)),
    network=st.sampled_from(["", "10.0.0.0/8", "192.0.2.1"]),
    excluded=st.booleans(),
)
def test_any_mixture_of_keys_is_their_conjunction(
    owner: Client,
    rows: list[dict[str, Any]],
    kinds: set[str],
    without: set[str],
    workspaces: set[str],
    network: str,
    excluded: bool,
) -> None:
    parts = [f"type:{','.join(kinds)}"] if kinds else []
    parts += [f"-type:{','.join(without)}"] if without else []
    parts += [f"workspace:{','.join(workspaces)}"] if workspaces else []
    parts += [f"{'-' if excluded else ''}ip:{network}"] if network else []
    expected = [
        row["time"]
        for row in rows
        if (not kinds or row["type"] in kinds)
        and row["type"] not in without
        and (not workspaces or row["workspace_name"] in workspaces)
        and (not network or inside(row, network) is not excluded)
    ]
    assert moments(answered(owner, " ".join(parts))) == expected


def test_pages_of_what_is_left_out_follow_each_other(owner: Client, rows: list[dict[str, Any]]) -> None:
    met: list[str] = []
    page: dict[str, str] = {}
    while True:
        body = owner.logs("-type:ssh after:-24h", limit="7", **page).json
        met += moments(body["connection_logs"])
        if "next_cursor" not in body:
            break
        page = {"cursor": body["next_cursor"]}
    assert met == [row["time"] for row in rows if row["type"] != "ssh"]


def test_explain_names_what_is_checked_row_by_row(owner: Client, rows: list[dict[str, Any]]) -> None:
    assert rows
    explained = owner.logs("-type:ssh ip:10.0.0.0/8", explain="true").json["explain"]
    assert explained["conditions"] == ["type excludes ssh", "ip within 10.0.0.0/8"]


def test_one_row_is_answered_as_in_the_list(owner: Client, house: House, rows: list[dict[str, Any]]) -> None:
    assert rows
    (listed, *_) = owner.logs(limit="1").json["connection_logs"]
    assert owner.get(f"{PATH}/{listed['id']}").json == listed
    assert owner.post(f"{AUDIT}/testgenerate", {"resource_type": "template", "action": "write"}).status == 204
    (audited, *_) = owner.get(AUDIT, query={"limit": "1"}).json["audit_logs"]
    assert owner.get(f"{AUDIT}/{audited['id']}").json == audited
    stranger = house.client(house.user("nobody"))
    for path in (f"{PATH}/{listed['id']}", f"{PATH}/{uuid4()}"):
        assert stranger.get(path).status == 404
    assert stranger.get(f"{AUDIT}/{audited['id']}").status == 403
    assert owner.get(f"{PATH}/{uuid4()}").status == 404
    assert owner.get(f"{AUDIT}/{uuid4()}").status == 404
    assert owner.get(f"{PATH}/not-an-id").json["validations"][0]["field"] == "id"


def test_one_row_of_another_organization_or_past_its_time_does_not_exist(
    owner: Client, house: House, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows
    (listed, *_) = owner.logs(limit="1").json["connection_logs"]
    other = house.organization("other")
    auditor = house.client(house.user("aud", organizations={other.id: ("organization-auditor",)}))
    assert auditor.get(f"{PATH}/{listed['id']}").status == 404
    monkeypatch.setattr(holds, "current", lambda: Settings(connection_logs_retention=1_000))
    assert owner.get(f"{PATH}/{listed['id']}").status == 404


def test_the_keys_of_each_log_are_there_for_completion(owner: Client) -> None:
    for path, key in ((PATH, "workspace_owner"), (AUDIT, "resource_target")):
        body = owner.get(f"{path}/filters").json
        assert key in {one["key"] for one in body["filters"]}
        assert {"key", "kind", "values", "about", "excludes"} == set(body["filters"][0])
        assert set(body["facets"]) <= {one["key"] for one in body["filters"]}
    assert Client().get(f"{PATH}/filters").status == 401


def summary(owner: Client, path: str = PATH, **query: str) -> dict[str, Any]:
    reply = owner.get(f"{path}/summary", query=query)
    assert reply.status == 200, reply.text
    body: dict[str, Any] = reply.json
    return body


SPAN = {"from": times.wire(NOW - timedelta(minutes=60)), "to": times.wire(NOW + timedelta(minutes=1))}


@pytest.fixture(params=[2_000, 10], ids=["all rows are read", "the newest are read and others counted"])
def sample_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    number: int = request.param
    monkeypatch.setattr(log_summary, "SAMPLE_ROWS", number)
    return number


def test_buckets_and_closed_lists_are_counted_exactly(
    owner: Client, rows: list[dict[str, Any]], sample_rows: int
) -> None:
    body = summary(owner, buckets="6", facets="type,status", **SPAN)
    assert body["partial"] is False
    assert body["approximate"] is False
    assert sum(one["count"] for one in body["buckets"]) == len(rows)
    for bucket in body["buckets"]:
        within = [row for row in rows if bucket["from"] <= row["time"] < bucket["to"]]
        assert bucket["count"] == len(within)
        if "values" in bucket:
            assert bucket["values"] == Counter(row["type"] for row in within)
    assert "values" in body["buckets"][-1] or sample_rows == 10
    assert {one["value"]: one["count"] for one in body["facets"]["type"]} == Counter(row["type"] for row in rows)
    sessions = [row for row in rows if row["type"] != "workspace_app"]
    assert body["facets"]["status"] == [{"value": "ongoing", "count": len(sessions)}]


def test_a_filter_narrows_every_number(owner: Client, rows: list[dict[str, Any]], sample_rows: int) -> None:
    assert sample_rows
    body = summary(owner, q="-type:ssh workspace:dev,prod", buckets="3", facets="type", **SPAN)
    expected = Counter(row["type"] for row in rows if row["type"] != "ssh" and row["workspace_name"] != "lab")
    assert sum(one["count"] for one in body["buckets"]) == expected.total()
    assert {one["value"]: one["count"] for one in body["facets"]["type"]} == expected


def test_open_fields_of_many_rows_are_those_of_the_newest_and_said_to_be(
    owner: Client, rows: list[dict[str, Any]], sample_rows: int
) -> None:
    body = summary(owner, facets="workspace,ip", **SPAN)
    assert body["approximate"] is (sample_rows < len(rows))
    counted = rows if sample_rows > len(rows) else rows[:sample_rows]
    names = Counter(row["workspace_name"].lower() for row in counted)
    assert {one["value"]: one["count"] for one in body["facets"]["workspace"]} == names


def test_users_and_organizations_have_their_names(owner: Client, rows: list[dict[str, Any]]) -> None:
    body = summary(owner, facets="organization,workspace_owner", **SPAN)
    assert [(one["name"], one["count"]) for one in body["facets"]["organization"]] == [("acme", len(rows))]


def test_a_count_beyond_its_cap_is_partial(
    owner: Client, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows
    monkeypatch.setattr(log_summary, "SAMPLE_ROWS", 1)
    monkeypatch.setattr(log_summary, "MOST_COUNTED", 5)
    body = summary(owner, buckets="2", facets="type", **SPAN)
    assert body["partial"] is True
    assert [one["count"] for one in body["buckets"]] == [5, 5]
    assert all(one == {"value": one["value"], "count": 5, "partial": True} for one in body["facets"]["type"])


def test_a_summary_is_of_what_the_caller_may_see(owner: Client, house: House, rows: list[dict[str, Any]]) -> None:
    other = house.organization("other")
    acme = rows[0]["organization_id"]
    theirs = house.client(house.user("a", organizations={acme: ("organization-auditor",)}))
    not_theirs = house.client(house.user("b", organizations={other.id: ("organization-auditor",)}))
    assert sum(one["count"] for one in summary(theirs, **SPAN)["buckets"]) == len(rows)
    assert sum(one["count"] for one in summary(not_theirs, **SPAN)["buckets"]) == 0
    assert not_theirs.get(f"{PATH}/summary", query={"explain": "true"}).status == 403
    explained = summary(owner, explain="true", **SPAN)["explain"]
    assert explained["rows_read"] == len(rows)
    assert explained["calls"] >= 1
    assert house.client(house.user("c")).get(f"{AUDIT}/summary").status == 403


def test_a_summary_of_the_audit_log_is_by_action(owner: Client, rows: list[dict[str, Any]]) -> None:
    assert rows
    for action in ("create", "create", "delete"):
        assert owner.post(f"{AUDIT}/testgenerate", {"resource_type": "template", "action": action}).status == 204
    body = summary(owner, AUDIT, facets="action,resource_type")
    assert [one["count"] for one in body["facets"]["resource_type"]] == [3]
    listed = owner.get(AUDIT, query={"limit": "100"}).json["audit_logs"]
    assert sum(one["count"] for one in body["buckets"]) == len(listed)
    assert {one["value"]: one["count"] for one in body["facets"]["action"]} == Counter(row["action"] for row in listed)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"buckets": "121"}, "buckets"),
        ({"buckets": "x"}, "buckets"),
        ({"facets": "type,nonsense"}, "facets"),
        ({"from": "yesterday"}, "from"),
        ({"from": "-1h", "to": "-2h"}, "from"),
        ({"q": "type:x"}, "type"),
    ],
)
def test_wrong_questions_are_answered_with_what_is_wrong(owner: Client, query: dict[str, str], field: str) -> None:
    reply = owner.get(f"{PATH}/summary", query=query)
    assert reply.status == 400
    assert reply.json["validations"][0]["field"] == field


def test_a_summary_reads_no_more_rows_than_its_budget(
    owner: Client, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows
    monkeypatch.setattr(answer_limits, "current", lambda: Settings(max_rows_read=100))
    monkeypatch.setattr(log_summary, "SAMPLE_ROWS", 5)
    body = summary(owner, explain="true", facets="type,status", **SPAN)
    assert body["explain"]["rows_read"] <= 100


def test_failed_logins_and_what_a_token_did_are_found(owner: Client) -> None:
    events = [
        {
            "id": str(uuid4()),
            "time": ago(minute),
            "user_id": NIL,
            "action": "login",
            "resource_type": "api_key",
            "resource_id": NIL,
            "resource_target": "key",
            "status_code": code,
            "additional_fields": {"api_key_id": key_id, "more": random.Random(minute).randbytes(size).hex()},
        }
        for minute, (code, key_id, size) in enumerate(
            [(201, "Gbk_One", 0), (401, "gbk_two", 0), (403, "gbk_one", 9_000), (401, "gbk_one" * 100, 0), (401, 7, 0)]
        )
    ]
    assert owner.post(AUDIT, events).status == 200
    ids = [event["id"] for event in events]

    def matches(query: str) -> list[int]:
        answer = owner.get(AUDIT, query={"q": query})
        assert answer.status == 200, answer.json
        return [ids.index(row["id"]) for row in answer.json["audit_logs"] if row["id"] in ids]

    assert matches("action:login status_code:401,403") == [1, 2, 3, 4]
    assert matches("action:login -status_code:401") == [0, 2]
    assert matches("status_code:0403") == [2]
    assert matches("api_key_id:gbk_ONE") == [0, 2], "whatever its case, and where the row is too long for its lanes"
    assert matches("action:login -api_key_id:gbk_one") == [1, 3, 4]
    wrong = owner.get(AUDIT, query={"q": "status_code:4xx"})
    assert (wrong.status, wrong.json["validations"][0]["field"]) == (400, "status_code")
