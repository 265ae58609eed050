"""The limits of API Gateway and Lambda: bytes as they count them, and time.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MAX_BODY_BYTES = 10 * 1024 * 1024
"""Of a request's body at the gateway, compressed or not."""

MAX_HEADER_BYTES = 10_240
"""Of a request's line and headers together."""

MAX_EVENT_BYTES = 6 * 1024 * 1024
"""Of the event that Lambda takes."""

MAX_ANSWER_BYTES = 6 * 1024 * 1024
"""Of the answer that Lambda gives back."""

MAX_SECONDS = 29.0
"""From the event to the answer."""

COMPRESS_ABOVE_BYTES = 1024
"""Of a body that is answered: shorter ones are sent as they are."""


def event_bytes(event: Mapping[str, Any]) -> int:
    """The size of an event as the gateway sends it to Lambda: JSON in UTF-8, with its escapes, and base64 as such."""
    return len(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())


def answer_bytes(answer: Mapping[str, Any]) -> int:
    r"""The size of an answer as Lambda's Python 3.11 sends it: JSON in ASCII, so that `é` takes the six bytes `\u00e9`.

    Raises:
        TypeError: it holds what JSON cannot.
    """
    return len(json.dumps(answer))
