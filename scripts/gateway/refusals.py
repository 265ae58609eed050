"""The answers of API Gateway itself, in the one error shape: here by the same table as on AWS."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.errors import GatebookError, NotFound, TooLarge
from scripts.gateway.limits import MAX_BODY_BYTES, MAX_EVENT_BYTES


class Misread(GatebookError):
    """The gateway cannot read the request."""

    status = 400


class Denied(GatebookError):
    """The gateway does not let the request through."""

    status = 403


class UnsupportedCoding(GatebookError):
    """The body is compressed in a way that the gateway does not know."""

    status = 415


class Throttled(GatebookError):
    """There are more requests than the stage lets through."""

    status = 429


class FunctionFailed(GatebookError):
    """The function failed, or gave an answer that the gateway cannot send."""

    status = 502


class TooLate(GatebookError):
    """The function has not answered in time."""

    status = 504


def too_large() -> TooLarge:
    """The refusal of a body over the limit of the gateway or of Lambda."""
    return TooLarge(
        "Request body too large.",
        f"A request carries at most {MAX_BODY_BYTES} bytes, and the event that is made of it at most"
        f" {MAX_EVENT_BYTES}: binary bodies count in base64, and text with its escapes in JSON. Send less at a time.",
    )


def unsupported_coding() -> UnsupportedCoding:
    """The refusal of a body that is compressed in an unknown way."""
    return UnsupportedCoding("Unsupported content encoding.", "Send gzip, deflate or no Content-Encoding at all.")


NO_ROUTE = NotFound("Route not found.")
FORBIDDEN = Denied("Forbidden.")
FUNCTION_FAILED = FunctionFailed("An internal server error occurred.")
TOO_LATE = TooLate("The request took too long.", "It may have been carried out or not.")

_MISREAD = Misread("The gateway cannot read the request.")
_THROTTLED = Throttled("Too many requests. Send the request again.", headers={"Retry-After": "1"})
_MISCONFIGURED = GatebookError("An internal server error occurred.")

REFUSALS: Mapping[str, GatebookError] = {
    # The gateway takes a path it has no route for, with or without a token, for a call that lacks AWS's own signature.
    "MISSING_AUTHENTICATION_TOKEN": NO_ROUTE,
    "INVALID_SIGNATURE": NO_ROUTE,
    "ACCESS_DENIED": NO_ROUTE,
    "RESOURCE_NOT_FOUND": NO_ROUTE,
    "BAD_REQUEST_BODY": _MISREAD,
    "BAD_REQUEST_PARAMETERS": _MISREAD,
    "REQUEST_TOO_LARGE": too_large(),
    "UNSUPPORTED_MEDIA_TYPE": unsupported_coding(),
    "THROTTLED": _THROTTLED,
    "QUOTA_EXCEEDED": _THROTTLED,
    "WAF_FILTERED": FORBIDDEN,
    "INTEGRATION_TIMEOUT": TOO_LATE,
    "INTEGRATION_FAILURE": _MISCONFIGURED,
    "API_CONFIGURATION_ERROR": _MISCONFIGURED,
}
"""The gateway's name of a failure, and the answer in the place of its own text."""

OTHERS: Mapping[str, str] = {
    "DEFAULT_4XX": "The gateway refused the request.",
    "DEFAULT_5XX": FUNCTION_FAILED.message,
}
"""The messages of every other failure, which keeps the status that the gateway gives."""
