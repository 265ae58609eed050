"""The function that writes exports, started without waiting for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chalicelib.store.clients import answered, client

Start = Callable[[str, str], None]
"""Has the function of a name go on with the export of an id."""

_replacements: list[Start] = []


@contextmanager
def replaced_by(other: Start) -> Iterator[None]:
    """Start the function in another way, until the context ends."""
    _replacements.append(other)
    try:
        yield
    finally:
        _replacements.remove(other)


def start(name: str, export_id: str) -> None:
    """Have the function go on with an export.

    Raises:
        Unavailable: Lambda did not answer; the function may run nevertheless.
        StoreRefused: it refuses to.
    """
    if _replacements:
        _replacements[-1](name, export_id)
        return
    with answered("function"):
        client("lambda").invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps({"id": export_id}).encode()
        )
