"""JSON as it is sent, and how long it is then: limits of answers are limits of this text."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from chalicelib.store.dynamodb.stored_json import StoredObject

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
# Half a character, which a client may have sent as an escape, cannot be sent back in UTF-8.
_TO_ESCAPE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_DELETE = "\x7f"
_MORE_FOR_DELETE = 5
"""The bytes of DEL beyond its own: the one ASCII character that JSON may hold as it is and that is escaped."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=dict)


def json_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value as the JSON that is sent: as Go's encoder writes it, so that no answer can be taken for HTML."""
    try:
        text = orjson.dumps(value, _as_stored).decode()
    except TypeError:
        # Half a character, a number of more than 64 bits: in what others sent there is everything that JSON can say.
        text = _ENCODER.encode(value)
    # Most texts have none of these, and three searches are quicker than one for any of five.
    if text.isascii() and "<" not in text and ">" not in text and "&" not in text:
        return text
    return _TO_ESCAPE.sub(lambda match: _ESCAPES.get(match[0], "\ufffd"), text)


def _as_stored(value: object) -> orjson.Fragment:
    if isinstance(value, StoredObject):
        return orjson.Fragment(value.text)
    raise TypeError


def bytes_sent(text: str) -> int:
    """How long a text is as Lambda sends it: as a JSON text in turn, in ASCII."""
    if not text.isascii():
        return len(json.dumps(text))
    return len(text) + text.count('"') + text.count("\\") + _MORE_FOR_DELETE * text.count(_DELETE)


def may_be_sent(text: str) -> int:
    """An upper bound of the bytes of a text as it is sent, at less cost than the exact number."""
    return 2 * len(text) if text.isascii() and _DELETE not in text else bytes_sent(text)
