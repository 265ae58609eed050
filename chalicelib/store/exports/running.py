"""The exports of a user that may wait or be written, in one item for each user, so that a limit holds in a transaction.

The item names more than there are: an export that has ended or is gone stays in it until there is no room. So it never
names too few, whatever ends an export, and the exports themselves say which of them count.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from chalicelib.store.directory.claims import Changed
from chalicelib.store.directory.commit import Guarded
from chalicelib.store.dynamodb.client import call
from chalicelib.store.dynamodb.definitions import DOC
from chalicelib.store.dynamodb.tables import ExportItem
from chalicelib.store.dynamodb.transaction import Write

PREFIX: Final = "running#"
"""The ids of these items begin with it, and no id of an export does."""
_REVISION: Final = "revision"


class Listed(NamedTuple):
    """The ids of the exports, and how often the item was written."""

    ids: tuple[str, ...] = ()
    revision: int = 0


def read(user_id: str) -> Listed:
    """The exports of a user that may wait or be written."""
    request = {"TableName": ExportItem.Meta.table_name, "Key": _key(user_id), "ConsistentRead": True}
    item = call("GetItem", request).get("Item")
    return Listed(tuple(json.loads(item[DOC]["S"])), int(item[_REVISION]["N"])) if item else Listed()


def listed(user_id: str, ids: Sequence[str], revision: int) -> Guarded:
    """The write that names these exports; it fails with `Changed` where the item is not the one that was read.

    Args:
        user_id: of the user.
        ids: of the exports.
        revision: of the item as it was read.
    """
    condition = {
        "ConditionExpression": f"{_REVISION} = :read",
        "ExpressionAttributeValues": {":read": {"N": str(revision)}},
    }
    request = {
        "TableName": ExportItem.Meta.table_name,
        "Item": {**_key(user_id), _REVISION: {"N": str(revision + 1)}, DOC: {"S": json.dumps(ids)}},
        **(condition if revision else {"ConditionExpression": "attribute_not_exists(id)"}),
    }
    return Guarded(Write("Put", request), Changed)


def _key(user_id: str) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"{PREFIX}{user_id}"}}
