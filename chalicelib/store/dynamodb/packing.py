"""Packs the fields that nobody filters on into one attribute: JSON text in `doc`, or compressed in `zdoc` when smaller.

A page of 100 wide items costs the parser of the SDK three times what the same rows cost as keys and one text. A value
that is itself large, and mostly read to be sent again, stands on a line of its own and is passed on as it was written.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.definitions import DOC, PACKED_DOC
from chalicelib.store.dynamodb.stored_json import SLOWLY, StoredObject, read

_WORTH_COMPRESSING = 512
_TO_READ_SLOWLY = re.compile("[0-9]{19}|[\ud800-\udfff]|NaN|Infinity")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=dict)
_LINE = b"\n"
_LEVEL = 9
_RAW = -zlib.MAX_WBITS
_SMALL_BYTES = 1 << 14
_SMALL_WINDOW, _SMALL_MEMORY = -14, 6
"""For what is no longer: setting up a packer of the largest window takes ten times as long as packing a row."""
_LARGE_MEMORY = 8
"""zlib's own choice."""
"""Without header and check sum, which takes as long to compute as a doc takes to inflate; DynamoDB has its own."""
_HEAD = 0x78
"""The first byte of the header that older rows have; no compressed text without a header begins with it."""


def packed(
    doc: Mapping[str, Any], words: bytes = b"", apart: str | None = None, above: int = _WORTH_COMPRESSING
) -> Item:
    """The attribute that holds the values, under the name that says how it is packed.

    Args:
        doc: the values.
        words: texts that such docs often hold; what is compressed with them can only be read with them.
        apart: the value, an object, that `unpacked` gives back as a `StoredObject`, if it is there.
        above: what is no longer than so many characters is never compressed.
    """
    text = _text({name: value for name, value in doc.items() if name != apart})
    if apart is not None and apart in doc:
        text += _LINE.decode() + _text(doc[apart])
    if _TO_READ_SLOWLY.search(text):
        text = SLOWLY.decode() + _text(doc)
    if len(text) > above:
        plain = text.encode("utf-8", "surrogatepass")
        is_small = len(plain) + len(words) <= _SMALL_BYTES
        window, memory = (_SMALL_WINDOW, _SMALL_MEMORY) if is_small else (_RAW, _LARGE_MEMORY)
        packer = zlib.compressobj(_LEVEL, wbits=window, memLevel=memory, zdict=words)
        small = packer.compress(plain) + packer.flush()
        if len(small) < len(plain):
            return {PACKED_DOC: {"B": small}}
    return {DOC: {"S": text}}


def unpacked(item: Item, words: bytes = b"", apart: str | None = None) -> dict[str, Any]:
    """The values of a row, read from whichever attribute it has; what else was given to `packed` is given again."""
    if PACKED_DOC in item:
        small: bytes = item[PACKED_DOC]["B"]
        plain = zlib.decompressobj(zlib.MAX_WBITS if small[0] == _HEAD else _RAW, words).decompress(small)
    else:
        plain = item[DOC]["S"].encode("utf-8", "surrogatepass")
    own, line, text = plain.partition(_LINE)
    doc: dict[str, Any] = read(own)
    if line and apart:
        doc[apart] = StoredObject(text)
    return doc


def _text(value: Mapping[str, Any]) -> str:
    return _ENCODER.encode(value)
