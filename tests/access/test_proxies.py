"""A header counts for a client's address only as far as trusted proxies have written it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.access.proxies import client_address

PROXY, CLIENT, STRANGER = "10.0.0.9", "203.0.113.7", "198.51.100.1"
TRUSTED = ("10.0.0.0/8", "2001:db8::/32")


@pytest.mark.parametrize(
    ("peer", "headers", "trusted", "address"),
    [
        (PROXY, [CLIENT], TRUSTED, CLIENT),
        (PROXY, [f"{CLIENT}, {PROXY}"], TRUSTED, CLIENT),
        (PROXY, [f"{STRANGER}, {CLIENT}"], TRUSTED, CLIENT),
        (PROXY, [f"{STRANGER}, {CLIENT}, 10.1.2.3"], TRUSTED, CLIENT),
        (PROXY, [f"10.1.1.1,{PROXY}"], TRUSTED, "10.1.1.1"),
        (STRANGER, [CLIENT], TRUSTED, STRANGER),
        (PROXY, [CLIENT], (), PROXY),
        (PROXY, [], TRUSTED, PROXY),
        (PROXY, ["", CLIENT], TRUSTED, CLIENT),
        (PROXY, ["no address", CLIENT], TRUSTED, CLIENT),
        (PROXY, [CLIENT, STRANGER], TRUSTED, CLIENT),
        (PROXY, [f"{CLIENT}:4711"], TRUSTED, CLIENT),
        (PROXY, ["[2001:db9::7]:443"], TRUSTED, "2001:db9::7"),
        (PROXY, ["2001:db9::7"], TRUSTED, "2001:db9::7"),
        ("2001:db8::1", [CLIENT], TRUSTED, CLIENT),
        (PROXY, ["unknown"], TRUSTED, PROXY),
        ("", [CLIENT], TRUSTED, ""),
    ],
)
def test_the_address_of_a_client(peer: str, headers: list[str], trusted: tuple[str, ...], address: str) -> None:
    assert client_address(peer, headers, trusted) == address


@given(st.text(max_size=40))
def test_nothing_that_a_stranger_writes_before_it_hides_the_client(written: str) -> None:
    assert client_address(PROXY, [f"{written},{CLIENT}"], TRUSTED) == CLIENT
    assert client_address(STRANGER, [written], TRUSTED) == STRANGER
