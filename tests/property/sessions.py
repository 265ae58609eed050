"""Events of one session: some that agree with each other, and some that do not; and the rule, once more and naively."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from chalicelib import times
from chalicelib.logs.connection import ConnectionEvent
from chalicelib.records import ConnectionLog, Receipt

T0 = datetime(2025, 7, 10, 10, 14, 38, 942776, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CONNECT = ConnectionEvent(
    id="b3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10",
    time=T0,
    connection_status="connected",
    organization_id="9f2b7c1e-6d3c-4a7a-8a58-0e5b5a3d1c11",
    workspace_owner_id="0c9f6f0a-93a0-4d55-9d0e-21b0b7a54c12",
    workspace_id="4d1a2f6e-0d2b-4a0e-8a1d-7c3b2e5f6a13",
    workspace_name="ws",
    agent_name="main",
    type="ssh",
    code=None,
    ip="127.0.0.1",
    user_agent="ssh client",
    user_id=str(UUID(int=201)),
    slug_or_port=None,
    connection_id="a7a1d3c5-5b0e-4c55-b7f6-52c1d9e0fb14",
    disconnect_reason=None,
)
DISCONNECT = replace(
    CONNECT, connection_status="disconnected", time=T0 + SECOND, disconnect_reason="test disconnect", code=1
)
MAY_LACK = ("ip", "user_agent", "user_id", "disconnect_reason", "code")

ids = st.none() | st.uuids().map(str)


@st.composite
def agreeing(draw: st.DrawFn) -> list[ConnectionEvent]:
    """Events that do not contradict each other: each is one of two, with some of its values left out."""
    end = draw(st.sampled_from([T0, T0 + SECOND, T0 + 2 * SECOND]))
    truths = [CONNECT, replace(DISCONNECT, time=end, code=draw(st.sampled_from([0, 137])))]
    events = []
    for truth in draw(st.lists(st.sampled_from(truths), min_size=1, max_size=6)):
        lacking = draw(st.sets(st.sampled_from(MAY_LACK)))
        time = draw(st.sampled_from([truth.time, truth.time, truth.time, times.NEVER]))
        absent: dict[str, Any] = dict.fromkeys(lacking)
        events.append(replace(truth, id=draw(ids), time=time, **absent))
    return events


anything = st.builds(
    replace,
    st.sampled_from([CONNECT, DISCONNECT]),
    id=ids,
    time=st.sampled_from([times.NEVER, *(T0 + step * SECOND for step in range(4))]),
    ip=st.sampled_from([None, "127.0.0.1", "198.51.100.9"]),
    workspace_owner_id=st.sampled_from([CONNECT.workspace_owner_id, str(UUID(int=666))]),
    workspace_name=st.sampled_from(["ws", "renamed"]),
    type=st.sampled_from(["ssh", "vscode"]),
    code=st.sampled_from([None, 0, 137]),
    disconnect_reason=st.sampled_from([None, "", "client left", "killed"]),
)
"""Events of one session that may say anything, in ignorance or on purpose."""


@dataclass
class Model:
    """A session by the rule, event by event.

    Attributes:
        values: what is accepted, by field; absent fields are not there.
        guessed: whether `connect_time` is that of a disconnect.
        conflicts: what was said otherwise: kind, time and values of different events.
    """

    values: dict[str, Any] = field(default_factory=dict)
    guessed: bool = False
    conflicts: list[tuple[str, datetime, dict[str, Any]]] = field(default_factory=list)

    def take(self, event: ConnectionEvent, refuses: Callable[[Mapping[str, Any]], bool] = lambda _: False) -> None:
        """Accept what is new of an event, and note what is otherwise; `refuses` is told of the values that are new."""
        ends = event.connection_status == "disconnected"
        said = {name: getattr(event, name) for name in ("workspace_owner_id", "workspace_name", "type", *MAY_LACK[:3])}
        if ends:
            said |= {"disconnect_reason": event.disconnect_reason, "code": event.code}
        said = {name: value for name, value in said.items() if value not in (None, "")}
        if event.time != times.NEVER:
            if ends:
                said["disconnect_time"] = event.time
            if not ends or "connect_time" not in self.values:
                said["connect_time"] = event.time
        new = {name: value for name, value in said.items() if name not in self.values}
        completes = self.guessed and not ends and "connect_time" in said
        completes = completes and said["connect_time"] <= self.values["connect_time"]
        if completes:
            new["connect_time"] = said["connect_time"]
        begun = {name: value for name, value in new.items() if name not in ("disconnect_time", *MAY_LACK[3:])}
        if self.values and refuses(begun):
            new = {name: value for name, value in new.items() if name not in begun}
            completes = False
        if "connect_time" in new:
            self.guessed = ends
        self.values |= new
        otherwise = {name: value for name, value in said.items() if self.values.get(name) != value}
        if otherwise:
            kind = "disconnect" if ends else "connect"
            values = {
                name: times.wire(value) if isinstance(value, datetime) else value for name, value in otherwise.items()
            }
            if (kind, event.time, values) not in self.conflicts:
                self.conflicts.append((kind, event.time, values))


def modelled(events: Iterable[ConnectionEvent]) -> Model:
    """The session of events in this order."""
    model = Model()
    for event in events:
        model.take(event)
    return model


def accepted(row: ConnectionLog) -> dict[str, Any]:
    """The accepted fields of a row, as a model has them."""
    values: dict[str, Any] = {
        name: getattr(row, name) for name in ("workspace_owner_id", "workspace_name", "type", *MAY_LACK[:3])
    }
    values["connect_time"] = row.connect_time
    if row.closing:
        values["disconnect_time"] = row.closing.time
        values["disconnect_reason"] = row.closing.reason and row.closing.reason.value
        values["code"] = row.closing.code and row.closing.code.value
    return {name: value for name, value in values.items() if value not in (None, "", times.NEVER)}


def said_otherwise(row: ConnectionLog) -> list[tuple[str, datetime, Mapping[str, Any]]]:
    """The conflicts of a row, as a model has them."""
    return [(str(conflict.kind), conflict.time, conflict.said) for conflict in row.conflicts.newest]


def receipt(number: int) -> Receipt:
    """The receipt of one of many events."""
    return Receipt(T0 + number * SECOND, f"token{number:05}")
