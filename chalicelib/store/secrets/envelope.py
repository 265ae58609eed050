"""Texts that are stored encrypted, each with its own key, for another party to fetch."""

from __future__ import annotations

from base64 import b64decode, b64encode

from chalicelib.store.secrets import data_keys
from chalicelib.store.secrets.data_keys import Context

_PARTED_BY = "."


def sealed(text: str, context: Context) -> str:
    """A text as it may be stored; it opens in the same context alone.

    Raises:
        Unavailable: the key service did not answer.
    """
    key = data_keys.wrapper().new(context)
    parts = (key.wrapped, data_keys.sealed(key.plain, text.encode(), context))
    return _PARTED_BY.join(b64encode(part).decode() for part in parts)


def opened(stored: str, context: Context) -> str:
    """The text that was sealed.

    Raises:
        Unavailable: the key service did not answer.
        StoreRefused: another key sealed it, or for another context.
    """
    wrapped, text = (b64decode(part) for part in stored.split(_PARTED_BY))
    key = data_keys.wrapper().unwrapped(wrapped, context)
    return data_keys.opened(key, text, context).decode()
