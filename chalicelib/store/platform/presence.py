"""Whether the platform mirrors anything in: where it does not, no row of a log is looked for in its directory.

It stands in the state of retention, which every reader of a log reads anyway and keeps for some seconds: to know it
costs no call. A process that takes something in knows at once.
"""

from __future__ import annotations

from chalicelib.store.dynamodb.client import Item, call
from chalicelib.store.dynamodb.tables import RetentionItem

_ATTRIBUTE = "mirrored"


class _Presence:
    """The objects that this process knows to exist."""

    def __init__(self) -> None:
        self.is_known = False


_presence = _Presence()


def is_mirrored() -> bool:
    """Whether the platform mirrors something in, as far as this process knows."""
    return _presence.is_known


def learn(state: Item) -> None:
    """Learn it from the state of retention, as it was read."""
    _presence.is_known = _ATTRIBUTE in state


def mark() -> None:
    """Note that the platform mirrors something in; one write in the life of a process, if any.

    Raises:
        Unavailable: the store did not answer.
    """
    if _presence.is_known:
        return
    call(
        "UpdateItem",
        {
            "TableName": RetentionItem.Meta.table_name,
            "Key": {"id": {"S": "state"}},
            "UpdateExpression": f"SET {_ATTRIBUTE} = :yes",
            "ExpressionAttributeValues": {":yes": {"BOOL": True}},
        },
    )
    _presence.is_known = True


def forget() -> None:
    """Know nothing again."""
    _presence.is_known = False
