"""Objects of the platform as they are stored: the fields that were sent, and what follows from other objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from chalicelib import times
from chalicelib.platform.facts import PLACE
from chalicelib.platform.jobs import Values
from chalicelib.platform.kinds import KINDS, Kind
from chalicelib.store.dynamodb.batch_get import batch_get, batch_get_rounds
from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.definitions import DOC, PACKED_DOC
from chalicelib.store.dynamodb.packing import unpacked
from chalicelib.store.dynamodb.rounds import Rounds
from chalicelib.store.dynamodb.tables import PlatformItem

TABLE: Final[str] = PlatformItem.Meta.table_name
JOINED: Final = "joined"
LOGS: Final = "logs"

Reference = tuple[Kind, str]
"""A kind and the id of an object."""


@dataclass(frozen=True, slots=True)
class Mirrored:
    """One object.

    Attributes:
        values: its fields, JSON values, by the names that clients know.
        updated_at: when the platform says that it was so.
        place: that it has among its kind; "" where it was read without.
        joined: what follows from other objects: of a workspace its latest build and its status.
        logs: of a job, what is known of its log.
    """

    kind: Kind
    id: str
    values: Values
    updated_at: datetime
    place: str
    joined: Mapping[str, Any] = field(default_factory=dict)
    logs: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        """A field; None where the platform has not sent it."""
        return self.values.get(name)


def from_item(item: Item | None) -> Mirrored | None:
    """The object that an item holds; None where it holds no more than what belongs to one."""
    if not item or (DOC not in item and PACKED_DOC not in item):
        return None
    kind, _, object_id = item["id"]["S"].partition("#")
    return Mirrored(
        KINDS[kind],
        object_id,
        unpacked(item),
        times.from_fixed(item["updated_at"]["S"]),
        item[PLACE]["S"] if PLACE in item else "",
        part(item, JOINED),
        part(item, LOGS),
    )


def part(item: Item, name: str) -> Mapping[str, Any]:
    """A part of an item that is kept beside its fields; empty where there is none."""
    value: Mapping[str, Any] = json.loads(item[name]["S"]) if name in item else {}
    return value


def key(kind: Kind, object_id: str) -> Item:
    """The key of an item."""
    return {"id": {"S": kind.id(object_id)}}


def get_item(kind: Kind, object_id: str) -> Item | None:
    """An item as it stands now."""
    request = {"TableName": TABLE, "Key": key(kind, object_id), "ConsistentRead": True}
    item: Item | None = call("GetItem", request).get("Item")
    return item


def get(kind: Kind, object_id: str) -> Mirrored | None:
    """The object of this id, as it stands now."""
    return from_item(get_item(kind, object_id))


class Known:
    """Objects that were read, by kind and id."""

    def __init__(self, rows: Iterable[Mirrored] = ()) -> None:
        self._rows: dict[tuple[str, str], Mirrored] = {}
        self.add(rows)

    def add(self, rows: Iterable[Mirrored]) -> None:
        """Know more of them."""
        self._rows |= {(row.kind.name, row.id): row for row in rows}

    def get(self, kind: Kind, object_id: object) -> Mirrored | None:
        """The object of this id; None where it is not known."""
        return self._rows.get((kind.name, str(object_id))) if object_id else None

    def lacking(self, references: Iterable[tuple[Kind, object]]) -> list[Reference]:
        """Those of the references that name an object which is not known."""
        return [(kind, str(name)) for kind, name in references if name and (kind.name, str(name)) not in self._rows]


def get_many(references: Iterable[Reference], *, consistent: bool = False) -> list[Mirrored]:
    """The objects that there are of those that are named; as they stand now, at twice the price, where it matters."""
    ids = {kind.id(object_id) for kind, object_id in references}
    return _rows(batch_get({TABLE: ids}, consistent=consistent)) if ids else []


def get_many_rounds(references: Iterable[Reference]) -> Rounds[list[Mirrored]]:
    """The round of `get_many`."""
    ids = {kind.id(object_id) for kind, object_id in references}
    return _rows((yield from batch_get_rounds({TABLE: ids})))


def _rows(matches: Iterable[tuple[str, Item]]) -> list[Mirrored]:
    rows = (from_item(item) for _, item in matches)
    return [row for row in rows if row is not None]
