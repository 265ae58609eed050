"""How many tokens a user has that have not ended, as one item per user, so that a cap holds in the minting transaction.

The item counts up when a token is made and down when a token that has not ended is deleted or ended. A token that ends
by its time is counted on: so the count is never too low, and where it reaches the cap it is taken anew from the list.
Two tokens minted at once cannot pass the cap; tokens that the list does not show yet, for it follows the table by
fractions of a second, may be missed when the count is taken anew.
"""

from __future__ import annotations

from functools import partial

from chalicelib.settings import current
from chalicelib.store.directory.commit import Guarded
from chalicelib.store.dynamodb.client import ConditionFailed, call
from chalicelib.store.dynamodb.tables import APIKeyItem
from chalicelib.store.dynamodb.transaction import Write


class TooManyTokens(Exception):
    """The user has as many tokens as a user may have.

    Attributes:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} tokens")
        self.most = most


def more(user_id: str) -> Guarded:
    """The write that counts one token more; it fails at the cap."""
    most = current().max_tokens_per_user
    below = APIKeyItem.live.does_not_exist() | (APIKeyItem.live < most)
    request = _item(user_id).get_update_kwargs_from_instance(actions=[APIKeyItem.live.add(1)], condition=below)
    return Guarded(Write("Update", request), partial(TooManyTokens, most))


def fewer(user_id: str, by: int) -> Write:
    """The write that counts several tokens less."""
    known = APIKeyItem.live | by
    return Write("Update", _item(user_id).get_update_kwargs_from_instance(actions=[APIKeyItem.live.set(known - by)]))


def counted(user_id: str) -> int | None:
    """The count as it stands; None for a user without one."""
    request = {"TableName": APIKeyItem.Meta.table_name, "Key": {"id": {"S": _id(user_id)}}, "ConsistentRead": True}
    item = call("GetItem", request).get("Item")
    return int(item["live"]["N"]) if item and "live" in item else None


def correct(user_id: str, stood: int, live: int) -> None:
    """Set the count to the number of listed tokens, unless another request has changed it meanwhile."""
    request = _item(user_id).get_update_kwargs_from_instance(
        actions=[APIKeyItem.live.set(live)], condition=APIKeyItem.live == stood
    )
    try:
        call("UpdateItem", request)
    except ConditionFailed:
        return


def _id(user_id: str) -> str:
    return f"tokens#{user_id}"


def _item(user_id: str) -> APIKeyItem:
    return APIKeyItem(_id(user_id))
