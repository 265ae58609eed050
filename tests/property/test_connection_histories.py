"""Whatever order, batches and writers events come in, and however often, the table holds what a naive model says."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from random import Random
from threading import Barrier
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import GatebookError
from chalicelib.lanes.catalogue import CONNECTION_LANES
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import Plan, plan
from chalicelib.logs.batch import Batch
from chalicelib.logs.connection import ConnectionEvent, row
from chalicelib.logs.session import join
from chalicelib.logs.vocabulary import SESSION_TYPES
from chalicelib.records import Closing, ConnectionLog, Mark, Origin
from chalicelib.retention.keeping import Keeping
from chalicelib.search.filters import CONNECTION_FILTERS
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs import connection_writer
from chalicelib.store.logs.connection_writer import Rule
from chalicelib.store.logs.count import count_rows
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import CONNECTION_LOGS
from chalicelib.times import NEVER
from scripts.local.engine import EmbeddedEngine
from tests.property.sessions import Model, accepted, agreeing, said_otherwise

T0 = datetime(2025, 7, 10, 10, tzinfo=UTC)
MOMENTS = [T0 + timedelta(seconds=step) for step in range(4)]
OWN_IDS = [str(UUID(int=number)) for number in (1, 2)]
ORGANIZATIONS = [str(UUID(int=number)) for number in (101, 102)]
USERS = [str(UUID(int=number)) for number in (201, 202)]
WORKSPACES = [str(UUID(int=number)) for number in (301, 302)]
CONNECTIONS = [str(UUID(int=number)) for number in (401, 402)]
THREADS = 8
RULE = Rule(join)

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
peaceful = (
    st.tuples(
        st.lists(st.tuples(st.sampled_from(CONNECTIONS), agreeing()), max_size=2, unique_by=lambda events: events[0]),
        st.lists(st.one_of(web_events, lone_events), max_size=6),
    )
    .map(lambda drawn: [replace(event, connection_id=own) for own, events in drawn[0] for event in events] + drawn[1])
    .filter(bool)
)
"""Histories in which no event of a session contradicts another."""
seeds = st.integers(0, 2**32).map(Random)
late_beginnings = st.builds(
    lambda end, time: (end, replace(end, connection_status="connected", time=time, disconnect_reason=None, code=None)),
    st.builds(replace, session_events, id=st.none(), connection_status=st.just("disconnected")),
    st.sampled_from(MOMENTS),
)
"""The end of a session, and a beginning of it that is sent after everything else."""
held = st.one_of(
    st.sampled_from(
        [
            ("workspace_owner_id", USERS[0]),
            ("type", "ssh"),
            ("ip", "10.0.0.1"),
            ("organization_id", ORGANIZATIONS[0]),
            ("user_id", USERS[1]),
        ]
    ).map(lambda pair: Criteria({pair[0]: frozenset({pair[1]})})),
    st.sampled_from(MOMENTS).map(lambda moment: Criteria(after=moment)),
    st.sampled_from(MOMENTS).map(lambda moment: Criteria(before=moment)),
    st.sampled_from(MOMENTS).map(lambda moment: Criteria({"type": frozenset({"ssh"})}, moment, moment)),
)


def batches(events: Sequence[ConnectionEvent], random: Random) -> list[list[ConnectionEvent]]:
    """The events, some of them twice, in any order and in batches of any size."""
    shuffled = [*events, *random.choices(events, k=len(events) // 3)]
    random.shuffle(shuffled)
    cuts = sorted(random.sample(range(len(shuffled)), k=random.randint(0, min(4, len(shuffled) - 1))))
    return [batch for low, high in zip([0, *cuts], [*cuts, None], strict=True) if (batch := shuffled[low:high])]


def ingest(events: Sequence[ConnectionEvent], rule: Rule = RULE) -> Counter[str]:
    """Send a batch until all of it is stored; what became of its events."""
    statuses: Counter[str] = Counter()
    waiting = list(events)
    while waiting:
        batch = Batch()
        for index, event in enumerate(waiting):
            batch.add(index, row(event))
        groups = batch.groups()
        answers = connection_writer.write_all([*groups.values()], rule, give_up_at=time.monotonic() + 60)
        again = []
        for row_id, answer in zip(groups, answers, strict=True):
            if isinstance(answer, GatebookError):
                again += [waiting[index] for index in batch.indexes(row_id)]
            else:
                outcomes = batch.outcomes(row_id, answer.before, rule.join)
                statuses.update("contradicts" if outcome.contradicts else outcome.status for outcome in outcomes)
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


def in_time(batch: Sequence[ConnectionEvent]) -> list[ConnectionEvent]:
    return sorted(batch, key=lambda event: (event.time == NEVER, event.time, event.connection_status))


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
        user_agent=event.user_agent,
        user_id=event.user_id,
        slug_or_port=event.slug_or_port,
        connection_id=event.connection_id,
        code=None if session else event.code,
        closing=closing,
        origin=Origin.DISCONNECT if closing else Origin.CONNECT,
    )


def check_rows(stored: Sequence[ConnectionLog], arrived: Sequence[Sequence[ConnectionEvent]]) -> None:
    """The rows are those of the model, given the batches in the order in which they came."""
    sessions: defaultdict[Any, Model] = defaultdict(Model)
    for batch in arrived:
        for event in filter(is_keyed, in_time(batch)):
            sessions[session_of(event)].take(event)
    kept = [made for made in stored if made.session and made.connection_id]
    assert Counter(map(session_of, kept)) == dict.fromkeys(sessions, 1)
    for made in kept:
        model = sessions[session_of(made)]
        assert accepted(made) == model.values
        whole = CONNECTION_LOGS.get(made.id)
        assert whole
        assert said_otherwise(whole) == model.conflicts

    lone = {(event.id, naive_lone(event)) for batch in arrived for event in batch if not is_keyed(event)}
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
def test_a_history_is_the_rows_of_the_model(
    engine: EmbeddedEngine, events: list[ConnectionEvent], one: Random, other: Random
) -> None:
    engine.clear()
    arrived = batches(events, one)
    statuses = sum((ingest(batch) for batch in arrived), Counter[str]())
    stored = read()
    assert [made.connect_time for made in stored] == sorted((made.connect_time for made in stored), reverse=True)
    check_rows(stored, arrived)
    check_lanes(stored)
    assert statuses["created"] == len(stored)

    again = sum((ingest(batch) for batch in batches(events, other)), Counter[str]())
    assert set(again) <= {"unchanged", "contradicts"}
    assert read() == stored
    check_rows(stored, arrived)
    engine.clear()


@settings(deadline=None, print_blob=True, max_examples=25)
@given(peaceful, seeds, seeds)
def test_events_that_agree_make_the_same_rows_in_any_order(
    engine: EmbeddedEngine, events: list[ConnectionEvent], one: Random, other: Random
) -> None:
    rows = []
    for random in (one, other):
        engine.clear()
        statuses = sum((ingest(batch) for batch in batches(events, random)), Counter[str]())
        assert statuses["contradicts"] == 0
        # Which of several events under one id has it is the first one's luck.
        rows.append(Counter(replace(made, id="", given_id=None) for made in read()))
    assert rows[0] == rows[1]
    engine.clear()


@settings(deadline=None, print_blob=True, max_examples=40)
@given(histories, seeds, st.lists(held, min_size=1, max_size=3), st.lists(late_beginnings, min_size=1, max_size=4))
def test_no_row_leaves_a_hold_whatever_is_sent(
    engine: EmbeddedEngine,
    events: list[ConnectionEvent],
    random: Random,
    holds: list[Criteria],
    late: list[tuple[ConnectionEvent, ConnectionEvent]],
) -> None:
    engine.clear()
    rule = Rule(partial(join, frees=Keeping("connection", {}, tuple(holds)).frees))
    matched: set[tuple[int, str]] = set()
    before: dict[str, ConnectionLog] = {}
    ends, beginnings = ([pair[place] for pair in late] for place in (0, 1))
    for batch in [*batches([*events, *ends], random), beginnings]:
        ingest(batch, rule)
        after = {made.id: made for made in read()}
        matched |= {(index, own) for index, hold in enumerate(holds) for own, made in after.items() if hold.match(made)}
        assert all(holds[index].match(after[own]) for index, own in matched)
        for own, made in before.items():
            said = accepted(made).items() - ({("connect_time", made.connect_time)} if is_guessed(made) else set())
            assert said <= accepted(after[own]).items()
        before = after
    check_lanes(read())
    engine.clear()


@settings(deadline=None, print_blob=True, max_examples=40)
@given(histories, seeds, st.lists(held, min_size=1, max_size=3), st.lists(late_beginnings, min_size=1, max_size=4))
def test_what_a_hold_has_matched_is_held_though_no_writer_knows_of_the_hold(
    engine: EmbeddedEngine,
    events: list[ConnectionEvent],
    random: Random,
    holds: list[Criteria],
    late: list[tuple[ConnectionEvent, ConnectionEvent]],
) -> None:
    engine.clear()
    matched: set[tuple[int, str]] = set()
    ends, beginnings = ([pair[place] for pair in late] for place in (0, 1))
    for batch in [*batches([*events, *ends], random), beginnings]:
        ingest(batch)
        after = {made.id: made for made in read()}
        matched |= {(index, own) for index, hold in enumerate(holds) for own, made in after.items() if hold.match(made)}
        assert all(Keeping("connection", {}, (holds[index],)).holds_row(after[own]) for index, own in matched)
    engine.clear()


def is_guessed(made: ConnectionLog) -> bool:
    return made.origin is Origin.DISCONNECT


@settings(deadline=None, print_blob=True, max_examples=6)
@given(peaceful, seeds)
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
    check_rows(stored, [events])
    check_lanes(stored)
    assert created == len(stored)
    engine.clear()
