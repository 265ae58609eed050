"""Packed values come back as they were, in whichever of the two attributes is smaller."""

from __future__ import annotations

import json
import string
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.models.sending import json_text
from chalicelib.store.dynamodb.packing import packed, unpacked
from chalicelib.store.dynamodb.stored_json import StoredObject

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=6))
def test_any_json_object_comes_back(doc: dict[str, Any]) -> None:
    item = packed(doc)
    assert len(item) == 1
    assert unpacked(item) == doc


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=6), st.dictionaries(st.text(max_size=8), JSON, max_size=6))
@example({}, {"a": "\n<&\u2028"})
@example({"a": 1}, {"long": 2**70})
@example({"a": "x" * 600}, {"half": "\ud800"})
def test_a_value_that_stands_apart_comes_back_as_it_was_written(doc: dict[str, Any], large: dict[str, Any]) -> None:
    whole = {**doc, "large": large}
    read = unpacked(packed(whole, apart="large"), apart="large")
    assert read == whole
    assert list(read["large"]) == list(large)
    assert json.loads(json_text(read)) == json.loads(json_text(whole))
    # What was read is stored again as it was.
    assert unpacked(packed(read, apart="large"), apart="large") == whole


def test_a_value_that_stands_apart_is_not_read_to_be_sent() -> None:
    read = unpacked(packed({"large": {"b": 1.50, "a": [1e3]}, "more": 1}, apart="large"), apart="large")
    assert isinstance(read["large"], StoredObject)
    read["large"].text = b'{"sent":"as it is"}'
    assert json_text(read) == '{"more":1,"large":{"sent":"as it is"}}'


def test_nothing_that_is_compressed_begins_like_the_rows_of_before() -> None:
    random = Random(5)
    for size in (600, 5_000, 200_000):
        for letters in ("ab", string.ascii_letters, "".join(map(chr, range(0x4E00, 0x6E00)))):
            item = packed({"a": "".join(random.choices(letters, k=size))})
            assert item["zdoc"]["B"][0] != 0x78


def test_a_small_document_is_plain_text() -> None:
    assert packed({"name": "dev", "größe": 1}) == {"doc": {"S": '{"name":"dev","größe":1}'}}


def test_a_long_document_is_compressed() -> None:
    doc = {"names": ["billing-backend"] * 100}
    item = packed(doc)
    assert item.keys() == {"zdoc"}
    assert len(item["zdoc"]["B"]) < 200
    assert unpacked(item) == doc


def test_compression_never_makes_a_document_longer() -> None:
    noise = {"noise": "".join(chr(0x21 + (i * i * 7919 + i * 104_729) % 94) for i in range(505))}
    item = packed(noise)
    assert sum(len(value.get("B", b"")) + len(value.get("S", "").encode()) for value in item.values()) <= 517
    assert unpacked(item) == noise


def test_half_a_character_in_a_long_document_is_kept() -> None:
    doc = {"a": "\ud800" * 600}
    assert unpacked(packed(doc)) == doc


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
@example(2**64)
@example([-(2**200), {"9" * 19: "1" * 30}])
@example("\ud800")
@example(-0.0)
def test_whatever_is_packed_comes_back_to_the_last_digit(value: Any) -> None:
    for doc in ({"value": value}, {"value": value, "more": "x" * 600}):
        assert repr(unpacked(packed(doc))) == repr(doc)


@pytest.mark.parametrize("size", [400, 513, 10_000, 16_383, 16_384, 16_385, 40_000, 200_000])
@pytest.mark.parametrize("words", [b"", b"the words of most docs " * 300])
def test_a_doc_of_any_size_comes_back_from_either_window(size: int, words: bytes) -> None:
    doc = {"text": "".join(f"the words of most docs {number} " for number in range(size // 28)).ljust(size)}
    item = packed(doc, words)
    assert unpacked(item, words) == doc
    assert sum(len(value) for kinds in item.values() for value in kinds.values()) <= size + 11
