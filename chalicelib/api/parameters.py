"""Query and path parameters that several routes read, with Coder's words for what is wrong with them."""

from __future__ import annotations

import re
from typing import NamedTuple

from chalicelib.api.http import Call
from chalicelib.errors import Invalid, Validation
from chalicelib.search import values

DEFAULT_LIMIT = 100
_INT32_MAX = 2**31 - 1
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})


class Page(NamedTuple):
    """Which rows of an answer: `limit` of them, after the first `offset`."""

    limit: int
    offset: int
    after_id: str | None


def page(call: Call) -> Page:
    """The page that `limit`, `offset` and `after_id` ask for.

    Raises:
        Invalid: values in them are wrong; names each.
    """
    wrong: list[Validation] = []
    after_id = None
    if text := call.query("after_id"):
        try:
            # The nil id asks for nothing, here as in filters.
            after_id = None if (given := values.uuid(text)) == values.NIL_UUID else given
        except values.WrongValue as error:
            wrong.append(Validation("after_id", f'Query param "after_id" {error}'))
    limit = int32(call, "limit", wrong)
    offset = int32(call, "offset", wrong)
    if wrong:
        raise Invalid(wrong, "Query parameters have invalid values.")
    return Page(limit or DEFAULT_LIMIT, offset, after_id)


def boolean(text: str) -> bool:
    """A flag as Go's strconv.ParseBool reads it; what it does not know is false."""
    return text in _TRUE


def uuid(name: str, text: str) -> str:
    """A path parameter that must be a UUID.

    Raises:
        Invalid: it is none.
    """
    try:
        row_id = values.uuid(text)
    except values.WrongValue as error:
        raise Invalid([Validation(name, f"Path param {values.quoted(name)} {error}")]) from error
    if row_id == values.NIL_UUID:
        raise Invalid([Validation(name, f"Path param {values.quoted(name)} must not be the nil uuid")])
    return row_id


def int32(call: Call, name: str, wrong: list[Validation]) -> int:
    """A number of rows, 0 when it was not sent; what is wrong with it is added to `wrong`."""
    text = call.query(name)
    if not text:
        return 0
    problem = ""
    number = 0
    digits = text.lstrip("+-0")
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        problem = f"strconv.ParseInt: parsing {values.quoted(text)}: invalid syntax"
    elif len(digits) > len(str(_INT32_MAX)) or (number := int(digits or "0")) > _INT32_MAX:
        problem = f"strconv.ParseInt: parsing {values.quoted(text)}: value out of range"
    elif number and text.startswith("-"):
        problem = "value is negative"
    if problem:
        wrong.append(Validation(name, f'Query param "{name}" must be a valid 32-bit positive integer: {problem}'))
        return 0
    return number
