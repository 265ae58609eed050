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
_WORD = re.compile(r'"(?:[^"\\\n]|\\.)*"?|[^\s,:{}\[\]"\x00]+')
"""A text, or whatever stands between signs and blanks, such as a number."""
_OPENING = re.compile(r'[{\["]')
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
        # Batches in a batch are not looked for: a million opened brackets would be read a million times.
        if not in_batch and (batch := _BATCH.match(text, place)):
            in_batch = True
            place = _after(text, batch.end())
            continue
        end = end_of(text, place)
        # Of a part and not of the text: to say where an error is, the reader counts the lines before it.
        part = text[place:end]
        try:
            yield decoder.decode(part)
        except (ValueError, RecursionError) as error:
            end = _end_of_words(text, place, end)
            yield Broken(text[place:end], str(error) or "It nests too deep.")
        place = _after(text, end)


def _after(text: str, place: int) -> int:
    between = _BETWEEN.match(text, place)
    return between.end() if between else place


def _end_of_words(text: str, start: int, end: int) -> int:
    """The place before the next value that is more than a word, as a thousand words are no thousand broken values."""
    if text[start] in _CLOSED_BY:
        return end
    opening = _OPENING.search(text, end)
    return opening.start() if opening else len(text)


def end_of(text: str, start: int) -> int:
    """The end of a value, broken or not: of a text or a number, or the bracket that closes it.

    A bracket closes the last one of its kind that is open, and with it those that were opened since.
    """
    if text[start] not in _CLOSED_BY:
        word = _WORD.match(text, start)
        return word.end() if word else start + 1
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
