"""Checks incoming shapes, and turns pydantic's errors into the one error shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, from_json

from chalicelib import times
from chalicelib.errors import BadRequest, Invalid, Validation
from chalicelib.search import values

SHORT_TEXT = 1_024
LONG_TEXT = 8_192


LONGEST_TEXT = 100_000_000
"""Longer than a request may be."""


class Model(BaseModel):
    """Base of incoming shapes: unknown fields are ignored, as Coder does; numbers are never read out of texts."""

    # A text with any limit is read as UTF-8, and half a surrogate pair, which nothing could store, is refused there.
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True, str_max_length=LONGEST_TEXT)


M = TypeVar("M", bound=Model)


def absent(value: Any) -> Any:  # noqa: ANN401 - whatever the client sent
    """None for what means that there is none: null, an empty text and the nil UUID."""
    return None if value in ("", values.NIL_UUID) else value


Uuid = Annotated[str, AfterValidator(values.uuid)]
"""A UUID in any of Go's four forms, read as lower-case hyphenated text."""

OptionalUuid = Annotated[Uuid | None, BeforeValidator(absent)]
"""An optional id: null, an empty text and the nil UUID all mean that there is none."""

OptionalText = Annotated[Annotated[str, Field(max_length=LONG_TEXT)] | None, BeforeValidator(absent)]
"""A text; null and an empty one mean that there is none."""

ShortText = Annotated[str, Field(max_length=SHORT_TEXT)]

Int32 = Annotated[int, Field(strict=True, ge=-(2**31), lt=2**31)]

Moment = Annotated[datetime, BeforeValidator(lambda value: values.timestamp(value) if isinstance(value, str) else None)]
"""An RFC 3339 time in UTC, rounded to the microsecond."""

LARGEST_LEAD = timedelta(days=1)
"""The time by which the clock of a sender may be ahead."""


def _has_happened(value: datetime) -> datetime:
    if value > times.now() + LARGEST_LEAD:
        raise ValueError("must not be more than a day ahead")
    return value


EventTime = Annotated[Moment, AfterValidator(_has_happened)]
"""When an event happened."""


def read(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value of a body.

    Raises:
        BadRequest: it is not JSON; the detail says where.
    """
    try:
        return from_json(body or b"", allow_inf_nan=False)
    except ValueError as error:
        raise BadRequest("Request body must be valid JSON.", "EOF" if not body.strip() else str(error)) from error


def parse(shape: type[M], body: bytes) -> M:
    """A body as the shape it should have.

    Raises:
        BadRequest: it is not a JSON object.
        Invalid: values in it are wrong; names each.
    """
    return checked(shape, read_object(body))


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body.

    Raises:
        BadRequest: it is none.
    """
    value = read(body)
    if not isinstance(value, dict):
        raise BadRequest("Request body must be valid JSON.", f"a JSON object is expected, not {_json_type(value)}")
    return value


def checked(shape: type[M], value: Mapping[str, Any]) -> M:
    """An object as the shape it should have.

    Raises:
        Invalid: values in it are wrong; names each.
    """
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        raise Invalid(validations(error.errors(include_url=False, include_input=False))) from error


def validations(errors: Sequence[ErrorDetails]) -> list[Validation]:
    """The findings of pydantic in the one error shape, in the order of the fields."""
    return [Validation(".".join(map(str, error["loc"])), _reason(error)) for error in errors]


def _reason(error: ErrorDetails) -> str:
    given = error.get("ctx", {}).get("error")
    return str(given) if isinstance(given, ValueError) else error["msg"]


def _json_type(value: object) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
