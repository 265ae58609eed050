"""The active owners, as one item that names them all: the last one cannot leave it, whatever happens at once.

The item changes in the transaction that changes the user. Two owners who demote each other at once both make the set of
two smaller: the second finds a set of one, and nothing of its transaction is written. Without transactions the same
condition holds, and the row that was written before it is put back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from chalicelib.records import User
from chalicelib.store.dynamodb.client import ConditionFailed, call
from chalicelib.store.dynamodb.tables import UserItem
from chalicelib.store.dynamodb.transaction import Write

OWNER: Final = "owner"

_ITEM: Final = "owners#active"

_log = logging.getLogger(__name__)


class LastOwner(Exception):
    """The user is the last active owner, and after this change there would be none."""


def is_active_owner(user: User | None) -> bool:
    """Whether the user owns the deployment and may act."""
    return user is not None and not user.deleted and user.status == "active" and OWNER in user.roles


def owner_change(before: User | None, after: User) -> Write | None:
    """The write that takes a user in among the active owners, or out; None when it does not change.

    Its condition fails when the last owner would go, and when the item does not say what `before` says: see `repair`.
    """
    was, is_now = is_active_owner(before), is_active_owner(after)
    if was == is_now:
        return None
    if is_now:
        return _update(UserItem.owners.add({after.id}), UserItem.id.exists())
    others = size(UserItem.owners) > 1  # type: ignore[no-untyped-call]
    return _update(UserItem.owners.delete({after.id}), UserItem.owners.contains(after.id) & others)


def repair(users: Iterable[User], before: User | None) -> bool:
    """Make the item where the deployment is older than it, or add the owner that it lacks; whether it did either.

    Args:
        users: all users; the active owners among them are named where there is no item yet.
        before: the user who is about to change, as stored.
    """
    key = {"id": {"S": _ITEM}}
    item = call("GetItem", {"TableName": UserItem.Meta.table_name, "Key": key, "ConsistentRead": True}).get("Item")
    own = {before.id} if before is not None and is_active_owner(before) else set[str]()
    if item is None:
        condition, named = UserItem.id.does_not_exist(), {user.id for user in users if is_active_owner(user)} | own
    elif own <= {*item.get("owners", {}).get("SS", ())}:
        return False
    else:
        condition, named = None, own
    # The first owner of all finds nobody: an item without the set is made, for the owner to enter.
    write = _update(UserItem.owners.add(named) if named else UserItem.owners.remove(), condition)
    try:
        call("UpdateItem", write.request)
    except ConditionFailed:
        _log.info("Another request has made the item of the active owners")
    return True


def _update(action: Action, condition: Condition | None) -> Write:
    return Write("Update", UserItem(_ITEM).get_update_kwargs_from_instance(actions=[action], condition=condition))
