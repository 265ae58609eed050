"""A query falls into the terms that the language's specification says, or into the error that it says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.casing import lowered
from chalicelib.search.lexer import Term, WrongElement, terms


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", []),
        ("   ", []),
        ("     Foo/Bar     ", [("bare", "foo/bar")]),
        ("workspace-name TEMPLATE:docker", [("template", "docker"), ("bare", "workspace-name")]),
        (
            "name:workspace-name template:docker OWNER:Alice",
            [("name", "workspace-name"), ("template", "docker"), ("owner", "alice")],
        ),
        (
            'name:workspace-name template:"docker template" owner:alice',
            [("name", "workspace-name"), ("template", "docker template"), ("owner", "alice")],
        ),
        ('"name":baz "template":foo "owner":bar', [("name", "baz"), ("template", "foo"), ("owner", "bar")]),
        ('name:"workspace:name"', [("name", "workspace:name")]),
        ('"foo/bar"', [("bare", '"foo/bar"')]),
        (
            'param:"image=ghcr.io/coder/coder-preview:main"',
            [("param", "image=ghcr.io/coder/coder-preview:main")],
        ),
        ("usEr-name stAtus:actiVe", [("status", "active"), ("bare", "user-name")]),
        (
            'status:SuSpenDeD sEArch:"User Name" role:meMber',
            [("status", "suspended"), ("search", "user name"), ("role", "member")],
        ),
        ("login_type:github login_type:password", [("login_type", "github"), ("login_type", "password")]),
        ("test name", [("bare", "test name")]),
        ('foo bar exact_name:"test display name"', [("exact_name", "test display name"), ("bare", "foo bar")]),
        ("foo key:value bar", [("key", "value"), ("bare", "foo bar")]),
        ('name:""', [("name", "")]),
        ('"":value', [("", "value")]),
        ("a::b", [("a", "b")]),
        ('name:a"b c"d', [("name", 'a"b c"d')]),
        ('name:"unclosed to the end:of it', [("name", "unclosed to the end:of it")]),
        ('"quoted:colon" later:1 word', [("bare", '"quoted:colon"'), ("later", "1"), ("bare", "word")]),
        ("name:a\tb\nc", [("name", "a\tb\nc")]),
        ("name:é\u00a0Ü", [("name", "é\u00a0ü")]),
    ],
)
def test_terms_are_those_of_the_specification(query: str, expected: list[tuple[str, str]]) -> None:
    assert [(term.key, term.value) for term in terms(query, "bare")] == expected
    assert [term.choices for term in terms(query, "bare")] == [()] * len(expected)


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        (":foo", "Query element \":foo\" cannot start or end with ':'"),
        ("foo:", "Query element \"foo:\" cannot start or end with ':'"),
        (":", "Query element \":\" cannot start or end with ':'"),
        ("foo: bar", "Query element \"foo:\" cannot start or end with ':'"),
        ('foo:"a b:', 'Query element "foo:\\"a b:" cannot start or end with \':\''),
        ("Search:name:extra", "Query element \"search:name:extra\" can only contain 1 ':'"),
        ('a:"b c":d', 'Query element "a:\\"b c\\":d" can only contain 1 \':\''),
        (":first a:b:c", "Query element \":first\" cannot start or end with ':'"),
        ("a:b:c :second", "Query element \"a:b:c\" can only contain 1 ':'"),
    ],
)
def test_the_first_unreadable_element_is_named_and_hides_the_others(query: str, detail: str) -> None:
    with pytest.raises(WrongElement) as caught:
        terms(query, "bare")
    assert str(caught.value) == detail


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters='"')))
def test_a_quoted_value_comes_back_whole_and_in_lower_case(value: str) -> None:
    assert terms(f'key:"{value}"', "bare") == [Term("key", lowered(value))]


@pytest.mark.parametrize(
    ("value", "choices"),
    [
        ("a,b", ("a", "b")),
        ("a,B,c", ("a", "b", "c")),
        ('"a b",c', ("a b", "c")),
        ('"a,b",c', ("a,b", "c")),
        ("a,,b", ("a", "", "b")),
        ("a,", ("a", "")),
        (",a", ("", "a")),
        (",", ("", "")),
        ('"a,b"', ()),
        ("a", ()),
    ],
)
def test_commas_outside_quotes_part_values(value: str, choices: tuple[str, ...]) -> None:
    (term,) = terms(f"key:{value}", "bare")
    assert term.choices == choices


@settings(deadline=None)
@given(st.lists(st.text('aA1"- \t', min_size=1)))
def test_words_without_a_colon_make_at_most_one_term(words: list[str]) -> None:
    assert len(terms(" ".join(words), "bare")) <= 1


@settings(deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_lower_case_keeps_length_and_does_not_depend_on_the_neighbours(one: str, other: str) -> None:
    assert len(lowered(one)) == len(one)
    assert lowered(one + other) == lowered(one) + lowered(other)


@pytest.mark.parametrize(
    ("text", "expected"), [("İstanbul", "istanbul"), ("ΟΔΟΣ", "οδοσ"), ("ÀÉ", "àé"), ("x\udc80Y", "x\ufffdy")]
)
def test_lower_case_follows_the_simple_mapping_of_each_character(text: str, expected: str) -> None:
    assert lowered(text) == expected
