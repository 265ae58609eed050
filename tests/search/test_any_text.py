"""Whatever the text of a query, the answer is a filter or the error shape; no third thing happens."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.casing import lowered
from chalicelib.errors import Invalid
from chalicelib.search.filter import Filter
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable
from chalicelib.search.parser import parse

TABLES = (CONNECTION_FILTERS, AUDIT_FILTERS)
ME = "11111111-1111-4111-8111-111111111111"
ORGANIZATION = "22222222-2222-4222-8222-222222222222"

any_character = st.characters() | st.characters(categories=["Cs", "Cc", "Cf", "Zs"])
numbers = st.text("0123456789", min_size=1, max_size=4)
times = st.lists(numbers | st.sampled_from(["2024", "01", "29", "-", ":", "T", ".", ",", "Z", "+"]), max_size=14)
values = st.one_of(
    st.text(any_character),
    st.uuids().map(str),
    times.map("".join),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.dates().map(str),
    st.sampled_from([word for table in TABLES for key in table.keys for word in (*key.values, *key.aliases)]),
    st.sampled_from(["me", "testorg", "", "00000000-0000-0000-0000-000000000000"]),
)
keys = st.sampled_from([key.key for table in TABLES for key in table.keys]) | st.text(any_character, max_size=5)
quotes = st.sampled_from(["", '"'])
elements = st.tuples(quotes, keys, quotes, st.sampled_from([":", ":", ":", "", "::"]), quotes, values, quotes).map(
    "".join
)
queries = st.lists(elements, max_size=6).map(" ".join)


def answer(query: str, table: FilterTable) -> Filter | Invalid:
    try:
        return parse(query, table, me=ME, organization={"testorg": ORGANIZATION}.get)
    except Invalid as error:
        return error


def check(query: str, table: FilterTable) -> None:
    parsed = answer(query, table)
    assert repr(answer(query, table)) == repr(parsed)
    if isinstance(parsed, Filter):
        known = {key.field for key in table.keys}
        conditions = [(one.field, one.values) for one in parsed.conditions]
        texts = [value for _, values in (*parsed.fields, *conditions) for value in values]
        texts += [reference.text for choice in parsed.users for reference in choice.references]
        fields = {field for field, _ in (*parsed.fields, *conditions)}
        assert fields | {choice.field for choice in parsed.users} <= known
        assert all(text and text == lowered(text) and text.encode() for text in texts)
        assert all(bound is None or bound.utcoffset() is not None for bound in (parsed.after, parsed.before))
    else:
        assert parsed.status == 400
        assert parsed.message == table.message
        assert parsed.validations
        assert all(validation.detail for validation in parsed.validations)
        assert json.dumps(parsed.body(), ensure_ascii=False).encode()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.log)
@settings(deadline=None)
@given(st.text(any_character))
def test_any_text_gives_a_filter_or_the_error_shape(table: FilterTable, query: str) -> None:
    check(query, table)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.log)
@settings(deadline=None)
@given(queries)
def test_any_text_that_looks_like_the_language_gives_a_filter_or_the_error_shape(
    table: FilterTable, query: str
) -> None:
    check(query, table)


@settings(deadline=None)
@given(st.text(any_character.filter(lambda character: character != '"'), min_size=1))
def test_a_quoted_target_comes_back_in_lower_case(value: str) -> None:
    assert answer(f'resource_target:"{value}"', AUDIT_FILTERS) == Filter(
        fields=(("target", frozenset({lowered(value)})),)
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.log)
@pytest.mark.parametrize("text", ['"', ":", "a", 'a"', "a:b ", "\u2603:"])
def test_long_queries_are_answered_too(table: FilterTable, text: str) -> None:
    check(text * 20_000, table)
