"""What nobody filters on, packed into one attribute: JSON text in `doc`, or compressed in `zdoc` when that is smaller.

A page of 100 wide items costs the parser of the SDK three times what the same rows cost as keys and one text. A value
that is itself large, and mostly read to be sent again, stands on a line of its own and is passed on as it was written.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import orjson

from chalicelib.store.engine import Item
from chalicelib.store.tables import DOC, PACKED_DOC

_WORTH_COMPRESSING = 512
_TO_READ_SLOWLY = re.compile("[0-9]{19}|[\ud800-\udfff]|NaN|Infinity")
_SLOWLY = b" "
"""What a text begins with that only the standard library reads to the last digit and to half a character: orjson takes
a number of more than 64 bits for a float. Nor may it be JSON to others as it stands."""
_LINE = b"\n"
_LEVEL = 9
_RAW = -zlib.MAX_WBITS
"""Without header and check sum, which takes as long to compute as a doc takes to inflate; DynamoDB has its own."""
_HEAD = 0x78
"""What the header begins with that older rows have; nothing compressed without one begins so."""


class StoredObject(Mapping[str, Any]):
    """A JSON object as the text that it was stored as; read when somebody looks into it.

    Attributes:
        text: as UTF-8.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)

    @cached_property
    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = read(self.text)
        return values


def packed(doc: Mapping[str, Any], words: bytes = b"", apart: str | None = None) -> Item:
    """The attribute that holds the values, under the name that tells how.

    Args:
        doc: the values.
        words: texts that such docs often hold; what is compressed with them can only be read with them.
        apart: the value, an object, that `unpacked` gives back as a `StoredObject`, if it is there.
    """
    text = _text({name: value for name, value in doc.items() if name != apart})
    if apart is not None and apart in doc:
        text += _LINE.decode() + _text(doc[apart])
    if _TO_READ_SLOWLY.search(text):
        text = _SLOWLY.decode() + _text(doc)
    if len(text) > _WORTH_COMPRESSING:
        plain = text.encode("utf-8", "surrogatepass")
        packer = zlib.compressobj(_LEVEL, wbits=_RAW, zdict=words)
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


def read(plain: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text that was written here, to the last digit and to half a character."""
    if not plain.startswith(_SLOWLY):
        try:
            return orjson.loads(plain)
        except orjson.JSONDecodeError:
            pass
    return json.loads(plain.decode("utf-8", "surrogatepass"))


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)
