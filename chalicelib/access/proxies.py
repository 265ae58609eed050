"""The address of a client behind proxies: what a proxy says counts only as far as proxies that are trusted say it.

A header such as `X-Forwarded-For` lists addresses, each added on the right by the proxy that was asked by it. Whatever
stands left of the first address that is no trusted proxy was written by a stranger. Coder takes the leftmost address;
where every proxy in between is trusted, that is the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from chalicelib.access.networks import contain


def client_address(peer: str, forwarded: Iterable[str], trusted: Sequence[str]) -> str:
    """The address of the client.

    Args:
        peer: the address from which the service itself was called.
        forwarded: the values of the trusted headers, in the order in which they are looked at; "" is none.
        trusted: the networks of the proxies that are trusted; none means that no header counts.
    """
    if not trusted or not contain(trusted, peer):
        return peer
    for value in forwarded:
        client = _first_stranger(value, trusted)
        if client:
            return client
    return peer


def _first_stranger(value: str, trusted: Sequence[str]) -> str:
    """The rightmost address of a list that is no trusted proxy, the leftmost where all are; "" where there is none."""
    last = ""
    for hop in reversed(value.split(",")):
        address = _address(hop.strip())
        if not address:
            break
        last = address
        if not contain(trusted, address):
            break
    return last


def _address(text: str) -> str:
    """An address without the port that proxies may add; "" for text that is no address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
