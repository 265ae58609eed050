"""Everything that may go wrong in a way a caller should hear of, as one tree of exceptions.

    GatebookError                  the base: an HTTP status and the one JSON error shape
    ├── BadRequest            400  the request cannot be understood
    │   └── Invalid           400  it can, but values in it are wrong; names each
    ├── Unauthorized          401  no token, or one that opens nothing
    │   └── NoToken           401  the request brings none
    ├── Forbidden             403  a known caller who may not, and may know that
    ├── NotFound              404  nothing there, or nothing the caller may see
    ├── MethodNotAllowed      405  the path exists, the method does not
    ├── Conflict              409  a unique value is taken
    ├── TooLarge              413  more bytes than one request may carry
    ├── Unprocessable         422  the key of a retry came with another request
    ├── TooMany               429  more of something than one may have in a time
    ├── TooManyRequests  429  the minute of the caller is used up
    ├── StoreRefused          500  the store refuses a write whenever it is sent
    ├── NotOffered            501  part of the API that this service leaves to others
    └── Unavailable           503  the store did not answer; sending again is safe
        ├── NotYet            503  what was asked is stored and not in force yet; sending again finds out
        └── Unknown           503  what was asked may have happened, and sending it again is not the same

The shape is `{"message": str, "detail"?: str, "validations"?: [{"field": str, "detail": str}]}`; `detail` and
`validations` are left out when empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, NotRequired

from typing_extensions import TypedDict

_TEXT_LENGTH = 2_000
_VALIDATIONS = 100


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_LENGTH else f"{text[:_TEXT_LENGTH]}..."


class ValidationJSON(TypedDict):
    """One wrong value, on the wire."""

    field: str
    detail: str


class ErrorJSON(TypedDict):
    """The one shape of every error; `detail` and `validations` are left out when empty."""

    message: str
    detail: NotRequired[str]
    validations: NotRequired[list[ValidationJSON]]


class Validation(NamedTuple):
    """One wrong value: the field as the client named it, and what is wrong with it."""

    field: str
    detail: str


class GatebookError(Exception):
    """Base of every error that is answered to a client.

    Args:
        message: what happened, one sentence.
        detail: the particulars, where they help.
        validations: the wrong values, in the order they were met.
        headers: response headers that belong to the error.
    """

    status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        detail: str = "",
        validations: Sequence[Validation] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.validations = tuple(validations)
        self.headers = dict(headers or {})

    def body(self) -> ErrorJSON:
        """The error in the one JSON shape, no longer than a client can use whatever it repeats of a request."""
        body: ErrorJSON = {"message": _cut(self.message)}
        if self.detail:
            body["detail"] = _cut(self.detail)
        if self.validations:
            listed = self.validations[:_VALIDATIONS]
            body["validations"] = [{"field": _cut(field), "detail": _cut(detail)} for field, detail in listed]
        return body


class BadRequest(GatebookError):
    """The request cannot be understood."""

    status = 400


class Invalid(BadRequest):
    """The request is understood and values in it are wrong."""

    def __init__(self, validations: Sequence[Validation], message: str = "Validation failed.") -> None:
        super().__init__(message, validations=validations)


class Unauthorized(GatebookError):
    """No token, or one that opens nothing."""

    status = 401


class NoToken(Unauthorized):
    """The request brings no token."""


class Forbidden(GatebookError):
    """A known caller who may not do this, and may know that it can be done."""

    status = 403

    def __init__(
        self,
        message: str = "Forbidden.",
        detail: str = (
            "You don't have permission to view this content. If you believe this is a mistake, please contact your"
            " administrator or try signing in with different credentials."
        ),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, detail, headers=headers)


class NotFound(GatebookError):
    """Nothing there, or nothing that this caller may see: the two read the same."""

    status = 404

    def __init__(
        self, message: str = "Resource not found or you do not have access to this resource", detail: str = ""
    ) -> None:
        super().__init__(message, detail)


class MethodNotAllowed(GatebookError):
    """The path exists, the method does not."""

    status = 405


class Conflict(GatebookError):
    """A value that must be unique is in use."""

    status = 409


class TooLarge(GatebookError):
    """More bytes than one request may carry."""

    status = 413


class Unprocessable(GatebookError):
    """The request is well formed and contradicts an earlier one that it refers to."""

    status = 422


class TooMany(GatebookError):
    """More of something than one may have in a time."""

    status = 429


class NotOffered(GatebookError):
    """A part of the API that this service leaves to others; the detail says what to do instead."""

    status = 501


class Unavailable(GatebookError):
    """The store did not answer in time; the same request may be sent again."""

    status = 503

    def __init__(self, detail: str = "", retry_after_seconds: int = 1) -> None:
        super().__init__(
            "The store is not available right now. Send the request again.",
            detail,
            headers={"Retry-After": str(retry_after_seconds)},
        )


class TooManyRequests(GatebookError):
    """A caller has used up what they may do in a minute, or at once; the detail says what to do."""

    status = 429

    def __init__(self, message: str, retry_after_seconds: int, detail: str = "") -> None:
        super().__init__(
            message,
            detail or f"Send the request again in {retry_after_seconds} seconds.",
            headers={"Retry-After": str(retry_after_seconds)},
        )


class StoreRefused(GatebookError):
    """The store refuses a write whenever it is sent: the deployment is wrong, and not what the client sent."""

    status = 500


class NotYet(Unavailable):
    """The request is stored, and the service could not make sure in time that every process applies it."""

    def __init__(self, message: str, detail: str, retry_after_seconds: int) -> None:
        super().__init__(detail, retry_after_seconds)
        self.message = message


class Unknown(Unavailable):
    """The store did not say whether it did what was asked for; the detail says how to find out and to go on."""

    def __init__(self, message: str, detail: str) -> None:
        super().__init__(detail)
        self.message = message
