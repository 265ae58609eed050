"""The OpenAPI document of the API, as it was made when this version was: see `scripts/openapi`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from chalicelib.api.http import Answer, Call, Encoded

DOCUMENT: Final = Path(__file__).with_name("openapi.json")


def show(_call: Call) -> Answer:
    """The OpenAPI document of this API."""
    return Answer(_document())


@cache
def _document() -> Encoded:
    return Encoded(DOCUMENT.read_text().rstrip("\n"))
