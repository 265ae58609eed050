"""An address is let in when a network holds it, and a network is covered when it lies within one that is held."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.access.networks import contain, is_public, normal, within

NETWORKS = st.builds(
    lambda address, length: normal(f"{address}/{min(length, address.max_prefixlen)}"),
    st.ip_addresses(),
    st.integers(0, 128),
)


@pytest.mark.parametrize(
    ("networks", "address", "inside"),
    [
        ((), "203.0.113.7", True),
        ((), "", True),
        (("203.0.113.0/24",), "203.0.113.0", True),
        (("203.0.113.0/24",), "203.0.113.255", True),
        (("203.0.113.0/24",), "203.0.112.255", False),
        (("203.0.113.0/24",), "203.0.114.0", False),
        (("203.0.113.7/32",), "203.0.113.7", True),
        (("203.0.113.7/32",), "203.0.113.8", False),
        (("198.51.100.0/24", "203.0.113.0/24"), "203.0.113.7", True),
        (("0.0.0.0/0",), "203.0.113.7", True),
        (("0.0.0.0/0",), "2001:db8::1", False),
        (("::/0",), "2001:db8::1", True),
        (("2001:db8::/32",), "2001:db8:ffff::1", True),
        (("2001:db8::/32",), "2001:DB8::1", True),
        (("2001:db8::/32",), "2001:db9::1", False),
        # An IPv4 client of a socket that listens on both.
        (("203.0.113.0/24",), "::ffff:203.0.113.7", True),
        (("203.0.113.0/24",), "::ffff:203.0.114.7", False),
        # Who calls is unknown, and so is not among those who may.
        (("0.0.0.0/0", "::/0"), "", False),
        (("0.0.0.0/0", "::/0"), "unknown", False),
        (("0.0.0.0/0", "::/0"), "203.0.113.7:80", False),
    ],
)
def test_who_is_let_in(networks: tuple[str, ...], address: str, inside: bool) -> None:
    assert contain(networks, address) is inside


@pytest.mark.parametrize(
    ("held", "requested", "outside"),
    [
        ((), (), None),
        ((), ("0.0.0.0/0",), None),
        (("10.0.0.0/8",), (), None),
        (("10.0.0.0/8",), ("10.0.0.0/8",), None),
        (("10.0.0.0/8",), ("10.1.0.0/16", "10.2.3.4/32"), None),
        (("10.1.0.0/16",), ("10.0.0.0/8",), "10.0.0.0/8"),
        (("10.0.0.0/8",), ("10.1.0.0/16", "192.168.0.0/16", "172.16.0.0/12"), "192.168.0.0/16"),
        (("10.0.0.0/8", "192.168.0.0/16"), ("192.168.1.0/24", "10.0.0.1/32"), None),
        (("0.0.0.0/0",), ("::/0",), "::/0"),
        (("::/0",), ("0.0.0.0/0",), "0.0.0.0/0"),
        (("2001:db8::/32",), ("2001:db8:1::/48",), None),
        (("2001:db8:1::/48",), ("2001:db8::/32",), "2001:db8::/32"),
        # Two halves do not make a whole: each network must lie in one.
        (("10.0.0.0/9", "10.128.0.0/9"), ("10.0.0.0/8",), "10.0.0.0/8"),
    ],
)
def test_what_is_covered(held: tuple[str, ...], requested: tuple[str, ...], outside: str | None) -> None:
    assert within(held, requested) == outside


@settings(deadline=None)
@given(st.lists(NETWORKS, min_size=1, max_size=3), st.lists(NETWORKS, min_size=1, max_size=3), st.data())
def test_what_is_covered_lets_in_nobody_new(held: list[str], requested: list[str], data: st.DataObject) -> None:
    picked = ip_network(data.draw(st.sampled_from(requested)))
    offset = data.draw(st.integers(0, picked.num_addresses - 1))
    address = str(ip_address(int(picked.network_address) + offset) if picked.version == 4 else picked[offset])
    assert contain(requested, address)
    if within(held, requested) is None:
        assert contain(held, address) == contain(requested, address)


@settings(deadline=None)
@given(st.lists(NETWORKS, max_size=3))
def test_every_list_covers_itself(held: list[str]) -> None:
    assert within(held, held) is None


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        (" 203.0.113.7/24 ", "203.0.113.0/24"),
        ("2001:DB8:0:0::1", "2001:db8::1/128"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.7/120", "203.0.113.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ],
)
def test_a_network_is_written_in_one_way(text: str, network: str) -> None:
    assert normal(text) == network
    assert normal(network) == network


@pytest.mark.parametrize("text", ["", "x", "10.0.0.0/33", "::/129", "10.0.0.1:80", "fe80::1%eth0", "fe80::%1/64", "1"])
def test_what_is_no_network_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        normal(text)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254"),
        *("224.0.0.1", "255.255.255.255", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254"),
        *("ff0e::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254"),
        *("2002:7f00:1::", "2002:a00:1::", "", "x", "localhost"),
    ],
)
def test_a_place_within_is_public_in_no_dress(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)
