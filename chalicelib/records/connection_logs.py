"""Rows of the connection log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chalicelib.casing import lowered
from chalicelib.records.row import CONNECTION_LOGS, Receipt, Row
from chalicelib.records.sessions import NO_CONFLICTS, Closing, Conflicts, Origin

_APP_TYPES = ("vscode", "jetbrains")
"""Types that are applications, of which Coder made families later."""


@dataclass(frozen=True)
class ConnectionLog(Row):
    """A row of the connection log: one per session, or one per web event.

    Attributes:
        session: a connection with an end (SSH and IDE types), not a single event (web types).
        code: the HTTP status of a web event; the exit code of a session is in `closing`.
        closing: how a session ended; None for a session still open and for every web event.
        given_id: the id that the event came with, where another event had it first; None for every other row.
        app_name: the application at the client's end, where `type` does not say it.
        origin: which kind of event `connect_time` is of.
        conflicts: what events said otherwise of a session. A lane does not hold it.
        receipt: of the first event of the row. It is no part of what the row says.
        was: for each event that completed the stored row, the fields that it changed and what they were, oldest first.
            It is no part of what the row says: a hold that was placed meanwhile goes by it.
    """

    id: str
    session: bool
    connect_time: datetime
    organization_id: str
    workspace_owner_id: str
    workspace_id: str
    workspace_name: str
    agent_name: str
    type: str
    ip: str | None = None
    user_agent: str | None = None
    user_id: str | None = None
    slug_or_port: str | None = None
    connection_id: str | None = None
    code: int | None = None
    closing: Closing | None = None
    given_id: str | None = None
    app_name: str | None = None
    spelled: Mapping[str, str] | None = None
    origin: Origin = Origin.CONNECT
    conflicts: Conflicts = NO_CONFLICTS
    receipt: Receipt | None = field(default=None, compare=False)
    was: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)

    @property
    def connection_method(self) -> str:
        """The way of connecting that the type belongs to."""
        return "ssh" if self.type in _APP_TYPES else self.type

    @property
    def app(self) -> str | None:
        """The application at the client's end; None where it did not name itself."""
        return self.app_name or (self.type if self.type in _APP_TYPES else None)

    @property
    def workspace(self) -> str:
        """The workspace's name in lower case, for searches by `workspace`."""
        return lowered(self.workspace_name)

    @property
    def agent(self) -> str:
        """The agent's name in lower case, for searches by `agent`."""
        return lowered(self.agent_name)

    @property
    def status(self) -> str | None:
        """`ongoing` or `completed`; None for web events, which are neither."""
        if not self.session:
            return None
        return "ongoing" if self.closing is None else "completed"

    @property
    def data_set(self) -> str:
        """The data set whose retention it falls under."""
        return CONNECTION_LOGS

    @property
    def moment(self) -> datetime:
        """The time that its age is counted from."""
        return self.connect_time

    @property
    def earlier(self) -> Iterator[ConnectionLog]:
        """The row as it was stored before each event that completed it, newest first; ended as it is now."""
        row = self
        for place in reversed(range(len(self.was))):
            row = ConnectionLog.of({**vars(row), **self.was[place], "was": self.was[:place]})
            yield row

    def closed(self, closing: Closing) -> ConnectionLog:
        """The row with an end; a page makes a hundred, for which `dataclasses.replace` is too slow."""
        return ConnectionLog.of({**vars(self), "closing": closing})

    def received(self, receipt: Receipt) -> ConnectionLog:
        """The row of an event, with the receipt of the event."""
        closing = self.closing and replace(self.closing, receipt=receipt)
        return ConnectionLog.of({**vars(self), "closing": closing, "receipt": receipt})
