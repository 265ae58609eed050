"""A log in order of arrival: whoever follows it meets every event, late ones and changed sessions included."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from chalicelib.api import answer_limits, arrivals, log_pages
from chalicelib.retention import holds
from chalicelib.settings import Settings, load
from chalicelib.store.logs import arrivals as arrivals_read
from chalicelib.store.logs import audit_rows, connection_requests
from chalicelib.store.logs import tables as log_tables

if TYPE_CHECKING:
    from tests.api.conftest import Client, Clock, House, Reply

Event = Callable[..., dict[str, Any]]
CheckError = Callable[["Reply"], dict[str, Any]]
CONNECTIONS, AUDIT = "/api/v2/connectionlog", "/api/v2/audit"
SETTLED = timedelta(seconds=36)


@pytest.fixture(params=["1", "3"])
def lanes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A deployment that keeps the lane, with one shard and with several."""
    made = load(
        {
            "GATEBOOK_CONNECTION_LANES": "*,arrival",
            "GATEBOOK_AUDIT_LANES": "*,arrival",
            "GATEBOOK_LOG_SHARDS": request.param,
        }
    )
    for module in (connection_requests, audit_rows, log_tables, arrivals_read, log_pages):
        monkeypatch.setattr(module, "current", lambda: made)
    return made


class Follower:
    """Follows a log by its cursor, as a SIEM does, and keeps the newest revision of each row."""

    def __init__(self, client: Client, path: str = CONNECTIONS, **query: str) -> None:
        self._client = client
        self._path = path
        self._query = {"order": "arrival", **query}
        self.kept: dict[str, dict[str, Any]] = {}
        self.met: list[tuple[str, int]] = []

    def poll(self) -> dict[str, Any]:
        """Read until nothing more is there, and answer with the last page."""
        while True:
            reply = self._client.get(self._path, query=self._query)
            assert reply.status == 200, reply.text
            body: dict[str, Any] = reply.json
            (rows,) = (value for name, value in body.items() if name.endswith("_logs"))
            self._query["cursor"] = body["next_cursor"]
            assert reply.headers["link"].endswith('>; rel="next"')
            for row in rows:
                self.met.append((row["id"], row["revision"]))
                if row["revision"] >= self.kept.get(row["id"], row)["revision"]:
                    self.kept[row["id"]] = row
            if not rows and "partial" not in body:
                return body


@pytest.mark.usefixtures("lanes")
def test_late_events_and_ends_of_sessions_arrive_in_their_turn(owner: Client, make_event: Event, clock: Clock) -> None:
    follower = Follower(owner, limit="2")
    first = make_event(time="2025-07-10T10:00:00Z")
    assert owner.post(CONNECTIONS, [first, make_event(time="2025-07-10T11:00:00Z")]).status == 200
    assert follower.poll()["settled_to"] < clock.moment.isoformat()
    assert follower.met == [], "what may not be settled yet is not answered"
    clock.forward(SETTLED)
    follower.poll()
    assert len(follower.met) == 2
    late = make_event(time="2024-01-01T00:00:00Z")
    end = {**first, "connection_status": "disconnected", "time": "2025-07-10T10:30:00Z", "code": 0}
    assert owner.post(CONNECTIONS, [late]).status == 200
    clock.forward(timedelta(seconds=1))
    assert owner.post(CONNECTIONS, [end]).status == 200
    clock.forward(SETTLED)
    follower.poll()
    assert [revision for _, revision in follower.met[2:]] == [1, 2]
    ended = follower.kept[follower.met[3][0]]
    assert ended["ssh_info"]["disconnect_time"] == "2025-07-10T10:30:00Z"
    assert follower.met[3][0] in [row_id for row_id, _ in follower.met[:2]]


@pytest.mark.usefixtures("lanes")
@pytest.mark.parametrize("seed", range(3))
def test_no_event_of_writers_who_are_slow_is_missed(owner: Client, make_event: Event, clock: Clock, seed: int) -> None:
    numbers = random.Random(seed)
    follower = Follower(owner, limit="3", q="-type:tunnel")
    sessions = [make_event(connection_id=str(UUID(int=numbers.getrandbits(128)))) for _ in range(8)]
    now = clock.moment
    for _ in range(30):
        now += timedelta(seconds=numbers.random() * 20)
        session = numbers.choice(sessions)
        sent = numbers.choice(
            [
                session,
                {**session, "connection_status": "disconnected", "time": "2025-07-11T00:00:00Z"},
                {**session, "ip": f"192.0.2.{numbers.randrange(9)}"},
                make_event(type="workspace_app", time=f"2025-07-{numbers.randrange(1, 30):02}T00:00:00Z"),
                make_event(type="tunnel"),
            ]
        )
        # A writer names its moment up to 29 seconds before its write is done.
        clock.moment = now - timedelta(seconds=numbers.random() * 29)
        assert owner.post(CONNECTIONS, sent).status == 200
        clock.moment = now
        if numbers.random() < 0.5:
            follower.poll()
    clock.moment = now + SETTLED
    follower.poll()
    stored = owner.get(CONNECTIONS, query={"limit": "500", "q": "-type:tunnel"}).json["connection_logs"]
    assert {row["id"] for row in stored} == {*follower.kept}
    for row in stored:
        assert follower.kept[row["id"]] == {**row, "revision": follower.kept[row["id"]]["revision"]}


@pytest.mark.usefixtures("lanes")
def test_the_audit_log_arrives_too_and_is_of_one_revision(owner: Client, clock: Clock) -> None:
    for action in ("write", "login", "create"):
        body = {"action": action, "time": f"2025-07-10T10:0{len(action)}:00Z"}
        assert owner.post(f"{AUDIT}/testgenerate", body).status == 204
        clock.forward(timedelta(seconds=1))
    clock.forward(SETTLED)
    follower = Follower(owner, AUDIT, q="action:login,create")
    follower.poll()
    assert [row["action"] for row in follower.kept.values()] == ["login", "create"]
    assert {revision for _, revision in follower.met} == {1}


@pytest.mark.usefixtures("lanes")
def test_a_follower_meets_what_it_may_see_and_retention_keeps(
    house: House, owner: Client, make_event: Event, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = house.organization("mine"), house.organization("other")
    events = [
        make_event(organization_id=one.id, time=f"{clock.moment - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}")
        for one in (mine, other)
        for hours in (1, 30)
    ]
    assert owner.post(CONNECTIONS, events).status == 200
    clock.forward(SETTLED)
    auditor = Follower(house.client(house.user("aud", organizations={mine.id: ("organization-auditor",)})))
    auditor.poll()
    assert {row["organization"]["id"] for row in auditor.kept.values()} == {mine.id}
    assert len(auditor.kept) == 2
    monkeypatch.setattr(holds, "current", lambda: Settings(connection_logs_retention=86_400 * 10**9))
    everybody = Follower(owner)
    everybody.poll()
    assert len(everybody.kept) == 2
    hold = {"log": "connection", "q": f"organization:{other.id}", "reason": "a case"}
    assert owner.put("/api/v2/retention/holds/case-7", hold).status == 201
    held = Follower(owner)
    held.poll()
    assert len(held.kept) == 3
    nobody = Follower(house.client(house.user("bob")))
    nobody.poll()
    assert nobody.kept == {}


@pytest.mark.usefixtures("lanes")
def test_a_page_that_would_read_too_much_says_so_and_names_no_hidden_row(
    house: House, owner: Client, make_event: Event, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = house.organization("mine")
    hidden = [make_event(type="workspace_app", id=str(uuid4())) for _ in range(12)]
    for event in hidden:
        assert owner.post(CONNECTIONS, event).status == 200
        clock.forward(timedelta(milliseconds=5))
    assert owner.post(CONNECTIONS, make_event(organization_id=mine.id)).status == 200
    clock.forward(SETTLED)
    monkeypatch.setattr(answer_limits, "current", lambda: Settings(max_rows_read=3))
    auditor = house.client(house.user("aud", organizations={mine.id: ("organization-auditor",)}))
    pages, query = [], {"order": "arrival", "limit": "2"}
    for _ in range(40):
        body = auditor.get(CONNECTIONS, query=query).json
        pages.append(body)
        query["cursor"] = body["next_cursor"]
        if "partial" not in body:
            break
    assert len(pages) > 2
    assert sum(len(page["connection_logs"]) for page in pages) >= 1
    for page in pages:
        text = base64.urlsafe_b64decode(page["next_cursor"] + "==").decode(errors="replace")
        assert not any(event["id"] in text for event in hidden)


@pytest.mark.usefixtures("lanes")
def test_a_file_of_arrivals_says_how_far_it_is_settled(owner: Client, make_event: Event, clock: Clock) -> None:
    owner.post(CONNECTIONS, make_event())
    clock.forward(SETTLED)
    reply = owner.get(CONNECTIONS, query={"order": "arrival", "format": "ndjson"})
    assert reply.headers["gatebook-settled-to"].endswith("Z")
    assert json.loads(reply.text)["revision"] == 1
    assert "link" in reply.headers


@pytest.mark.usefixtures("lanes")
@pytest.mark.parametrize(
    "query",
    [{"offset": "3"}, {"after_id": str(uuid4())}, {"explain": "true"}, {"conflicts": "1"}, {"cursor": "x"}],
)
def test_what_belongs_to_the_other_order_is_refused(
    owner: Client, query: dict[str, str], assert_error: CheckError
) -> None:
    reply = owner.get(CONNECTIONS, query={"order": "arrival", **query})
    assert reply.status == 400
    assert_error(reply)


@pytest.mark.usefixtures("lanes")
def test_a_cursor_of_one_order_is_none_of_the_other(owner: Client, make_event: Event, clock: Clock) -> None:
    owner.post(CONNECTIONS, [make_event(), make_event()])
    clock.forward(SETTLED)
    by_time = owner.get(CONNECTIONS, query={"limit": "1"}).json["next_cursor"]
    by_arrival = owner.get(CONNECTIONS, query={"limit": "1", "order": "arrival"}).json["next_cursor"]
    assert owner.get(CONNECTIONS, query={"order": "arrival", "cursor": by_time}).status == 400
    assert owner.get(CONNECTIONS, query={"cursor": by_arrival}).status == 400


@pytest.mark.parametrize(("order", "words"), [("arrival", "GATEBOOK_CONNECTION_LANES=*,arrival"), ("name", "arrival")])
def test_an_order_that_the_deployment_does_not_have_is_refused(
    owner: Client, order: str, words: str, assert_error: CheckError
) -> None:
    reply = owner.get(CONNECTIONS, query={"order": order})
    assert reply.status == 400
    assert words in assert_error(reply)["validations"][0]["detail"]


def test_writes_from_the_queue_settle_later(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = arrivals.settling()
    monkeypatch.setattr(arrivals, "current", lambda: Settings(ingest_queue_url="https://sqs.example.com/1/q"))
    assert timedelta(seconds=29) < at_once < timedelta(seconds=120) < arrivals.settling()
