"""Sizes by DynamoDB's page "Item sizes and formats"."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cost.size import item_size, number_size, value_size


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "dev"}, 3),
        ({"S": "é"}, 2),
        ({"S": "😀"}, 4),
        ({"B": b"\x00\xff"}, 2),
        ({"B": "AP8="}, 2),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "42"}, 2),
        ({"N": "100"}, 2),
        ({"N": "123"}, 3),
        ({"N": "-12.5"}, 3),
        ({"N": "0.00120"}, 2),
        ({"N": "1E+20"}, 2),
        ({"N": "12345678901234567890123456789012345678"}, 20),
        ({"SS": ["a", "bc"]}, 3),
        ({"NS": ["1", "123"]}, 5),
        ({"BS": [b"ab", b"c"]}, 3),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + (1 + 2) + (1 + 2)),
        ({"M": {"key": {"S": "v"}}}, 3 + 1 + 3 + 1),
        ({"L": [{"L": []}]}, 3 + 1 + 3),
    ],
)
def test_a_value_has_the_size_of_its_type(value: dict[str, Any], size: int) -> None:
    assert value_size(value) == size


def test_names_of_attributes_are_part_of_an_item() -> None:
    assert item_size({"id": {"S": "abc"}, "größe": {"N": "1"}}) == 2 + 3 + 7 + 2
    assert item_size({}) == 0


def test_a_value_of_no_known_type_is_refused() -> None:
    with pytest.raises(ValueError, match="no type X"):
        value_size({"X": "1"})


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20))
def test_zeros_at_either_end_of_a_number_take_no_bytes(number: Any) -> None:
    text = f"{number:f}"
    padded = text + "0" * 5 if "." in text else f"{text}.00000"
    assert number_size(padded) == number_size(text)
    assert 1 <= number_size(text) <= len(text) // 2 + 2
