"""Where a token may be used from: networks in CIDR form, and whether an address or a network lies within them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4 addresses as a socket that listens for both versions shows them."""
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as a network that has IPv6 alone reaches them, RFC 6052."""
_COMPATIBLE = IPv6Network("::/96")
"""IPv4 addresses as the first drafts of IPv6 wrote them."""


def normal(text: str) -> str:
    """The one way to write a network or an address: without host bits, and IPv4 as such where IPv6 only dresses it.

    Raises:
        ValueError: it is neither. An address with a zone is none: what the zone means is known on one machine alone.
    """
    network = ip_network(text.strip(), strict=False)
    if "%" in text:
        raise ValueError("a zone means nothing to others")
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        mapped = int(network.network_address) & 0xFFFF_FFFF
        network = IPv4Network((mapped, network.prefixlen - _MAPPED.prefixlen))
    return str(network)


def contain(networks: Sequence[str], address: str) -> bool:
    """Whether a client at this address may use a token with these networks; a token without any takes every client."""
    if not networks:
        return True
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip in ip_network(network) for network in networks)


def within(held: Sequence[str], requested: Sequence[str]) -> str | None:
    """The first requested network that the held ones do not cover; None when they cover all. No held ones cover any."""
    if not held:
        return None
    outer = [ip_network(network) for network in held]
    return next((network for network in requested if not _covered(outer, ip_network(network))), None)


def _covered(outer: Sequence[Network], inner: Network) -> bool:
    return any(
        inner.version == network.version and inner.network_address in network and inner.prefixlen >= network.prefixlen
        for network in outer
    )


def is_public(address: str) -> bool:
    """Whether an address is one of the internet: not of a private network, of the link or of this machine.

    An IPv4 address that IPv6 dresses, in any of its ways, is looked at as what it is.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    inner = _inner(ip) if isinstance(ip, IPv6Address) else ip
    return inner.is_global and not inner.is_multicast


def _inner(ip: IPv6Address) -> IPv4Address | IPv6Address:
    if ip in _TRANSLATED or ip in _COMPATIBLE:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
