"""Names of tokens: a claim makes (user, token name) unique among the tokens that have not ended.

Timeline of a name: nobody's → *held* by a token → taken over by a new token once the holder has ended, or free again
when the holder is deleted or renamed. A token whose name was taken over keeps the name for reading.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from chalicelib.records import APIKey
from chalicelib.store.directory.commit import Guarded
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.tables import APIKeyItem
from chalicelib.store.dynamodb.transaction import Write

NOBODY: Final = ""


class NameTaken(Exception):
    """The user has another token of this name that has not ended."""


class NameLost(Exception):
    """The name that a token gives back is another token's by now."""

    def __init__(self, key_id: str) -> None:
        super().__init__(key_id)
        self.key_id = key_id


def claim_id(user_id: str, token_name: str) -> str:
    """The key of the claim on a name."""
    return f"name#{user_id}#{token_name}"


def holder(claim: Item | None) -> str:
    """The id of the token that holds a name; NOBODY without a claim."""
    return str(claim["holder"]["S"]) if claim and "holder" in claim else NOBODY


def claim(key: APIKey, ended: str = NOBODY) -> Guarded:
    """The write by which a token takes its name.

    Args:
        key: the token.
        ended: the id of a token that has ended, from which the name may be taken over.
    """
    free = APIKeyItem.id.does_not_exist()
    item = APIKeyItem(claim_id(key.user_id, key.token_name), holder=key.id)
    condition = free | (APIKeyItem.holder == ended) if ended else free
    return Guarded(Write("Put", item.get_save_kwargs_from_instance(condition=condition)), NameTaken)


def unclaim(key: APIKey) -> Guarded:
    """The write by which a token gives its name back; it fails where the name was taken over."""
    item = APIKeyItem(claim_id(key.user_id, key.token_name))
    request = item.get_delete_kwargs_from_instance(condition=APIKeyItem.holder == key.id)
    return Guarded(Write("Delete", request), partial(NameLost, key.id))
