"""What nobody filters on, packed into one attribute: JSON text in `doc`, or compressed in `zdoc` when that is smaller.

A page of 100 wide items costs the parser of the SDK three times what the same rows cost as keys and one text.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from chalicelib.store.engine import Item
from chalicelib.store.tables import DOC, PACKED_DOC

_WORTH_COMPRESSING = 512
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19
_LEVEL = 9


def packed(doc: Mapping[str, Any], words: bytes = b"") -> Item:
    """The attribute that holds the values, under the name that tells how.

    Args:
        doc: the values.
        words: texts that such docs often hold; what is compressed with them can only be read with them.
    """
    text = json.dumps(doc, ensure_ascii=False, separators=(",", ":"))
    if len(text) > _WORTH_COMPRESSING:
        plain = text.encode("utf-8", "surrogatepass")
        small = _compressed(plain, words)
        if len(small) < len(plain):
            return {PACKED_DOC: {"B": small}}
    return {DOC: {"S": text}}


def unpacked(item: Item, words: bytes = b"") -> dict[str, Any]:
    """The values of a row, read from whichever attribute it has; `words` are those that it was packed with, if any."""
    if PACKED_DOC in item:
        small: bytes = item[PACKED_DOC]["B"]
        doc: dict[str, Any] = read(zlib.decompressobj(zdict=words).decompress(small))
    else:
        doc = read(item[DOC]["S"].encode("utf-8", "surrogatepass"))
    return doc


def read(plain: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text that was written here, to the last digit and to half a character."""
    # orjson takes a number of more than 64 bits for a float.
    if _LONG_NUMBER not in plain.translate(_DIGITS_ALIKE):
        try:
            return orjson.loads(plain)
        except orjson.JSONDecodeError:
            pass
    return json.loads(plain.decode("utf-8", "surrogatepass"))


def _compressed(plain: bytes, words: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zdict=words) if words else zlib.compressobj(_LEVEL)
    return packer.compress(plain) + packer.flush()
