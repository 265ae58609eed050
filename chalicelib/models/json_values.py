"""Reads JSON of senders: a value that is too large for one event is kept for that event's error, and costs no other."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.errors import BadRequest
from chalicelib.models.base import read

_MOST_DIGITS = 4_300
_TOO_LONG = 10 ** (2 * _MOST_DIGITS)
_STACKDRIVER = "logging.googleapis.com/severity"
_BLANKS = " \t\r\n"
_BETWEEN = frozenset((*_BLANKS, ","))
_ENTRY_KEYS = frozenset({"message", "severity"})


def document(text: bytes | str) -> Any:  # noqa: ANN401 - any JSON value
    """The one JSON value of a text.

    What is JSON and too much for most readers (half a surrogate pair, a number of thousands of digits, lists nested in
    hundreds) is read. Of a key that is there twice the last value counts; in an entry for Stackdriver, the
    first of those that the entry itself has.

    Raises:
        BadRequest: it is not JSON; the detail says where.
    """
    encoded = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    try:
        return _plain(encoded)
    except BadRequest as error:
        try:
            read_text = encoded.decode().lstrip(_BLANKS)
            value, end = decoder_of(read_text).raw_decode(read_text)
        except (ValueError, RecursionError):
            raise error from None
        if read_text[end:].strip(_BLANKS):
            raise
        return value


def _plain(encoded: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The one JSON value of a text in which nothing is too much for most readers."""
    value = read(encoded)
    return json.loads(encoded, **_ENTRIES) if _STACKDRIVER.encode() in encoded else value


def decoder_of(text: str) -> json.JSONDecoder:
    """The reader of the values in a text."""
    return _DECODER_OF_ENTRIES if _STACKDRIVER in text else _DECODER


def sequence(text: str) -> list[Any]:
    """The JSON values of a text that has one after the other, with or without blanks or commas between.

    Raises:
        BadRequest: what is there is not JSON; the detail says where.
    """
    values, error = sequence_up_to_error(text)
    if error is not None:
        raise error
    return values


def sequence_up_to_error(text: str) -> tuple[list[Any], BadRequest | None]:
    """The value of a text up to where it is no JSON, and the error there; None where all of it is."""
    try:
        return [_plain(text.encode(errors="surrogatepass"))], None
    except BadRequest as error:
        values: list[Any] = []
        place = 0
        decoder = decoder_of(text)
        while place < len(text):
            try:
                value, place = decoder.raw_decode(text, place)
            except (ValueError, RecursionError):
                return values, error
            values.append(value)
            while text[place : place + 1] in _BETWEEN:
                place += 1
        return values, None


def _no_number(text: str) -> Any:  # noqa: ANN401 - it never answers
    raise ValueError(text)


def _integer(text: str) -> int:
    """The number, or in the place of one that Python does not read another that it does not write."""
    return int(text) if len(text) <= _MOST_DIGITS else _TOO_LONG


def _entry(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs) or _STACKDRIVER not in value:
        return value
    # Fields follow what the entry itself has, and one of them may be named like that.
    return {**value, **{key: own for key, own in reversed(pairs) if key in _ENTRY_KEYS}}


_NUMBERS: dict[str, Any] = {"parse_constant": _no_number, "parse_int": _integer}
_ENTRIES: dict[str, Any] = {**_NUMBERS, "object_pairs_hook": _entry}
_DECODER = json.JSONDecoder(**_NUMBERS)
_DECODER_OF_ENTRIES = json.JSONDecoder(**_ENTRIES)
