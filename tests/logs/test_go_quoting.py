from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.logs.go_quoting import quoted, unquoted


# Printed by Go's strconv.Quote.
@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"x\x1by \"q\" z"', 'x\x1by "q" z'),
        (r'"\a\b\f\n\r\t\v\\"', "\a\b\f\n\r\t\v\\"),
        (r'"\x7f"', "\x7f"),
        (r'"\u00ad\u2028"', "\u00ad\u2028"),
        (r'"\U0001f3f4\U000e0067"', "\U0001f3f4\U000e0067"),
        ('"é 世界"', "é 世界"),
        (r'"\xff"', "\ufffd"),
        (r'"\U7fffffff"', "\ufffd"),
        (r'"\q\x1"', r"\q\x1"),
        ('"', ""),
        ('"open', "open"),
        (r'"\"', "\\"),
    ],
)
def test_what_go_quotes_is_read(literal: str, text: str) -> None:
    assert unquoted(literal) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back(text: str) -> None:
    literal = quoted(text)
    assert literal.isprintable()
    assert unquoted(literal) == text
