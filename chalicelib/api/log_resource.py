"""A log as a resource: what it is called, how its rows are answered, and which of them a caller may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic

from chalicelib.access import allow_list, scopes
from chalicelib.access.decide import Object, Reach, Subject, reach
from chalicelib.api import parameters
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer
from chalicelib.errors import NotFound
from chalicelib.models.directory import Beside
from chalicelib.records import User
from chalicelib.retention import holds
from chalicelib.retention.keeping import Keeping
from chalicelib.search.filters import FilterTable
from chalicelib.store.dynamodb.rounds import run
from chalicelib.store.logs.hydrate import hydrate
from chalicelib.store.logs.tables import LogTable, Row

_LARGEST_ROW = 5_000_000
"""Bytes of one row as it is read beside its index."""


@dataclass(frozen=True, slots=True)
class Log(Generic[Row]):
    """A log as the API presents it.

    Attributes:
        stored: where its rows are.
        filters: the language of its queries.
        resource: what its rows are called in the policy.
        rows: the name of the list of rows in the answer.
        as_json: a row as clients read it, with the users and organizations that belong to it.
    """

    stored: LogTable[Row]
    filters: FilterTable
    resource: str
    rows: str
    as_json: Callable[[Row, Beside], Any]


def visible_row(log: Log[Row], readable: Reach, keeping: Keeping, row_id: str) -> Row | None:
    """The row with this id; None where there is none that the caller may see and retention keeps."""
    row = log.stored.get(row_id)
    visible = (
        row is not None
        and (readable.site or row.organization_id in readable.organizations)
        and (readable.ids is None or row.id in readable.ids)
        and keeping.keeps(row)
    )
    return row if visible else None


def answer_row(caller: Caller, log: Log[Row], row_id: str) -> Answer:
    """One row, as lists answer it.

    Raises:
        Invalid: the id is no UUID.
        NotFound: there is no such row that the caller may see.
    """
    readable = reach(caller.subject, "read", log.resource)
    keeping = holds.keeping(log.stored.name)
    row = None if readable.nothing else visible_row(log, readable, keeping, parameters.uuid("id", row_id))
    if row is None:
        raise NotFound
    # What only the table holds of a row has come with it, where it is not an item of its own.
    whole = frozenset({row.id}) if log.stored.base.fields else frozenset()
    read = run(hydrate(log.stored, [row], _LARGEST_ROW, whole))
    beside = Beside(read.users, read.organizations, known_by(caller.subject), read.mirrored)
    return Answer(log.as_json(read.rows[0], beside))


def known_by(reader: Subject) -> Callable[[User], bool]:
    """Whether the reader of a log, by their roles, knows a user: as one who reads users, or from an organization.

    The roles are looked at once, and not for each user of a page.
    """
    readable = _readable_users(reader)

    def knows(user: User) -> bool:
        if user.organization_roles.keys() & reader.organization_roles.keys():
            return True
        return readable.includes(reader.user_id, Object("user", user.id, owner=user.id))

    return knows


def knows_everybody(reader: Subject) -> bool:
    """Whether the reader of a log, by their roles, knows every user."""
    return _readable_users(reader).site


def knows_as_many(reader: Subject, other: Subject) -> bool:
    """Whether the reader of a log, by their roles, knows everybody whom another one knows; both are one user."""
    if knows_everybody(reader):
        return True
    return not knows_everybody(other) and other.organization_roles.keys() <= reader.organization_roles.keys()


def _readable_users(reader: Subject) -> Reach:
    return reach(replace(reader, scopes=scopes.DEFAULT, allow_list=allow_list.DEFAULT), "read", "user")
