"""Reads JSON that breaks off or has an error: each value that is whole, and what stands between as broken.

HTTP and gzip notice a transfer that was cut. So what arrives broken was sent broken, and would be as often as it is
asked for: what is whole in it is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from chalicelib.models.json_values import decoder_of

BATCH_KEYS = ("events", "logs", "logEvents", "records", "entries")
_BATCH = re.compile(rf'\[|\{{\s*"(?:{"|".join(BATCH_KEYS)})"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,:\]}\x00]*")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[{}\[\]]')
"""A text, to the end of its line where that is missing, so that no place is looked at twice; or a bracket."""
_CLOSED_BY = {"{": "}", "[": "]"}
_DEEPEST = 1_000
"""Brackets in each other, of which no reader of JSON takes more: what follows is not looked at."""


class Broken(NamedTuple):
    """A part of a text that is no JSON value; `problem` says why."""

    text: str
    problem: str


def values_of(text: str) -> Iterator[Any]:
    """The values that stand one after the other in a text or in the batch that it begins, and Broken between them."""
    decoder = decoder_of(text)
    place = _after(text, 0)
    in_batch = False
    while place < len(text):
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            # Batches in a batch are not looked for: a million opened brackets would be read a million times.
            batch = None if in_batch else _BATCH.match(text, place)
            if batch:
                in_batch = True
                place = _after(text, batch.end())
                continue
            end = end_of(text, place)
            yield Broken(text[place:end], str(error) or "It nests too deep.")
        else:
            yield value
        place = _after(text, end)


def _after(text: str, place: int) -> int:
    between = _BETWEEN.match(text, place)
    return between.end() if between else place


def end_of(text: str, start: int) -> int:
    """The end of a broken value: the bracket that closes it, or the place before the next that opens one.

    A bracket closes the last one of its kind that is open, and with it those that were opened since.
    """
    if text[start] not in _CLOSED_BY:
        return min((place for place in (text.find("{", start), text.find("[", start)) if place > 0), default=len(text))
    opened: list[str] = []
    for token in _TOKEN.finditer(text, start):
        if closing := _CLOSED_BY.get(token[0]):
            opened.append(closing)
            if len(opened) > _DEEPEST:
                break
        elif token[0] in ("}", "]"):
            while opened and opened.pop() != token[0]:
                pass
            if not opened:
                return token.end()
    return len(text)
