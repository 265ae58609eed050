r"""Reads the entries that a Coder server prints with `--log-human`.

    2026-10-07 11:34:37.428 [info]  coderd: audit_log  ID=1...  UserAgent="x \"y\"" ...
        ResourceTarget= first line
                        second line

A value is bare unless it is empty, holds white space or needs an escape; then it stands in quotes. A map is JSON and
may hold blanks. The first text with a line break in it stands below: its place in the first line is left out, and the
first line ends in ` ...`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from chalicelib.logs.go_quoting import unquoted

INDENT = "    "
"""With this begin the lines below an entry; no entry begins with it."""
CUT = " ..."
"""With this ends the first line of an entry that goes on below."""

_HEAD = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,9} +\[(?:debu|info|warn|erro|crit|fata)[a-z]{0,4}\] +"
    r"(?:[\w.-]+: +)?(?P<message>connection_log|audit_log)(?= |$)"
)
_PAIR = re.compile(r' *([^\s="]{1,255})=(?:("(?:[^"\\]|\\.)*"?)|([^\s{]\S*))?')
_NO_PAIR = re.compile(r" *\S*")
_ENDS_A_VALUE = re.compile(r" |$")
_UP_TO_TWO_BLANKS = re.compile(r"\S*(?: \S+)*")
_BLOCK_KEY = re.compile(rf"{INDENT}(\S+?)= ?(.*)")
_DECODER = json.JSONDecoder()


def message_of(line: str) -> str | None:
    """The message of an entry's first line, `connection_log` or `audit_log`; None for any other line."""
    match = _HEAD.match(line)
    return match["message"] if match else None


def fields_of(line: str, below: Sequence[str] = ()) -> dict[str, str]:
    """The fields of an entry as texts; of a field that is there twice the last one, which is the entry's own.

    Args:
        line: the first line of an entry, for which `message_of` gives a message.
        below: the lines below it, with their indent.
    """
    match = _HEAD.match(line)
    fields: dict[str, str] = {}
    place = match.end() if match else 0
    line = line.rstrip().removesuffix(CUT)
    while place < len(line):
        pair = _PAIR.match(line, place)
        if pair is None:
            word = _NO_PAIR.match(line, place)
            place = max(word.end() if word else place, place + 1)
            continue
        key, literal, bare = pair.groups()
        place = pair.end()
        if literal is not None:
            fields[key] = unquoted(literal)
        elif bare is None and line.startswith("{", place):
            fields[key], place = _map(line, place)
        else:
            fields[key] = bare or ""
    return fields | _block(below)


def _map(line: str, place: int) -> tuple[str, int]:
    """The JSON object at a place in a line, or what stands there up to two blanks; and the place after it."""
    try:
        _, end = _DECODER.raw_decode(line, place)
    except (ValueError, RecursionError):
        end = 0
    if not _ENDS_A_VALUE.match(line, end):
        # A text that only begins as an object does.
        match = _UP_TO_TWO_BLANKS.match(line, place)
        end = match.end() if match else len(line)
    return line[place:end], end


def _block(below: Sequence[str]) -> dict[str, str]:
    match = _BLOCK_KEY.match(below[0]) if below else None
    if match is None:
        return {}
    indent = len(INDENT) + len(match[1]) + len("= ")
    return {match[1]: "\n".join([match[2], *(line[indent:] for line in below[1:])]).rstrip("\n")}
