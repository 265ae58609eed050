"""The header `Link` of a page of a list: where the next one is (RFC 8288)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from chalicelib.api.http import Call

LONGEST = 8_000
"""Bytes. The gateway sends ten thousand of all headers of an answer, and asks no longer a question."""
_PLACES = ("cursor", "after_id", "offset", "starting_before")
"""The parameters that say where a page begins."""


def next_page(call: Call, place: Mapping[str, str | int]) -> dict[str, str]:
    """The header that names the page after this one: the request again, from another place.

    It is left out where it is longer than a request may be.

    Args:
        call: the request for this page.
        place: the parameters that say where the next page begins.
    """
    asked = {name: value for name, value in call.queries.items() if name not in _PLACES}
    link = f'<?{urlencode({**asked, **place})}>; rel="next"'
    return {"Link": link} if len(link) <= LONGEST else {}
