"""What nobody filters on, packed into one attribute: JSON text in `doc`, or compressed in `zdoc` when that is smaller.

A page of 100 wide items costs the parser of the SDK three times what the same rows cost as keys and one text.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from chalicelib.store.engine import Item
from chalicelib.store.tables import DOC, PACKED_DOC

_WORTH_COMPRESSING = 512
_DECODER = json.JSONDecoder()


def packed(doc: Mapping[str, Any]) -> Item:
    """The attribute that holds the values, under the name that tells how."""
    text = json.dumps(doc, ensure_ascii=False, separators=(",", ":"))
    if len(text) > _WORTH_COMPRESSING:
        plain = text.encode("utf-8", "surrogatepass")
        small = zlib.compress(plain, 9)
        if len(small) < len(plain):
            return {PACKED_DOC: {"B": small}}
    return {DOC: {"S": text}}


def unpacked(item: Item) -> dict[str, Any]:
    """The values of a row, read from whichever attribute it has."""
    if PACKED_DOC in item:
        small: bytes = item[PACKED_DOC]["B"]
        doc: dict[str, Any] = json.loads(zlib.decompress(small))
    else:
        doc = read(item[DOC]["S"])
    return doc


def read(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text that was written here, so that there is no white space around it to look for."""
    return _DECODER.raw_decode(text)[0]
