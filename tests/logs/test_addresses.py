from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.logs.addresses import address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1/32", "127.0.0.1"),
        ("8.8.8.8", "8.8.8.8"),
        ("8.8.8.8:443", "8.8.8.8"),
        (" 8.8.8.8 ", "8.8.8.8"),
        ("localhost", "127.0.0.1"),
        ("LocalHost", "127.0.0.1"),
        ("fd7a:115c:a1e0:4b86:9046:80e:6c70:33b7", "fd7a:115c:a1e0:4b86:9046:80e:6c70:33b7"),
        ("FD7A:0:0::1", "fd7a::1"),
        ("[::1]:8080", "::1"),
        ("[::1]", "::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::/32", "2001:db8::"),
        ("", None),
        (None, None),
        ("<nil>", None),
        ("unix:@", None),
        ("999.1.1.1", None),
        ("workspace", None),
        ("1", None),
    ],
)
def test_whatever_a_sender_calls_an_address(text: str | None, expected: str | None) -> None:
    assert address(text) == expected


@given(st.text())
@settings(deadline=None)
def test_any_text_is_an_address_or_none_and_never_an_error(text: str) -> None:
    parsed = address(text)
    assert parsed is None or str(ip_address(parsed)) == parsed
