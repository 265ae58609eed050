"""The function that writes exports, started without waiting for it."""

from __future__ import annotations

import json

from chalicelib.store.clients import answered, client


def start(name: str, export_id: str) -> None:
    """Have the function go on with an export.

    Raises:
        Unavailable: Lambda did not answer; the function may run nevertheless.
        StoreRefused: it refuses to.
    """
    with answered("function"):
        client("lambda").invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps({"id": export_id}).encode()
        )
