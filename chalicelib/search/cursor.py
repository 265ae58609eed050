"""A cursor: where a page ended, as text that a client keeps and hands back to get the next one.

It only moves the start: what is read follows from the filter and the caller, never from the cursor. So nothing in it is
secret, and it need not be signed; the digest notices one that was damaged, made for the other log, or used with another
filter, before a client takes the wrong page for the right one.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import astuple
from hashlib import blake2b
from typing import NamedTuple

from chalicelib.search.filter import Filter, UserChoice

_PLAIN, _COUNTED = 1, 2
"""The versions: a counted cursor carries the count of the first page, so that later pages do not count again."""
_DIGEST_BYTES = 6
_LONGEST = 400
_MOST_SKIPPED = 2**31 - 1
"""As an offset, which is what a skip is a part of."""
_PLACE = re.compile(
    r"(?P<position>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}#[0-9a-f-]{36}) (?P<skip>\d{1,10})"
    r"( (?P<count>\d{1,10}) (?P<reader>[0-9a-f]{8}))?",
    re.ASCII,
)


class WrongCursor(ValueError):
    """The text is no cursor for this query."""


class CarriedCount(NamedTuple):
    """The count of a query, as its first page had it.

    Attributes:
        number: of rows.
        reader: for whom it was counted, in eight hexadecimal digits: others may see other rows.
    """

    number: int
    reader: str


class Cursor(NamedTuple):
    """Where to go on.

    Attributes:
        position: rows that stand below this one follow.
        skip: how many of these are still to be skipped, where an offset took more time than there was.
        total: how many rows there are in all; None where that is not known.
    """

    position: str
    skip: int = 0
    total: CarriedCount | None = None


def encode(cursor: Cursor, log: str, asked: Filter) -> str:
    """The text of a cursor for one query of one log."""
    place = f"{cursor.position} {cursor.skip}"
    version = _PLAIN
    if cursor.total is not None:
        place += f" {cursor.total.number} {cursor.total.reader}"
        version = _COUNTED
    packed = bytes([version]) + _digest(version, place.encode(), log, asked) + place.encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(text: str, log: str, asked: Filter) -> Cursor:
    """The cursor of a text.

    Raises:
        WrongCursor: it was not made for this query of this log, or was changed since.
    """
    if len(text) > _LONGEST:
        raise WrongCursor(text[:_LONGEST])
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise WrongCursor(text) from error
    place = _PLACE.fullmatch(packed[1 + _DIGEST_BYTES :].decode("ascii", "replace"))
    if not place:
        raise WrongCursor(text)
    count = CarriedCount(int(place["count"]), place["reader"]) if place["count"] else None
    cursor = Cursor(place["position"], int(place["skip"]), count)
    if cursor.skip > _MOST_SKIPPED:
        raise WrongCursor(text)
    # Made anew it must be the same text: that compares version and digest, and leaves one spelling of each cursor.
    if encode(cursor, log, asked) != text:
        raise WrongCursor(text)
    return cursor


def _digest(version: int, place: bytes, log: str, asked: Filter) -> bytes:
    """Of the filter as it was understood: another order or spelling of the same query is the same.

    A filter without choices, exclusions and relative times has the digest that it had before there were any.
    """
    single = [(name, *values) for name, values in asked.fields if len(values) == 1]
    users = [(one.field, *astuple(one.references[0])) for one in asked.users if one.is_single]
    meaning = [version, log, sorted(single), sorted(users)]
    meaning += [str(asked.after), str(asked.before), asked.nothing]
    choices = sorted([name, *sorted(values)] for name, values in asked.fields if len(values) != 1)
    choices += sorted(_user_choice(one) for one in asked.users if not one.is_single)
    conditions = sorted([one.field, one.comparison, *sorted(one.values)] for one in asked.conditions)
    relative = [str(asked.newer_than), str(asked.older_than)] if asked.newer_than or asked.older_than else []
    if choices or conditions or relative:
        meaning += [choices, conditions, relative]
    return blake2b(json.dumps(meaning).encode() + place, digest_size=_DIGEST_BYTES).digest()


def _user_choice(choice: UserChoice) -> list[str]:
    references = sorted(f"{one.by}:{one.text}" for one in choice.references)
    return [choice.field, str(choice.excluded), *sorted(choice.ids), *references]
