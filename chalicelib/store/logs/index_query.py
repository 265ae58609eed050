"""The request that reads one key of an index, newest row first."""

from __future__ import annotations

from typing import Any, assert_never

from chalicelib import times
from chalicelib.lanes.catalogue import EVENT_TIME, POSITION
from chalicelib.lanes.plan import All, Excluded, Plan, Since


def index_query(table: str, plan: Plan, attributes: tuple[str, ...] = ()) -> dict[str, Any]:
    """The parameters of a query of a plan's index that still lack the key.

    Args:
        table: the name of the table.
        plan: which index, and from which position to which.
        attributes: the only ones to send; none means all that the index has.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": plan.lane,
        "KeyConditionExpression": "#lane = :key AND #position BETWEEN :low AND :high",
        "ExpressionAttributeNames": {"#lane": plan.lane, "#position": POSITION},
        "ScanIndexForward": False,
        "ExpressionAttributeValues": {":low": {"S": plan.low}, ":high": {"S": plan.high}},
    }
    if attributes:
        names = {f"#{index}": name for index, name in enumerate(attributes)}
        request["ProjectionExpression"] = ", ".join(names)
        request["ExpressionAttributeNames"] |= names
    # A condition on rows may not ask about the position, which is a key; so these rows have their time once more.
    match plan.connection_events:
        case All():
            pass
        case Since(time):
            request["FilterExpression"] = "attribute_not_exists(#event_time) OR #event_time >= :events_since"
            request["ExpressionAttributeNames"]["#event_time"] = EVENT_TIME
            request["ExpressionAttributeValues"][":events_since"] = {"S": times.fixed(time)}
        case Excluded():
            request["FilterExpression"] = "attribute_not_exists(#event_time)"
            request["ExpressionAttributeNames"]["#event_time"] = EVENT_TIME
        case _:
            assert_never(plan.connection_events)
    return request


def with_key(request: dict[str, Any], key: str, **bounds: str) -> dict[str, Any]:
    """The query of one key; `low` and `high` replace its bounds."""
    values = {f":{name}": {"S": position} for name, position in bounds.items()}
    return {
        **request,
        "ExpressionAttributeValues": {**request["ExpressionAttributeValues"], ":key": {"S": key}, **values},
    }
