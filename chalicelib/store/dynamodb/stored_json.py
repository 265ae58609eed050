"""JSON as it was written here: read back to the last digit, or passed on as it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import orjson

SLOWLY = b" "
"""The mark of a text that only the standard library reads to the last digit and to half a character: orjson takes
a number of more than 64 bits for a float. Nor may it be JSON to others as it stands."""


def read(plain: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text that was written here, to the last digit and to half a character."""
    if not plain.startswith(SLOWLY):
        try:
            return orjson.loads(plain)
        except orjson.JSONDecodeError:
            pass
    return json.loads(plain.decode("utf-8", "surrogatepass"))


class StoredObject(Mapping[str, Any]):
    """A JSON object as the text that it was stored as; parsed at the first access.

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
