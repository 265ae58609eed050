"""The tables of filters hold every key of the language, in its order, and say of each what the rooms beside need."""

from __future__ import annotations

import pytest

from chalicelib.casing import lowered
from chalicelib.logs import vocabulary
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable, Kind

KEYS = {
    "connection": (
        "organization",
        "workspace_owner",
        "workspace_owner_email",
        "type",
        "method",
        "app",
        "username",
        "user_email",
        "connected_after",
        "connected_before",
        "after",
        "before",
        "workspace_id",
        "workspace",
        "agent",
        "ip",
        "connection_id",
        "status",
    ),
    "audit": (
        "request_id",
        "resource_id",
        "resource_target",
        "username",
        "email",
        "date_from",
        "date_to",
        "after",
        "before",
        "ip",
        "organization",
        "resource_type",
        "action",
        "status_code",
        "api_key_id",
        "build_reason",
    ),
}
TABLES = pytest.mark.parametrize("table", [CONNECTION_FILTERS, AUDIT_FILTERS], ids=lambda table: table.log)


@TABLES
def test_every_key_of_the_language_is_there_in_order(table: FilterTable) -> None:
    assert tuple(key.key for key in table.keys) == KEYS[table.log]


@TABLES
def test_a_key_is_found_by_its_name_and_no_other(table: FilterTable) -> None:
    assert [table.by_key(key.key) for key in table.keys] == list(table.keys)
    assert table.by_key("search") is None


@TABLES
def test_every_key_is_described_in_one_sentence_of_its_own(table: FilterTable) -> None:
    sentences = [key.about for key in table.keys]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence.endswith(".") and ". " not in sentence for sentence in sentences)


@TABLES
def test_enums_and_applications_alone_have_words_and_their_aliases_stand_for_some(table: FilterTable) -> None:
    for key in table.keys:
        assert bool(key.values) == (key.kind in (Kind.ENUM, Kind.APPLICATION))
        assert set(key.aliases.values()) <= set(key.values)
        assert not set(key.aliases) & set(key.values)


def test_deleted_users_are_found_by_the_email_of_the_one_who_acted() -> None:
    matches = [
        (table.log, key.key) for table in (CONNECTION_FILTERS, AUDIT_FILTERS) for key in table.keys if key.deleted_users
    ]
    assert matches == [("connection", "user_email"), ("audit", "email")]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (vocabulary.CONNECTION_TYPES, 7),
        (vocabulary.CONNECTION_STATUSES, 2),
        (vocabulary.AUDIT_ACTIONS, 13),
        (vocabulary.RESOURCE_TYPES, 35),
        (vocabulary.BUILD_REASONS, 14),
    ],
)
def test_the_lists_of_words_are_complete_and_can_be_typed(words: tuple[str, ...], count: int) -> None:
    assert len(words) == len(set(words)) == count
    assert all(word == lowered(word) and word.replace("_", "").isalnum() for word in words)
