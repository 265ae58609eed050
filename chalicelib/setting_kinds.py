"""The kinds of settings: the reader of a variable's text, the words of the error, and the form of the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, NamedTuple

from chalicelib import durations
from chalicelib.lanes.catalogue import KEPT, Lane, chosen


class WholeNumber(NamedTuple):
    """A text that is a whole number, from the least to the most."""

    least: int
    most: int


class Word(NamedTuple):
    """A text that is one of several words."""

    words: tuple[str, ...]


class Pattern(NamedTuple):
    """A text that a regular expression matches as a whole; what it lets through may yet be refused."""

    regex: str


Form = WholeNumber | Word | Pattern
"""The form of the text of a variable, for the constraints in a deployment's template."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a setting: the function from the text of its variable to its value.

    Attributes:
        parse: makes the value; raises ValueError, KeyError or OverflowError.
        accepts: what to tell who got it wrong.
        form: what every text that is accepted in a deployment looks like.
    """

    parse: Callable[[str], Any]
    accepts: str
    form: Form


def _duration(text: str) -> int:
    return durations.parse(text)


def _positive_duration(text: str) -> int:
    nanoseconds = durations.parse(text)
    if nanoseconds <= 0:
        raise ValueError(text)
    return nanoseconds


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def whole_number(low: int, high: int) -> Kind:
    """Whole numbers within limits."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Kind(parse, f"a whole number from {low} to {high}", WholeNumber(low, high))


class Lanes(NamedTuple):
    """The lanes that a deployment keeps.

    Attributes:
        written: those that rows are written to.
        read: those that queries may use; fewer than that while one is being filled.
    """

    written: tuple[Lane, ...]
    read: tuple[Lane, ...]


def lanes_of(declared: tuple[Lane, ...]) -> Kind:
    """Names of lanes that are declared, with the lanes as the value."""
    names = {lane.name for lane in declared}

    def parse(text: str) -> Lanes:
        given = [name.strip() for name in text.split(",")]
        if not {name.removeprefix("+") for name in given} <= names | {"*"}:
            raise ValueError(text)
        read = chosen(declared, [*KEPT, *(name for name in given if not name.startswith("+"))])
        return Lanes(chosen(declared, [*KEPT, *(name.removeprefix("+") for name in given)]), read)

    named = ", ".join(lane.name for lane in declared if not lane.optional)
    optional = ", ".join(lane.name for lane in declared if lane.optional)
    accepts = f"names with commas between: * for all of {named}; and beside these {optional}"
    return Kind(parse, f"{accepts}; a + before a name has the lane written and not yet read", Pattern(_LANE_NAMES))


def one_of(*words: str) -> Kind:
    """One of several words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return Kind(parse, " or ".join(f"`{word}`" for word in words), Word(words))


def text(pattern: str, accepts: str) -> Kind:
    """Texts that a regular expression matches as a whole."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(text)
        return text

    return Kind(parse, accepts, Pattern(pattern))


def _header_names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not all(re.fullmatch(r"[A-Za-z0-9-]{1,64}", name) for name in names):
        raise ValueError(text)
    return names


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ip_network(part.strip(), strict=False)) for part in text.split(",") if part.strip())


_DURATION = r"(([0-9]+(\.[0-9]+)?|\.[0-9]+)(w|d|h|m|s|ms|us|ns))+"
_LANE_NAMES = r"\+?[a-z_*]+(,\+?[a-z_*]+)*"

RETENTION = Kind(_duration, "a duration such as 90d, 1w2d or 36h; 0 or less keeps for ever", Pattern(f"0|{_DURATION}"))
LIFETIME = Kind(_positive_duration, "a duration above zero, such as 24h or 7d", Pattern(_DURATION))
BOOLEAN = Kind(_boolean, "true or false", Word(("true", "false")))
UNUSED = Kind(_duration, "a duration such as 90d; 0 or less for never", Pattern(f"0|{_DURATION}"))
HEADER_NAMES = Kind(
    _header_names,
    "names of headers with commas between, such as X-Forwarded-For, or nothing",
    Pattern(r"([A-Za-z0-9-]{1,64}(, *[A-Za-z0-9-]{1,64})*)?"),
)
NETWORKS = Kind(
    _networks,
    "addresses and networks with commas between, such as 192.168.1.0/24, or nothing",
    Pattern(r"([0-9a-fA-F:.]+(/[0-9]+)?(, *[0-9a-fA-F:.]+(/[0-9]+)?)*)?"),
)
URL = text(r"https?://[^\s/?#]+(/[^\s?#]*)?", "an address such as https://gatebook.example.com")
OPTIONAL_URL = text(r"(https?://[^\s/?#]+(/[^\s?#]*)?)?", "an address such as https://coder.example.com, or nothing")
ORIGIN = text(
    r"(\*|https?://[^\s/?#,]+)?", "one origin such as https://portal.example.com, * for any, or nothing for none"
)
OPTIONAL_NAME = text(r"[a-zA-Z0-9_-]{0,140}", "the name of a function, or nothing")
OPTIONAL_BUCKET = text(r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?", "the name of a bucket, or nothing")
SECRETS_KEY = text(
    r"(memory|file:.+|alias/[a-zA-Z0-9/_-]+|arn:[a-z-]+:kms:[a-zA-Z0-9:/_-]+)?",
    "the ARN of a KMS key, or `alias/` and its name; `file:` and the path of a file; `memory`; or nothing",
)
PREFIX = text(r"[a-zA-Z0-9_.-]{1,64}", "1 to 64 letters, digits, dots, dashes and underscores")
USERNAME = text(
    r"(?=.{1,31}$)(?!(?i:me)$)[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*",
    "up to 31 letters and digits, with single dashes between, and not `me`",
)
OPTIONAL_EMAIL = text(r"([^\s@]+@[^\s@]+)?", "an e-mail address, or nothing")
SMARTHOST = text(
    r"(ses|[a-zA-Z0-9.-]+:[0-9]{1,5})?", "a host and a port such as mail.example.com:587, `ses`, or nothing"
)
OPTIONAL_TEXT = text(r".*", "a text, or nothing")
EMAIL = text(r"[^\s@]+@[^\s@]+", "an e-mail address")
