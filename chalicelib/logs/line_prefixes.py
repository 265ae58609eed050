"""Takes off what collectors write before a line of a log: container runtimes, syslog, compose and kubectl."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from typing import NamedTuple

_MOMENT = r"\d{4}-\d\d-\d\dT[\d:.,]{5,24}(?:Z|[+-]\d\d:?\d\d)"
_TIME = r"\d\d:\d\d:\d\d(?:\.\d{1,9})?"
_LOG_MOMENT = "|".join(
    (
        _MOMENT,
        # RFC 3164, as most write it, with a year, or with a fraction.
        rf"[A-Z][a-z]{{2}} [ \d]\d (?:\d{{4}} )?{_TIME}",
        # journalctl: short-full, short-monotonic, short-unix.
        rf"[A-Z][a-z]{{2}} \d{{4}}-\d\d-\d\d {_TIME} [A-Z\d:+-]{{1,6}}",
        r"\[ {0,12}\d{1,12}\.\d{1,9}\]",
        r"\d{9,11}\.\d{3,9}",
    )
)
_PROGRAM = r'[^\s:\[{"]{1,64}(?:\[\d{1,10}\])?: ?(?:@cee: ?)?'
_PREFIX = "|".join(
    (
        # The runtime of Kubernetes (CRI). P: the line goes on in the next entry of the stream.
        rf"{_MOMENT} (?P<stream>stdout|stderr) (?P<tag>[FP])(?::\S{{1,64}})?(?: |$)",
        # Syslog, RFC 5424, with or without the length before it: version, five words, structured data.
        r'(?:\d{1,7} )?<\d{1,3}>1 (?:\S{1,255} ){5}(?:-|(?:\[(?:[^\]\\"]|"(?:[^"\\]|\\.)*")*\])+) ?\ufeff?',
        # Syslog, RFC 3164, and what journalctl and rsyslog print: time, often a host, program; then a mark for JSON.
        rf'(?:<\d{{1,3}}>)?(?:{_LOG_MOMENT}) (?:[^\s{{"]{{1,255}} )?{_PROGRAM}',
        r"<\d{1,3}>",
        # docker compose; kubectl --prefix and Coder's own development server.
        r"[\w.-]{1,128} {1,64}\| ",
        r"\[[\w./ -]{1,255}\] ",
        rf"{_MOMENT} ",
        # Fluentd's file: time, tag, record.
        rf"{_MOMENT}\t[^\s{{]{{1,255}}\t",
        # A length (RFC 6587), a record's mark (RFC 7464), a stream of events, a field of journald, the mark of UTF-8.
        r"\d{1,7} (?=<)",
        r"\x1e",
        r"data: ?(?=\{)",
        r"MESSAGE=(?=\{|\d{4}-)",
        r"\ufeff",
    )
)
_MOST_PREFIXES = 6
_COLOUR = re.compile(r"\x1b\[[\d;]{0,16}m")


class Part(Enum):
    """The part of a line that an entry of a container's log holds."""

    WHOLE = "whole"
    BEGINNING = "beginning"
    """The next entry of the same stream goes on."""


class Line(NamedTuple):
    """A line without what a collector put before it.

    Attributes:
        text: the line as the program printed it, without colours.
        part: how much of it this is.
        stream: of the container; empty where the collector does not say.
    """

    text: str
    part: Part = Part.WHOLE
    stream: str = ""


@cache
def _pattern() -> re.Pattern[str]:
    # Compiled at first use: a cold start would pay for it.
    return re.compile(_PREFIX)


def bare(text: str) -> Line:
    """The line that a program printed, out of the line that a collector made of it."""
    if text.startswith("{"):
        return Line(text)
    part, stream = Part.WHOLE, ""
    for _ in range(_MOST_PREFIXES):
        match = _pattern().match(text)
        if match is None:
            break
        text = text[match.end() :]
        if match["tag"]:
            part, stream = Part.BEGINNING if match["tag"] == "P" else Part.WHOLE, match["stream"]
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    return Line(text, part, stream)
