from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.access.allow_list import (
    ANYTHING,
    DEFAULT,
    MAX_ENTRIES,
    UNREADABLE_BY_RELEASES,
    Entry,
    InvalidAllowList,
    TooManyEntries,
    contains,
    covers,
    ids,
    intersect,
    normalise,
    parse,
    parse_list,
    union,
    unreadable_by_releases,
)
from chalicelib.access.policy import ACTIONS

U1 = "00000000-0000-4000-8000-000000000001"
U2 = "00000000-0000-4000-8000-000000000002"
TEXT = "5c9fba01-2ab3-4c4d-8e5f-0123456789ab"
KEY = "WuoWs4ZsMX"

TYPES = ("workspace", "template", "api_key")
entries = st.builds(Entry, st.sampled_from(("*", *TYPES)), st.sampled_from(("*", U1, U2)))
lists = st.lists(entries, max_size=5).map(normalise)
objects = st.tuples(st.sampled_from(TYPES), st.sampled_from(("", U1, U2, TEXT)))


def of(*texts: str) -> tuple[Entry, ...]:
    return tuple(Entry(*text.replace("/1", f":{U1}").replace("/2", f":{U2}").split(":")) for text in texts)


def sequence(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*:*", Entry("*", "*")),
        ("workspace:*", Entry("workspace", "*")),
        (f"template:{TEXT}", Entry("template", TEXT)),
        (f"*:{TEXT}", Entry("*", TEXT)),
        (f"  workspace:{TEXT}\n", Entry("workspace", TEXT)),
        (f"workspace:{TEXT.upper()}", Entry("workspace", TEXT)),
        (f"workspace:{{{TEXT}}}", Entry("workspace", TEXT)),
        (f"workspace:urn:uuid:{TEXT}", Entry("workspace", TEXT)),
        (f"workspace:URN:UUID:{TEXT.upper()}", Entry("workspace", TEXT)),
        (f"workspace:{TEXT.replace('-', '')}", Entry("workspace", TEXT)),
        (f"api_key:{KEY}", Entry("api_key", KEY)),
        ("api_key:0123456789", Entry("api_key", "0123456789")),
        (f"api_key:{TEXT}", Entry("api_key", TEXT)),
    ],
)
def test_an_entry_is_read_into_its_one_form(text: str, expected: Entry) -> None:
    assert parse(text) == expected
    assert parse(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("*", 'invalid allow_list entry "*": want <type>:<id>'),
        ("", 'invalid allow_list entry "": want <type>:<id>'),
        (":", 'invalid allow_list entry ":": want <type>:<id>'),
        ("workspace", 'invalid allow_list entry "workspace": want <type>:<id>'),
        ("workspace:", 'invalid allow_list entry "workspace:": want <type>:<id>'),
        (":*", 'invalid allow_list entry ":*": want <type>:<id>'),
        ("unknown:*", 'unknown resource type "unknown"'),
        ("Workspace:*", 'unknown resource type "Workspace"'),
        (f"unknown:{TEXT}", 'unknown resource type "unknown"'),
        ("workspace:bad-uuid", 'invalid workspace ID (must be UUID): "bad-uuid"'),
        (f"workspace: {TEXT}", f'invalid workspace ID (must be UUID): " {TEXT}"'),
        (f"workspace:{TEXT}:x", f'invalid workspace ID (must be UUID): "{TEXT}:x"'),
        (f"workspace:{TEXT[:-1]}", f'invalid workspace ID (must be UUID): "{TEXT[:-1]}"'),
        (f"workspace:{{{TEXT}", f'invalid workspace ID (must be UUID): "{{{TEXT}"'),
        (f"workspace:{KEY}", f'invalid workspace ID (must be UUID): "{KEY}"'),
        (f"*:{KEY}", f'invalid * ID (must be UUID): "{KEY}"'),
        ("api_key:WuoWs4ZsM", 'invalid api_key ID (must be UUID): "WuoWs4ZsM"'),
        ("api_key:WuoWs4ZsM-", 'invalid api_key ID (must be UUID): "WuoWs4ZsM-"'),
        ("api_key:WuoWs4ZsMé", 'invalid api_key ID (must be UUID): "WuoWs4ZsMé"'),
    ],
)
def test_a_wrong_entry_is_answered_with_the_known_text(text: str, message: str) -> None:
    with pytest.raises(InvalidAllowList) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text", [TEXT.replace("-", "", 1), f"{TEXT}0", f"{TEXT[:-1]}g", f"{TEXT[:18]}\n{TEXT[19:]}", "\u0660" * 32, ""]
)
def test_what_is_no_uuid_names_no_object(text: str) -> None:
    with pytest.raises(InvalidAllowList):
        parse(f"workspace:{text}")


@pytest.mark.parametrize("expected", ["*:*", "workspace:*", f"template:{TEXT}", f"api_key:{KEY}"])
def test_the_object_form_means_what_the_string_means(expected: str) -> None:
    kind, _, name = expected.partition(":")
    assert parse({"type": kind, "id": name}) == parse(expected)
    assert str(parse({"type": kind, "id": name, "display_name": "ignored"})) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"type": "workspace"}, "allow_list entry must include both type and id"),
        ({"id": TEXT}, "allow_list entry must include both type and id"),
        ({"type": "", "id": "*"}, "allow_list entry must include both type and id"),
        ({"type": "workspace", "id": None}, "allow_list entry must include both type and id"),
        ({"type": "unknown", "id": "*"}, 'unknown resource type "unknown"'),
        ({"type": "workspace", "id": "x"}, 'invalid workspace ID (must be UUID): "x"'),
        ({"type": "workspace", "id": 5}, "invalid allow_list entry: expected object with type/id or string"),
        ({"type": ["workspace"], "id": "*"}, "invalid allow_list entry: expected object with type/id or string"),
        (5, "invalid allow_list entry: expected object with type/id or string"),
        (None, "invalid allow_list entry: expected object with type/id or string"),
        (["workspace", "*"], "invalid allow_list entry: expected object with type/id or string"),
    ],
)
def test_a_wrong_object_is_answered_with_the_known_text(value: Any, message: str) -> None:
    with pytest.raises(InvalidAllowList) as caught:
        parse(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("given_entries", "expected"),
    [
        ([], []),
        (["workspace:*", f"workspace:{U1}", f"workspace:{U2}"], ["workspace:*"]),
        (["template:*"], ["template:*"]),
        ([f"template:{U2}", f"template:{U2}", f"template:{U1}"], [f"template:{U1}", f"template:{U2}"]),
        (["workspace:*", "*:*", f"template:{U1}"], ["*:*"]),
        ([f"workspace:{U1}", f"template:{U1}", "group:*"], ["group:*", f"template:{U1}", f"workspace:{U1}"]),
        ([f"*:{U1}", "workspace:*", f"workspace:{U1}"], [f"*:{U1}", "workspace:*"]),
        ([f"workspace:{TEXT.upper()}", f"workspace:{TEXT}"], [f"workspace:{TEXT}"]),
        ([{"type": "workspace", "id": "*"}, f"workspace:{U1}"], ["workspace:*"]),
    ],
)
def test_a_list_is_normalised(given_entries: list[Any], expected: list[str]) -> None:
    assert [str(entry) for entry in parse_list(given_entries)] == expected


def test_the_cap_counts_what_was_sent() -> None:
    workspaces = [f"workspace:{sequence(number)}" for number in range(130)]
    assert len(parse_list(workspaces[:MAX_ENTRIES])) == 128
    for sent in (workspaces, ["*:*"] * 130, ["workspace:*", *workspaces[:129]]):
        with pytest.raises(TooManyEntries) as caught:
            parse_list(sent)
        assert str(caught.value) == "allow_list has 130 entries; max allowed is 128"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (of("*:*"), of("workspace/1"), of("workspace/1")),
        (of("workspace:*"), of("*:*"), of("workspace:*")),
        (of("workspace:*"), of("workspace/1"), of("workspace/1")),
        (of("workspace/1"), of("workspace:*"), of("workspace/1")),
        (of("workspace/1"), of("template/1"), ()),
        (of("*:*"), of("*:*"), of("*:*")),
        (of("*/1"), of("workspace:*"), of("workspace/1")),
        (of("*/1", "template:*"), of("workspace:*", "template/2"), of("template/2", "workspace/1")),
        ((), of("*:*"), ()),
        (of("*:*"), (), ()),
        ((), of("workspace/1"), ()),
        ((), (), ()),
    ],
)
def test_an_intersection_is_what_both_name(
    left: tuple[Entry, ...], right: tuple[Entry, ...], expected: tuple[Entry, ...]
) -> None:
    assert intersect(left, right) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (of("*:*"), of("workspace/1"), of("*:*")),
        (of("workspace/1"), of("workspace/2"), of("workspace/1", "workspace/2")),
        (of("workspace/1"), of("workspace/1"), of("workspace/1")),
        ((), (), ()),
        ((), of("workspace/1"), of("workspace/1")),
    ],
)
def test_a_union_is_what_either_names(
    left: tuple[Entry, ...], right: tuple[Entry, ...], expected: tuple[Entry, ...]
) -> None:
    assert union(left, right) == expected


@settings(deadline=None)
@given(lists, lists, lists)
def test_union_and_intersection_are_an_algebra(
    one: tuple[Entry, ...], two: tuple[Entry, ...], three: tuple[Entry, ...]
) -> None:
    for operation in (union, intersect):
        assert operation(one, two) == operation(two, one)
        assert operation(operation(one, two), three) == operation(one, operation(two, three))
        assert operation(one, one) == one
        assert normalise(operation(one, two)) == operation(one, two)


@settings(deadline=None)
@given(lists, lists, objects)
def test_union_and_intersection_name_exactly_what_either_or_both_name(
    one: tuple[Entry, ...], two: tuple[Entry, ...], wanted: tuple[str, str]
) -> None:
    assert contains(intersect(one, two), *wanted) == (contains(one, *wanted) and contains(two, *wanted))
    assert contains(union(one, two), *wanted) == (contains(one, *wanted) or contains(two, *wanted))


@settings(deadline=None)
@given(st.lists(entries, max_size=5), objects)
def test_normalising_changes_nothing_that_is_named(listed: list[Entry], wanted: tuple[str, str]) -> None:
    assert contains(normalise(listed), *wanted) == contains(listed, *wanted)


@settings(deadline=None)
@given(lists, entries, objects)
def test_a_covered_entry_names_nothing_new(held: tuple[Entry, ...], entry: Entry, wanted: tuple[str, str]) -> None:
    if covers(held, entry) and contains([entry], *wanted):
        assert contains(held, *wanted)


@settings(deadline=None)
@given(lists, objects)
def test_the_ids_of_a_type_say_what_the_list_names(listed: tuple[Entry, ...], wanted: tuple[str, str]) -> None:
    kind, name = wanted
    named = ids(listed, kind)
    assert contains(listed, kind, name) == (named is None or name in named)


@pytest.mark.parametrize(
    ("held", "requested", "expected"),
    [
        (of("*:*"), "*:*", True),
        (of("*:*"), "workspace/1", True),
        (of("workspace:*"), "workspace/1", True),
        (of("workspace:*"), "workspace:*", True),
        (of("workspace:*"), "*:*", False),
        (of("workspace/1"), "workspace:*", False),
        (of("workspace/1"), "*/1", False),
        (of("*/1"), "workspace/1", True),
        (of("*/1"), "workspace:*", False),
        (of("workspace/1", "template:*"), "workspace/2", False),
        ((), "workspace/1", False),
    ],
)
def test_a_list_covers_an_entry_when_one_of_its_own_is_as_wide(
    held: tuple[Entry, ...],
    requested: str,
    expected: bool,
) -> None:
    assert covers(held, of(requested)[0]) is expected


@pytest.mark.parametrize(
    ("held", "kind", "name", "expected"),
    [
        (of("*:*"), "workspace", U1, True),
        (of("workspace:*"), "workspace", U1, True),
        (of("workspace:*"), "workspace", "", True),
        (of("workspace/1"), "workspace", U1, True),
        (of("*/1"), "workspace", U1, True),
        (of("workspace/1"), "workspace", U2, False),
        (of("workspace/1"), "workspace", "", False),
        (of("workspace/1"), "workspace_dormant", U1, False),
        (of("workspace/1"), "user", U1, False),
        ((), "workspace", U1, False),
        ((), "workspace", "", False),
    ],
)
def test_a_list_is_exhaustive_and_an_empty_one_fails_closed(
    held: tuple[Entry, ...],
    kind: str,
    name: str,
    expected: bool,
) -> None:
    assert contains(held, kind, name) is expected


def test_the_default_names_everything_and_is_written_as_a_string() -> None:
    assert DEFAULT == (ANYTHING,)
    assert json.dumps([str(entry) for entry in DEFAULT]) == '["*:*"]'


def test_types_that_a_release_cli_cannot_read_are_known_to_the_policy() -> None:
    assert ACTIONS.keys() > UNREADABLE_BY_RELEASES
    entries = [Entry("chat", "*"), Entry("workspace", "*"), Entry("ai_seat", "*"), Entry("*", "*")]
    assert unreadable_by_releases(entries) == ("ai_seat", "chat")
