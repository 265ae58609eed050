"""What the tables hold, as plain frozen values: the words in which every other room speaks of a row.

Ids are lower-case hyphenated UUIDs (`APIKey.id` is ten characters), times are UTC datetimes, absent values are None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Literal, NamedTuple, Self, TypeVar

from chalicelib.casing import lowered
from chalicelib.times import NEVER

T = TypeVar("T")


UserStatus = Literal["active", "dormant", "suspended"]
"""A dormant user becomes active by using a token; a suspended one may not use any."""

LoginType = Literal["password", "github", "oidc", "token", "none", ""]
"""How a user signs in to the platform; nobody has a password here."""


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization, mirrored from the platform."""

    id: str
    name: str
    display_name: str
    description: str
    icon: str
    is_default: bool
    created_at: datetime
    updated_at: datetime
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """A user, mirrored from the platform, or the owner that the first start makes.

    Attributes:
        roles: site roles granted, without the implied `member`.
        organization_roles: organization id -> roles granted there; being a key is being a member.
        is_service_account: a machine, not a person; it may have no e-mail address.
        github_com_user_id: the user's number at github.com; 0 where that is not known.
        deleted: softly deleted: shown beside old log rows, found nowhere else, and none of its tokens opens anything.
    """

    id: str
    username: str
    email: str
    name: str
    avatar_url: str
    status: str
    login_type: str
    roles: tuple[str, ...]
    organization_roles: Mapping[str, tuple[str, ...]]
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime = NEVER
    deleted: bool = False
    is_service_account: bool = False
    github_com_user_id: int = 0


class Refusal(StrEnum):
    """The kinds of refused uses of a token, as what a token keeps of the last one noted."""

    FAILED = "failed_at"
    """The secret was wrong: anybody may have sent it."""
    REFUSED = "refused_at"
    """The secret was right, and the token or its user may not."""


@dataclass(frozen=True, slots=True)
class APIKey:
    """A token as it is kept: the secret only as its SHA-256.

    Attributes:
        allowed_ips: the networks it may be used from; none means any.
        previous_secret: the SHA-256 of the secret before the last rotation, which opens until `previous_until`.
        retry_secret: the SHA-256 of the secret with which the token rotated itself, where the request may be sent
            again with it; None once the new secret has been used.
        failed_at: when a use with a wrong secret was last noted in the audit log.
        refused_at: when a refused use with a right secret was last noted there.
        revision: how often it was changed; the condition of every change.
    """

    id: str
    hashed_secret: bytes = field(repr=False)
    user_id: str
    login_type: str
    token_name: str
    scopes: tuple[str, ...]
    allow_list: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    last_used: datetime
    lifetime_seconds: int
    allowed_ips: tuple[str, ...] = ()
    previous_secret: bytes | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    retry_secret: bytes | None = field(default=None, repr=False)
    failed_at: datetime | None = None
    refused_at: datetime | None = None
    revision: int = 1

    def with_secret(self, hashed: bytes, now: datetime, until: datetime | None, retry: bytes | None = None) -> APIKey:
        """The token with a new secret; the one it had opens until then, or not at all.

        Args:
            hashed: the SHA-256 of the new secret.
            now: the time of the rotation.
            until: when the grace of the old secret ends; None for no grace.
            retry: the SHA-256 of the secret that may send the same rotation again.
        """
        return replace(
            self,
            hashed_secret=hashed,
            updated_at=now,
            previous_secret=self.hashed_secret if until else None,
            previous_until=until,
            retry_secret=retry,
        )

    def reissued(self, hashed: bytes, now: datetime) -> APIKey:
        """The token with a new secret in place of the one that nobody has; what other secrets open stays as it was."""
        return replace(self, hashed_secret=hashed, updated_at=now)


@dataclass(frozen=True, slots=True, order=True)
class Mark(Generic[T]):
    """A value and the moment of the event that carried it. Marks order by moment, then by value."""

    time: datetime
    value: T


class Receipt(NamedTuple):
    """When the service received an event, and the id of the token that sent it."""

    received_at: datetime
    written_by: str


@dataclass(frozen=True, slots=True)
class Closing:
    """How a session ended. Each part is of the first disconnect that was accepted with it.

    Attributes:
        receipt: of the disconnect that `time` is of. It is no part of what a closing says, nor of its text, which ids
            are made of.
    """

    time: datetime
    reason: Mark[str] | None = None
    code: Mark[int] | None = None
    receipt: Receipt | None = field(default=None, compare=False, repr=False)


class Origin(StrEnum):
    """The kind of event that said when a session began."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    """No connect has been received: the session's own end stands for its beginning."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """What one event said otherwise than the session that it belongs to.

    Attributes:
        kind: of the event.
        time: of the event.
        said: field of the event -> the value that the session does not take.
        receipt: who sent it; the same event from somebody else is the same conflict.
    """

    kind: Origin
    time: datetime
    said: Mapping[str, Any]
    receipt: Receipt | None = field(default=None, compare=False)


class Conflicts(NamedTuple):
    """What was said otherwise of a session: how many different events said so, and the newest of them, oldest first."""

    number: int = 0
    newest: tuple[Conflict, ...] = ()


NO_CONFLICTS = Conflicts()

CONNECTION_LOGS = "connection_logs"
AUDIT_LOGS = "audit_logs"
AUDIT_CONNECTION_EVENTS = "audit_connection_events"
API_KEYS = "api_keys"
DATA_SETS = (API_KEYS, AUDIT_CONNECTION_EVENTS, CONNECTION_LOGS, AUDIT_LOGS)
"""What has a retention of its own, in the order in which it is purged."""


class _Row:
    """What rows of both logs can be made by beside their constructor."""

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """The row with these values, which are its own from now on; what has a default may be left out.

        To set frozen fields one by one is a tenth of the time that a page takes.
        """
        row = object.__new__(cls)
        object.__setattr__(row, "__dict__", values)
        return row


_APP_TYPES = ("vscode", "jetbrains")
"""Types that are applications, of which Coder made families later."""


@dataclass(frozen=True)
class ConnectionLog(_Row):
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
    origin: Origin = Origin.CONNECT
    conflicts: Conflicts = NO_CONFLICTS
    receipt: Receipt | None = field(default=None, compare=False)

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
        """What searches by `workspace` compare."""
        return lowered(self.workspace_name)

    @property
    def agent(self) -> str:
        """What searches by `agent` compare."""
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
        """What its age is told by."""
        return self.connect_time

    def closed(self, closing: Closing) -> ConnectionLog:
        """The same row with an end; a page makes a hundred, which `dataclasses.replace` is too slow for."""
        return ConnectionLog.of({**vars(self), "closing": closing})

    def received(self, receipt: Receipt) -> ConnectionLog:
        """The row of an event, with the receipt of the event."""
        closing = self.closing and replace(self.closing, receipt=receipt)
        return ConnectionLog.of({**vars(self), "closing": closing, "receipt": receipt})


CONNECTION_EVENT_ACTIONS = frozenset({"connect", "disconnect", "open", "close"})
"""Audit actions that connection logs took over: no longer produced, kept for 90 days whatever the policy says."""


class Unread(NamedTuple):
    """Diff and additional fields that are kept apart from a row and are not read yet.

    Attributes:
        bytes: how long they are in an answer.
        items: how many further items hold them; 0 where the row's own item does.
    """

    bytes: int
    items: int


_LONGEST_KEY_ID = 100


@dataclass(frozen=True)
class AuditLog(_Row):
    """A row of the audit log: one per event, never changed.

    Attributes:
        user_id: who did it; the nil UUID for what the platform did by itself.
        organization_id: None for what concerns the whole deployment.
        status_code: the HTTP status of the request that did it.
        diff: field -> `{"old"?: any, "new"?: any, "secret": bool}`; a side that is null is left out.
        additional_fields: a JSON object, as it was sent.
        request_id: the nil UUID where there was no request.
        unread: set on a row that was read without its diff and most of its additional fields; None on a whole row.
        receipt: of the event. It is no part of what the row says. None for what no token wrote, and on rows that are
            older than receipts.
    """

    id: str
    time: datetime
    user_id: str
    organization_id: str | None
    ip: str | None
    user_agent: str | None
    resource_type: str
    resource_id: str
    resource_target: str
    resource_icon: str
    action: str
    status_code: int
    request_id: str
    diff: Mapping[str, Any]
    additional_fields: Mapping[str, Any]
    unread: Unread | None = None
    receipt: Receipt | None = field(default=None, compare=False)

    @property
    def target(self) -> str:
        """What searches by `resource_target` compare."""
        return lowered(self.resource_target)

    @property
    def status(self) -> str:
        """The HTTP status, as searches by `status_code` compare it."""
        return str(self.status_code)

    @property
    def api_key_id(self) -> str | None:
        """The token that did it, in lower case as searches compare it; None where the event names none.

        Gatebook's own events name it, and those of senders who add it. A longer text than any id is none.
        """
        key_id = self.additional_fields.get("api_key_id")
        return lowered(key_id) if isinstance(key_id, str) and 0 < len(key_id) <= _LONGEST_KEY_ID else None

    @property
    def build_reason(self) -> str | None:
        """Why a workspace was built, by this event or, where it created the workspace, by the first build."""
        if self.resource_type != "workspace_build" and self.resource_type_action != "workspace:create":
            return None
        reason = self.additional_fields.get("build_reason")
        return reason if isinstance(reason, str) and reason else None

    @property
    def resource_type_action(self) -> str:
        """Resource type and action together, as their common lane has them."""
        return f"{self.resource_type}:{self.action}"

    @property
    def connection_event(self) -> str | None:
        """The action of a deprecated connection event, which has a retention of its own; None for any other event."""
        return self.action if self.action in CONNECTION_EVENT_ACTIONS else None

    @property
    def resource_user_id(self) -> str | None:
        """The user that the event is about, where it is about one."""
        return self.resource_id if self.resource_type == "user" else None

    @property
    def data_set(self) -> str:
        """The data set whose retention it falls under."""
        return AUDIT_CONNECTION_EVENTS if self.connection_event else AUDIT_LOGS

    @property
    def moment(self) -> datetime:
        """What its age is told by."""
        return self.time

    def received(self, receipt: Receipt) -> AuditLog:
        """The row of an event, with the receipt of the event."""
        return replace(self, receipt=receipt)
