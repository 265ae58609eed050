"""One value of a query, read strictly: a UUID, a word of a list, a day or a moment, or the reason why it is none.

Reasons are worded as Go's standard library words them, since clients of this API know those texts.
"""

from __future__ import annotations

import re
from datetime import MINYEAR, UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, TypeVar

from chalicelib import durations
from chalicelib.logs import go_quoting

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

T = TypeVar("T")

NIL_UUID = "00000000-0000-0000-0000-000000000000"
"""Stands for "no UUID given" wherever a UUID is asked for."""

_REPEATED = 100
_FLAGS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}
_INT64_DIGITS = 19
_MAPPED = IPv6Network("::ffff:0:0/96")
_DAY = "2006-01-02"
_MOMENT = "2006-01-02T15:04:05.999999999Z07:00"

# Patterns stay text in this module, for `re` to compile at first use: a cold start would pay for every one of them.
_HYPHENATED = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID = rf"(?:urn:uuid:)?{_HYPHENATED}|\{{{_HYPHENATED}\}}|[0-9a-f]{{32}}"


class WrongValue(ValueError):
    """A value that its key cannot take; its text is the sentence for the client, less its subject."""


def uuid(text: str) -> str:
    """A UUID as lower-case hyphenated text, from that form, `urn:uuid:…`, `{…}` or 32 hex digits.

    Raises:
        WrongValue: it is none of the four.
    """
    if re.fullmatch(_HYPHENATED, text):
        return text
    lower = text.lower()
    if not re.fullmatch(_UUID, lower):
        raise WrongValue("must be a valid uuid")
    digits = lower.removeprefix("urn:uuid:").strip("{}").replace("-", "")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def enum(text: str, words: Collection[str], aliases: Mapping[str, str]) -> str:
    """One of the words, or the word that an alias stands for.

    Raises:
        WrongValue: it is neither.
    """
    word = aliases.get(text, text)
    if word not in words:
        raise WrongValue(f"has invalid value: {quoted(text)} is not a valid value")
    return word


def only(given: Sequence[T]) -> T:
    """The one term of a key that takes one.

    Raises:
        WrongValue: there are several.
    """
    if len(given) > 1:
        problem = f"provided more than once, found {len(given)} times"
        raise WrongValue(f"{problem}. Only provide 1 instance of this query param.")
    return given[0]


def boolean(text: str) -> bool:
    """A flag, in any of the ways that Go's `strconv.ParseBool` takes, whatever its case.

    Raises:
        WrongValue: it is none of them.
    """
    flag = _FLAGS.get(text.lower())
    if flag is None:
        raise WrongValue(f"must be a valid boolean: strconv.ParseBool: parsing {quoted(text)}: invalid syntax")
    return flag


def int64(text: str) -> int:
    """A whole number of 64 bits.

    Raises:
        WrongValue: it is none, or out of range.
    """
    problem = ""
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        problem = "invalid syntax"
    elif len(text.lstrip("+-0")) > _INT64_DIGITS or not -(2**63) <= int(text) < 2**63:
        problem = "value out of range"
    if problem:
        raise WrongValue(f"must be a valid int64: strconv.ParseInt: parsing {quoted(text)}: {problem}")
    return int(text)


def number(text: str) -> str:
    """A whole number without a sign, as its shortest text.

    Raises:
        WrongValue: it is none, or out of range of 64 bits.
    """
    if not re.fullmatch(r"[0-9]+", text, re.ASCII):
        raise WrongValue(f"has invalid value: {quoted(text)} is no whole number")
    return str(int64(text))


def date(text: str) -> datetime:
    """The first moment of a day `YYYY-MM-DD`, in UTC.

    Raises:
        WrongValue: it is no day, or none of the years 1 to 9999.
    """
    return _joined(text, _DAY, _read(text, _DAY, _DAY_ELEMENTS))


_PLAIN_MOMENT = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z"


def timestamp(text: str) -> datetime:
    """A moment in RFC 3339, in UTC and rounded half up to the microsecond.

    `t` and `z` may be small. Three liberties are Go's: an hour of one digit, a comma before the fraction, and offsets
    up to 24:60.

    Raises:
        WrongValue: it is no moment, or none of the years 1 to 9999.
    """
    plain = re.fullmatch(_PLAIN_MOMENT, text, re.ASCII)
    if plain is not None:
        # As nearly all are written. What is wrong with any other is found in parts.
        try:
            whole = datetime.fromisoformat(f"{plain[1]}+00:00")
            return whole + timedelta(microseconds=(int(plain[2] or 0) * 10 ** (9 - len(plain[2] or "")) + 500) // 1_000)
        except (ValueError, OverflowError):
            pass
    upper = text.upper()
    return _joined(upper, _MOMENT, _read(upper, _MOMENT, _DAY_ELEMENTS + _CLOCK_ELEMENTS))


def moment(text: str) -> datetime | timedelta:
    """A moment: in RFC 3339 or as a day `YYYY-MM-DD`, its first moment in UTC; or how long ago, such as `-24h`.

    Raises:
        WrongValue: it is none of the three.
    """
    if text.startswith("-"):
        return _ago(text)
    return date(text) if is_day(text) else timestamp(text)


def is_day(text: str) -> bool:
    """Whether a text is written as a day is."""
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII) is not None


def _ago(text: str) -> timedelta:
    try:
        return timedelta(microseconds=-durations.parse(text) // 1_000)
    except durations.InvalidDuration as error:
        problem = "must be a time, a day, or how long ago such as -24h or -7d"
        raise WrongValue(f"{problem}: {error}") from error


def network(text: str) -> str:
    """An address or a network in CIDR notation, in its shortest form; an address is a text without a slash.

    Raises:
        WrongValue: it is neither.
    """
    try:
        parsed = ip_network(text, strict=False)
    except ValueError as error:
        problem = f"{quoted(text)} is no address and no network such as 203.0.113.0/24"
        raise WrongValue(f"has invalid value: {problem}") from error
    if "%" in text:
        raise WrongValue(f"has invalid value: {quoted(text)} has a zone, which means nothing to others")
    if isinstance(parsed, IPv6Network) and parsed.subnet_of(_MAPPED):
        # As addresses are stored: IPv4 where IPv6 only dresses it.
        parsed = IPv4Network((int(parsed.network_address) & 0xFFFFFFFF, parsed.prefixlen - _MAPPED.prefixlen))
    return str(parsed.network_address) if parsed.prefixlen == parsed.max_prefixlen else str(parsed)


def quoted(text: str) -> str:
    """The text in double quotes as Go's `%q` writes it, cut, with escapes for all that is not printable."""
    return go_quoting.quoted(cut(text))


def cut(text: str) -> str:
    """A client's text as an error repeats it: the first hundred characters, with three dots where there are more."""
    return text if len(text) <= _REPEATED else f"{text[:_REPEATED]}..."


# How a layout writes each of its pieces, and the pattern of what fits it.
_DAY_ELEMENTS = (
    ("2006", r"(?P<year>[0-9]{4})"),
    ("-", r"-"),
    ("01", r"(?P<month>[0-9]{2})"),
    ("-", r"-"),
    ("02", r"(?P<day>[0-9]{2})"),
)
_CLOCK_ELEMENTS = (
    ("T", r"T"),
    ("15", r"(?P<hour>[0-9]{1,2})"),
    (":", r":"),
    ("04", r"(?P<minute>[0-9]{2})"),
    (":", r":"),
    ("05", r"(?P<second>[0-9]{2})"),
    (".999999999", r"(?:[.,](?P<fraction>[0-9]+))?"),
    ("Z07:00", r"Z|(?P<sign>[+-])(?P<time_zone_offset_hour>[0-9]{2}):(?P<time_zone_offset_minute>[0-9]{2})"),
)
_LIMITS = {
    "month": range(1, 13),
    "hour": range(24),
    "minute": range(60),
    "second": range(60),
    "time_zone_offset_hour": range(25),
    "time_zone_offset_minute": range(61),
}
_CALENDAR = ("year", "month", "day", "hour", "minute", "second")


def _read(text: str, layout: str, elements: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The named parts of a time, each within its own limits; parts left out are not there."""
    parts: dict[str, str] = {}
    remaining = text
    for element, pattern in elements:
        match = re.match(pattern, remaining)
        if match is None:
            problem = f" as {_go_quoted(layout)}: cannot parse {_go_quoted(remaining)} as {_go_quoted(element)}"
            raise _wrong_time(text, layout, problem)
        remaining = remaining[match.end() :]
        for name, digits in match.groupdict().items():
            if digits is None:
                continue
            if name in _LIMITS and int(digits) not in _LIMITS[name]:
                raise _wrong_time(text, layout, f": {name.replace('_', ' ')} out of range")
            parts[name] = digits
    if remaining:
        raise _wrong_time(text, layout, f": extra text: {_go_quoted(remaining)}")
    return parts


def _joined(text: str, layout: str, parts: Mapping[str, str]) -> datetime:
    """The moment that the parts make together; only here do day and year show whether they exist."""
    year, month, day, hour, minute, second = (int(parts.get(name, "0")) for name in _CALENDAR)
    if year < MINYEAR:
        raise _wrong_time(text, layout, ": year out of range")
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise _wrong_time(text, layout, ": day out of range") from error
    nanoseconds = int(parts.get("fraction", "")[:9].ljust(9, "0"))
    rounded = timedelta(microseconds=(nanoseconds + 500) // 1000)
    hours, minutes = (int(parts.get(f"time_zone_offset_{part}", "0")) for part in ("hour", "minute"))
    offset = timedelta(hours=hours, minutes=minutes)
    try:
        return local + rounded + (offset if parts.get("sign") == "-" else -offset)
    except OverflowError as error:
        raise _wrong_time(text, layout, ": year out of range") from error


def _wrong_time(text: str, layout: str, problem: str) -> WrongValue:
    return WrongValue(f"must be a valid date format ({layout}): parsing time {_go_quoted(text)}{problem}")


_NOT_PLAIN = re.compile(r'["\\]|[^ -\x7f]+')


def _go_quoted(text: str) -> str:
    """The text in double quotes as Go's `time` writes it, with the bytes of all that is not plain ASCII in hex."""
    return f'"{_NOT_PLAIN.sub(_escaped, text)}"'


def _escaped(characters: re.Match[str]) -> str:
    if characters[0] in '"\\':
        return f"\\{characters[0]}"
    return "\\x" + characters[0].encode(errors="surrogatepass").hex("|").replace("|", "\\x")
