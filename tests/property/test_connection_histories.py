"""Whatever order, batches, repetitions and writers events come in, the table holds what a naive fold of them gives."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from threading import Barrier
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import GatebookError
from chalicelib.lanes.catalogue import CONNECTION_LANES
from chalicelib.lanes.plan import Criteria, Plan, plan
from chalicelib.logs.connection import ConnectionEvent, Fold, join, row
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.records import Closing, ConnectionLog, Mark
from chalicelib.search.filters import CONNECTION_FILTERS
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs import connection_writer
from chalicelib.store.logs.count import count_rows
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import CONNECTION_LOGS
from scripts.local.engine import EmbeddedEngine

T0 = datetime(2025, 7, 10, 10, tzinfo=UTC)
MOMENTS = [T0 + timedelta(seconds=step) for step in range(4)]
OWN_IDS = [str(UUID(int=number)) for number in (1, 2)]
ORGANIZATIONS = [str(UUID(int=number)) for number in (101, 102)]
USERS = [str(UUID(int=number)) for number in (201, 202)]
WORKSPACES = [str(UUID(int=number)) for number in (301, 302)]
CONNECTIONS = [str(UUID(int=number)) for number in (401, 402)]
THREADS = 8

common = {
    "time": st.sampled_from(MOMENTS),
    "organization_id": st.sampled_from(ORGANIZATIONS),
    "workspace_owner_id": st.sampled_from(USERS),
    "workspace_id": st.sampled_from(WORKSPACES),
    "workspace_name": st.just("ws"),
    "agent_name": st.just("main"),
    "ip": st.sampled_from(["10.0.0.1", "10.0.0.2"]),
    "user_agent": st.none(),
}
ends = {
    "connection_status": st.sampled_from(["connected", "disconnected"]),
    "type": st.sampled_from(["ssh", "vscode"]),
    "user_id": st.none(),
    "slug_or_port": st.none(),
    "disconnect_reason": st.sampled_from([None, "a", "b"]),
    "code": st.sampled_from([None, 0, 1]),
}
own_ids = st.none() | st.sampled_from(OWN_IDS)
session_events = st.builds(
    ConnectionEvent,
    id=own_ids,
    connection_id=st.sampled_from(CONNECTIONS),
    **common,
    **ends,
)
lone_events = st.builds(
    ConnectionEvent,
    id=own_ids,
    connection_id=st.none(),
    **common,
    **ends,
)
web_events = st.builds(
    ConnectionEvent,
    id=own_ids,
    connection_id=st.none() | st.just(CONNECTIONS[0]),
    connection_status=st.just("connected"),
    type=st.just("workspace_app"),
    user_id=st.none() | st.sampled_from(USERS),
    slug_or_port=st.sampled_from(["code-server", "8080"]),
    disconnect_reason=st.none(),
    code=st.sampled_from([200, 404]),
    **common,
)
histories = st.lists(st.one_of(session_events, session_events, web_events, lone_events), min_size=1, max_size=14)
seeds = st.integers(0, 2**32).map(Random)

Content = tuple[Any, ...]


def batches(events: Sequence[ConnectionEvent], random: Random) -> list[list[ConnectionEvent]]:
    """The events, some of them twice, in any order and in batches of any size."""
    shuffled = [*events, *random.choices(events, k=len(events) // 3)]
    random.shuffle(shuffled)
    cuts = sorted(random.sample(range(len(shuffled)), k=random.randint(0, min(4, len(shuffled) - 1))))
    return [batch for low, high in zip([0, *cuts], [*cuts, None], strict=True) if (batch := shuffled[low:high])]


def ingest(events: Sequence[ConnectionEvent]) -> Counter[str]:
    """Send a batch until all of it is stored; what became of its events."""
    statuses: Counter[str] = Counter()
    waiting = list(events)
    while waiting:
        fold = Fold()
        for index, event in enumerate(waiting):
            fold.add(index, row(event))
        rows = list(fold.rows.values())
        answers = connection_writer.write_all(rows, join, give_up_at=time.monotonic() + 60)
        again = []
        for made, answer in zip(rows, answers, strict=True):
            if isinstance(answer, GatebookError):
                again += [waiting[index] for index in fold.events(made.id)]
            else:
                statuses.update(status for _, status in fold.statuses(made.id, answer.before))
        waiting = again
    return statuses


def planned(fields: dict[str, str]) -> Plan:
    implied = {
        field: frozenset(values)
        for name in fields
        for field, values in CONNECTION_FILTERS.implied.get(name, {}).items()
    }
    return plan(
        Criteria({name: frozenset({value}) for name, value in fields.items()}, implied=implied), CONNECTION_LANES, 1
    )


def read(**fields: str) -> list[ConnectionLog]:
    return [*read_page(CONNECTION_LOGS, [planned(fields)], Budget(), Window(100)).rows]


def is_keyed(event: ConnectionEvent) -> bool:
    return event.type in SESSION_TYPES and event.connection_id is not None


def session_of(made: ConnectionEvent | ConnectionLog) -> tuple[str | None, str, str]:
    return made.connection_id, made.workspace_id, made.organization_id


def opening(event: ConnectionEvent) -> tuple[datetime, str]:
    """Earliest first; of one moment, the least by what it says."""
    said = {name: getattr(event, name) for name in ("ip", "organization_id", "type", "workspace_owner_id")}
    return event.time, json.dumps(said, sort_keys=True)


def naive_session(events: Sequence[ConnectionEvent]) -> Content:
    first = min(events, key=opening)
    ended = [event for event in events if event.connection_status == "disconnected"]
    reasons = [(event.time, event.disconnect_reason) for event in ended if event.disconnect_reason is not None]
    codes = [(event.time, event.code) for event in ended if event.code is not None]
    return (
        *opening(first),
        min((event.time for event in ended), default=None),
        min(reasons, default=None),
        min(codes, default=None),
    )


def session_content(stored: ConnectionLog) -> Content:
    said = {name: getattr(stored, name) for name in ("ip", "organization_id", "type", "workspace_owner_id")}
    closing = stored.closing
    return (
        stored.connect_time,
        json.dumps(said, sort_keys=True),
        closing.time if closing else None,
        (closing.reason.time, closing.reason.value) if closing and closing.reason else None,
        (closing.code.time, closing.code.value) if closing and closing.code else None,
    )


def naive_lone(event: ConnectionEvent) -> ConnectionLog:
    """The row of an event that is a row of its own, but for its id."""
    session = event.type in SESSION_TYPES
    closing = None
    if session and event.connection_status == "disconnected":
        reason = None if event.disconnect_reason is None else Mark(event.time, event.disconnect_reason)
        code = None if event.code is None else Mark(event.time, event.code)
        closing = Closing(event.time, reason, code)
    return ConnectionLog(
        id="",
        session=session,
        connect_time=event.time,
        organization_id=event.organization_id,
        workspace_owner_id=event.workspace_owner_id,
        workspace_id=event.workspace_id,
        workspace_name=event.workspace_name,
        agent_name=event.agent_name,
        type=event.type,
        ip=event.ip,
        user_id=event.user_id,
        slug_or_port=event.slug_or_port,
        connection_id=event.connection_id,
        code=None if session else event.code,
        closing=closing,
    )


def check_rows(stored: Sequence[ConnectionLog], events: Sequence[ConnectionEvent]) -> None:
    sessions = defaultdict(list)
    for event in events:
        if is_keyed(event):
            sessions[session_of(event)].append(event)
    kept = [made for made in stored if made.session and made.connection_id]
    assert Counter(map(session_of, kept)) == dict.fromkeys(sessions, 1)
    for made in kept:
        assert session_content(made) == naive_session(sessions[session_of(made)])

    lone = {(event.id, naive_lone(event)) for event in events if not is_keyed(event)}
    others = [made for made in stored if not (made.session and made.connection_id)]
    assert Counter(
        (made.given_id or (made.id if made.id in OWN_IDS else None), replace(made, id="", given_id=None))
        for made in others
    ) == dict.fromkeys(lone, 1)
    # Of the events under one id, one has it.
    assert {made.id for made in others if made.id in OWN_IDS} == {own_id for own_id, _ in lone if own_id}


def check_lanes(stored: Sequence[ConnectionLog]) -> None:
    for lane in CONNECTION_LANES:
        choices = [{getattr(made, name) for made in stored} - {None} for name in lane.fields]
        for values in product(*choices):
            asked = dict(zip(lane.fields, values, strict=True))
            expected = [made for made in stored if all(getattr(made, name) == asked[name] for name in asked)]
            assert read(**asked) == expected
            if all(asked[name] in allowed for name, allowed in lane.only.items()) and not planned(asked).nothing:
                # Counted from the lane alone: nothing stands in it that should not.
                assert planned(asked).lane == lane.name
                assert count_rows(CONNECTION_LOGS, [planned(asked)], Budget(), 100).number == len(expected)


@settings(deadline=None, print_blob=True, max_examples=40)
@given(histories, seeds, seeds)
def test_a_history_is_the_rows_of_a_naive_fold(
    engine: EmbeddedEngine, events: list[ConnectionEvent], one: Random, other: Random
) -> None:
    engine.clear()
    statuses = sum((ingest(batch) for batch in batches(events, one)), Counter[str]())
    stored = read()
    assert [made.connect_time for made in stored] == sorted((made.connect_time for made in stored), reverse=True)
    check_rows(stored, events)
    check_lanes(stored)
    assert statuses["created"] == len(stored)

    again = sum((ingest(batch) for batch in batches(events, other)), Counter[str]())
    assert set(again) == {"unchanged"}
    assert read() == stored
    engine.clear()


@settings(deadline=None, print_blob=True, max_examples=6)
@given(histories, seeds)
def test_many_writers_at_once_make_the_same_rows(
    engine: EmbeddedEngine, events: list[ConnectionEvent], random: Random
) -> None:
    engine.clear()
    together = Barrier(THREADS)
    shares = [batches(events, random) for _ in range(THREADS)]

    def send(share: list[list[ConnectionEvent]]) -> int:
        together.wait()
        return sum(ingest(batch)["created"] for batch in share)

    with ThreadPoolExecutor(THREADS) as writers:
        created = sum(writers.map(send, shares))
    stored = read()
    check_rows(stored, events)
    check_lanes(stored)
    assert created == len(stored)
    engine.clear()
