"""Where a token may be used from: networks in CIDR form, and whether an address or a network lies within them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4 addresses as a socket that listens for both versions shows them."""


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
