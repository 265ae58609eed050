"""The header `Link` of a page of a list: where the next one is (RFC 8288)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from chalicelib.api.authentication import TOKEN_NAME
from chalicelib.api.http import Call

LONGEST = 8_000
"""Bytes. The gateway sends ten thousand of all headers of an answer, and asks no longer a question."""
_PLACES = ("cursor", "after_id", "offset", "starting_before")
"""The parameters that say where a page begins."""
_TOKENS = (TOKEN_NAME, "access_token")
"""The parameters that may bring a token, which an answer never repeats."""


def next_page(call: Call, place: Mapping[str, str | int]) -> dict[str, str]:
    """The header that names the page after this one: the request again, from another place and without a token.

    It is left out where it is longer than a request may be.

    Args:
        call: the request for this page.
        place: the parameters that say where the next page begins.
    """
    asked = {name: values for name, values in call.query_values.items() if name not in (*_PLACES, *_TOKENS)}
    link = f'<?{urlencode({**asked, **place}, doseq=True)}>; rel="next"'
    return {"Link": link} if len(link) <= LONGEST else {}
