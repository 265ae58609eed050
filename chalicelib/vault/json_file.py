"""Reads a file of secrets in JSON: one object of texts."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.vault.entries import Entries, Entry, quoted, unreadable


class _Object(list[tuple[str, Any]]):
    """The members of an object, the same key more than once included."""


def read(text: str) -> tuple[Entry, ...]:
    """The entries of a file.

    Raises:
        BadRequest: it is no JSON, or something else than one object of texts.
    """
    try:
        document = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_Object)
    except json.JSONDecodeError as error:
        # Behind a colon the message may have a letter of the file.
        raise unreadable(f"It is no JSON: {error.msg.partition(':')[0]}.", error.lineno) from None
    except (RecursionError, ValueError):
        raise unreadable("It is no JSON object of texts.") from None
    if not isinstance(document, _Object):
        raise unreadable("It must be one JSON object.")
    entries = Entries()
    for key, value in document:
        if not isinstance(value, str):
            raise unreadable(f"The value of {quoted(key)} is no text: put numbers and the like in quotes.")
        entries.add(key, value)
    return entries.all()
