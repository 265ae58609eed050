"""The attributes and indexes that tables are made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE, STRING
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, Projection
from pynamodb.models import Model

from chalicelib import times
from chalicelib.lanes.catalogue import CONNECTION_EVENT, EVENT_TIME, POSITION, Lane

DOC = "doc"
PACKED_DOC = "zdoc"
FORGET_AT = "forget_at"
"""When an item may go, in seconds since 1970: DynamoDB deletes it then, sooner or later, for nothing."""


class TimeAttribute(Attribute[datetime]):
    """A UTC datetime as 26 characters whose text order is time order."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        """The stored text."""
        return times.fixed(value)

    def deserialize(self, value: str) -> datetime:
        """The moment."""
        return times.from_fixed(value)


class Table:
    """The meta that all tables share."""

    billing_mode = PAY_PER_REQUEST_BILLING_MODE


def index(name: str, hash_key: str, range_key: str, projection: Projection) -> GlobalSecondaryIndex[Any]:
    """An index of a table, by two of its attributes that are texts."""
    attributes = {
        "Meta": type("Meta", (), {"index_name": name, "projection": projection}),
        hash_key: UnicodeAttribute(hash_key=True),
        range_key: UnicodeAttribute(range_key=True),
    }
    return cast("GlobalSecondaryIndex[Any]", type(f"{name}_index", (GlobalSecondaryIndex,), attributes)())


def sorted_index(name: str, hash_key: str) -> GlobalSecondaryIndex[Any]:
    """Whole rows in the order of `sort`, for a listing; what has no `sort` (claims, deleted rows) is not in it."""
    return index(name, hash_key, "sort", AllProjection())


def lane_index(lane: Lane, lanes: tuple[Lane, ...]) -> GlobalSecondaryIndex[Any]:
    """The index that a lane of a log is, with what a page needs of its rows."""
    # Lanes tell which of their rows are connection events, so that old ones can be left out without being sent.
    event_time = [EVENT_TIME for other in lanes if other.name == CONNECTION_EVENT != lane.name]
    place = [POSITION] if lane.range != POSITION else []
    projected = [DOC, PACKED_DOC, *lane.projected, *event_time, *place]
    return index(lane.name, lane.name, lane.range, IncludeProjection(projected))


def decoded(table: type[Model], item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The values of an item by its table's attributes, those it lacks as None.

    pynamodb does the same by making a model of it, which takes four times as long: a page reads many.
    """
    return {
        name: attribute.deserialize(item[name][attribute.attr_type]) if name in item else None
        for name, attribute in table.get_attributes().items()
    }
