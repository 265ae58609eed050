"""Reads the address out of whatever a sender calls one; what is none becomes None and never costs an event.

Agents and proxies have sent all of these: a bare address, one with a mask, with a port, in brackets, with a zone,
`localhost`, an IPv4 address dressed as IPv6, an empty text, and Go's `<nil>`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

_BRACKETED = re.compile(r"\[([^\]]*)\](?::\d+)?")
_KNOWN = 4_096
_LONGEST_KNOWN = 64
_WITH_PORT = re.compile(r"([^:]+):\d+")


def address(given: object) -> str | None:
    """The address in its shortest form, or None; of a list, which proxies forward, the first."""
    if isinstance(given, list):
        given = given[0] if given else None
    if not isinstance(given, str):
        return None
    return _known(given) if len(given) <= _LONGEST_KNOWN else _read(given)


def _read(given: str) -> str | None:
    bare = given.partition(",")[0].strip()
    if bare.lower() == "localhost":
        return "127.0.0.1"
    match = _BRACKETED.fullmatch(bare) or _WITH_PORT.fullmatch(bare)
    if match:
        bare = match[1]
    bare = bare.partition("/")[0].partition("%")[0]
    try:
        ip = ip_address(bare)
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ip)


_known = lru_cache(_KNOWN)(_read)
"""Events of a batch come from few addresses."""
