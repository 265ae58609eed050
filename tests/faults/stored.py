"""The stored items of all tables in a form that is equal after equal requests, so that a machine compares them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from chalicelib.store.dynamodb import client as store
from chalicelib.store.dynamodb.tables import TABLES

State = Counter[str]
VOLATILE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?|gbk_\w+"
)
"""Moments, random ids and tokens, which differ between equal requests."""


def state() -> State:
    """The stored items, without the parts that differ between equal requests: moments, random ids and secrets."""
    held: State = Counter()
    for table in TABLES:
        for item in store.call("Scan", {"TableName": table.Meta.table_name, "ConsistentRead": True})["Items"]:
            names = {name: steady(name, value) for name, value in sorted(item.items())}
            held[f"{table.Meta.table_name}: {names}"] += 1
    return held


def steady(name: str, value: Mapping[str, Any]) -> str:
    """A value as it is the same each time; of texts and numbers that differ, that they are there."""
    text = str(value.get("S", ""))
    return VOLATILE.sub("*", text) if name in STEADY else "*"


STEADY = {"username", "email", "name", "status", "token_name", "action", "resource_type", "type", "deleted", "kind"}


def difference(stored: State, wanted: State) -> str:
    return f"more {[*(stored - wanted).items()][:3]}, less {[*(wanted - stored).items()][:3]}"
