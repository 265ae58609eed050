"""A query becomes the filter that the specification says, or one answer that names everything wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from chalicelib.errors import Invalid, Validation
from chalicelib.logs import vocabulary
from chalicelib.search.filter import EVERYTHING, Filter, UserChoice, UserReference
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable
from chalicelib.search.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

ME = "11111111-1111-4111-8111-111111111111"
ORGANIZATION = "22222222-2222-4222-8222-222222222222"
ROW = "4fe722f0-49bc-4a90-a3eb-4ac439bfce20"
OTHER = "c0ffee00-49bc-4a90-a3eb-4ac439bfce20"
NIL = "00000000-0000-0000-0000-000000000000"
MOMENT = "2006-01-02T15:04:05.999999999Z07:00"
MORE_THAN_ONCE = "provided more than once, found {} times. Only provide 1 instance of this query param."
NO_ORGANIZATION = 'has invalid value: organization "{}" either does not exist, or you are unauthorized to view it'


def parsed(query: str, table: FilterTable) -> Filter:
    return parse(query, table, me=ME, organization={"testorg": ORGANIZATION}.get)


def only(*pairs: tuple[str, str]) -> tuple[tuple[str, frozenset[str]], ...]:
    """Fields of a filter that may have one value each."""
    return tuple((field, frozenset({value})) for field, value in pairs)


def refused(query: str, table: FilterTable) -> Invalid:
    with pytest.raises(Invalid) as caught:
        parsed(query, table)
    return caught.value


def test_the_whole_connection_language_in_one_query() -> None:
    query_filter = parsed(
        "organization:testorg workspace_owner:testowner workspace_owner_email:owner@example.com type:port_forwarding"
        ' username:testuser user_email:test@example.com connected_after:"2023-01-01T00:00:00Z"'
        f' connected_before:"2023-01-16T12:00:00+12:00" workspace_id:{ROW} connection_id:{OTHER} status:ongoing',
        CONNECTION_FILTERS,
    )
    assert query_filter == Filter(
        fields=only(
            ("organization_id", ORGANIZATION),
            ("type", "port_forwarding"),
            ("workspace_id", ROW),
            ("connection_id", OTHER),
            ("status", "ongoing"),
        ),
        users=(
            UserChoice("workspace_owner_id", (UserReference("username", "testowner", deleted=False),)),
            UserChoice("workspace_owner_id", (UserReference("email", "owner@example.com", deleted=False),)),
            UserChoice("user_id", (UserReference("username", "testuser", deleted=False),)),
            UserChoice("user_id", (UserReference("email", "test@example.com", deleted=True),)),
        ),
        after=datetime(2023, 1, 1, tzinfo=UTC),
        before=datetime(2023, 1, 16, tzinfo=UTC),
    )


def test_the_whole_audit_language_in_one_query() -> None:
    query_filter = parsed(
        f"build_reason:autostart action:start resource_type:workspace_build organization:{OTHER} date_to:2022-08-16"
        f" date_from:2022-08-15 email:A@B.example username:Bob resource_target:Foo resource_id:{ROW}"
        f" request_id:{OTHER}",
        AUDIT_FILTERS,
    )
    assert query_filter == Filter(
        fields=only(
            ("request_id", OTHER),
            ("resource_id", ROW),
            ("target", "foo"),
            ("organization_id", OTHER),
            ("resource_type", "workspace_build"),
            ("action", "start"),
            ("build_reason", "autostart"),
        ),
        users=(
            UserChoice("user_id", (UserReference("username", "bob", deleted=False),)),
            UserChoice("user_id", (UserReference("email", "a@b.example", deleted=True),)),
        ),
        after=datetime(2022, 8, 15, tzinfo=UTC),
        before=datetime(2022, 8, 16, 23, 59, 59, 999999, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("query", "equals"),
    [
        ("resource_target:foo", {"target": "foo"}),
        ('resource_target:"Foo Bar: Baz"', {"target": "foo bar: baz"}),
        ("action:create", {"action": "create"}),
        ("ACTION:Delete", {"action": "delete"}),
        ("resource_type:user", {"resource_type": "user"}),
        ("template", {"resource_type": "template"}),
        ("resource_type:workspace_build action:stop", {"resource_type": "workspace_build", "action": "stop"}),
        (
            "resource_type:workspace_agent action:disconnect",
            {"resource_type": "workspace_agent", "action": "disconnect"},
        ),
        ("resource_type:workspace_app action:open", {"resource_type": "workspace_app", "action": "open"}),
        (f"workspace_agent request_id:{ROW}", {"request_id": ROW, "resource_type": "workspace_agent"}),
        (f"resource_id:{ROW.upper()}", {"resource_id": ROW}),
        (f'resource_id:"urn:uuid:{ROW}"', {"resource_id": ROW}),
        (f"resource_id:{{{ROW}}}", {"resource_id": ROW}),
        (f"resource_id:{ROW.replace('-', '')}", {"resource_id": ROW}),
        ("username:me", {"user_id": ME}),
        ('username:"ME"', {"user_id": ME}),
        ("organization:TestOrg", {"organization_id": ORGANIZATION}),
        (f"organization:{ROW.upper()}", {"organization_id": ROW}),
    ],
)
def test_audit_constraints(query: str, equals: dict[str, str]) -> None:
    assert parsed(query, AUDIT_FILTERS) == Filter(fields=only(*equals.items()))


@pytest.mark.parametrize(
    ("query", "equals"),
    [
        ("username:me workspace_owner:me", {"workspace_owner_id": ME, "user_id": ME}),
        ("status:connected", {"status": "ongoing"}),
        ("status:disconnected", {"status": "completed"}),
        ("status:completed", {"status": "completed"}),
        ("type:tunnel", {"type": "tunnel"}),
    ],
)
def test_connection_constraints(query: str, equals: dict[str, str]) -> None:
    assert parsed(query, CONNECTION_FILTERS) == Filter(fields=only(*equals.items()))


@pytest.mark.parametrize("key", ["workspace_owner_email", "user_email"])
def test_me_is_no_email(key: str) -> None:
    (choice,) = parsed(f"{key}:me", CONNECTION_FILTERS).users
    assert [reference.text for reference in choice.references] == ["me"]


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        (CONNECTION_FILTERS, "type", vocabulary.CONNECTION_TYPES),
        (CONNECTION_FILTERS, "status", vocabulary.CONNECTION_STATUSES),
        (AUDIT_FILTERS, "resource_type", vocabulary.AUDITED_TYPES),
        (AUDIT_FILTERS, "action", vocabulary.AUDIT_ACTIONS),
        (AUDIT_FILTERS, "build_reason", vocabulary.BUILD_REASONS),
    ],
)
def test_every_word_of_a_list_is_accepted(table: FilterTable, key: str, words: Iterable[str]) -> None:
    for word in words:
        assert parsed(f"{key}:{word}", table).fields == only((key, word))


@pytest.mark.parametrize("table", [CONNECTION_FILTERS, AUDIT_FILTERS], ids=lambda table: table.log)
def test_an_empty_query_lets_every_row_through(table: FilterTable) -> None:
    assert parsed("", table) == parsed("    ", table) == EVERYTHING == Filter()


def test_an_empty_value_counts_as_not_given() -> None:
    for key in CONNECTION_FILTERS.keys:
        assert parsed(f'{key.key}:""', CONNECTION_FILTERS) == EVERYTHING
    assert parsed('type:"" type:nonsense', CONNECTION_FILTERS) == EVERYTHING


@pytest.mark.parametrize("key", ["request_id", "resource_id", "organization"])
@pytest.mark.parametrize("nil", [NIL, NIL.replace("-", "")])
def test_the_nil_uuid_is_no_filter(key: str, nil: str) -> None:
    assert parsed(f"{key}:{nil}", AUDIT_FILTERS) == EVERYTHING


def test_a_name_is_looked_up_in_lower_case_and_an_id_not_at_all() -> None:
    asked: list[str] = []

    def organization(name: str) -> str:
        asked.append(name)
        return ORGANIZATION

    parse('organization:"My Org"', AUDIT_FILTERS, me=ME, organization=organization)
    parse(f"organization:{ROW}", AUDIT_FILTERS, me=ME, organization=organization)
    assert asked == ["my org"]


@pytest.mark.parametrize("table", [CONNECTION_FILTERS, AUDIT_FILTERS], ids=lambda table: table.log)
@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("search:name:extra", "Query element \"search:name:extra\" can only contain 1 ':'"),
        (":foo type:bad bad:key", "Query element \":foo\" cannot start or end with ':'"),
        (
            "connected_after:2023-01-01T00:00:00Z",
            "Query element \"connected_after:2023-01-01t00:00:00z\" can only contain 1 ':'",
        ),
    ],
)
def test_an_unreadable_element_is_an_error_of_the_query_and_the_only_one(
    table: FilterTable, query: str, detail: str
) -> None:
    error = refused(query, table)
    assert error.message == table.message
    assert error.validations == (Validation("q", detail),)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("foo:bar", ["foo"]),
        ("foo:bar foo:baz", ["foo"]),
        ('foo:""', ["foo"]),
        ('"":bar', [""]),
        ("word", ["search"]),
        ("search:word more words", ["search"]),
        ("zebra:1 apple:2 word Mango:3 apple:4", ["zebra", "apple", "mango", "search"]),
    ],
)
def test_unknown_keys_are_named_in_the_order_typed(query: str, keys: list[str]) -> None:
    error = refused(query, CONNECTION_FILTERS)
    assert error.message == "Invalid connection search query."
    assert error.validations == tuple(Validation(key, f'"{key}" is not a valid query param') for key in keys)


@pytest.mark.parametrize(
    ("query", "key", "problem"),
    [
        ("type:x", "type", 'has invalid value: "x" is not a valid value'),
        ("type:ssh,x", "type", 'has invalid value: "x" is not a valid value'),
        ("type:ssh type:ssh", "type", MORE_THAN_ONCE.format(2)),
        ("workspace_id:foo", "workspace_id", "must be a valid uuid"),
        ("organization:nowhere", "organization", NO_ORGANIZATION.format("nowhere")),
        (
            "connected_before:2023-01",
            "connected_before",
            f'must be a valid date format ({MOMENT}): parsing time "2023-01" as "{MOMENT}": cannot parse "" as "-"',
        ),
    ],
)
def test_wrong_values_in_the_connection_log(query: str, key: str, problem: str) -> None:
    error = refused(query, CONNECTION_FILTERS)
    assert error.message == "Invalid connection search query."
    assert error.validations == (Validation(key, f'Query param "{key}" {problem}'),)


@pytest.mark.parametrize(
    ("query", "key", "problem"),
    [
        ("invalid", "resource_type", 'has invalid value: "invalid" is not a valid value'),
        ("resource_type:invalid", "resource_type", 'has invalid value: "invalid" is not a valid value'),
        ("two words", "resource_type", 'has invalid value: "two words" is not a valid value'),
        ('"user"', "resource_type", 'has invalid value: "\\"user\\"" is not a valid value'),
        ("resource_type:user workspace", "resource_type", MORE_THAN_ONCE.format(2)),
        ("action:create action:create action:create", "action", MORE_THAN_ONCE.format(3)),
        ("action:invalid", "action", 'has invalid value: "invalid" is not a valid value'),
        ("request_id:foo", "request_id", "must be a valid uuid"),
        ("organization:random-name", "organization", NO_ORGANIZATION.format("random-name")),
        (
            "date_from:2006",
            "date_from",
            'must be a valid date format (2006-01-02): parsing time "2006" as "2006-01-02": cannot parse "" as "-"',
        ),
        (
            "date_to:2022-02-30",
            "date_to",
            'must be a valid date format (2006-01-02): parsing time "2022-02-30": day out of range',
        ),
    ],
)
def test_wrong_values_in_the_audit_log(query: str, key: str, problem: str) -> None:
    error = refused(query, AUDIT_FILTERS)
    assert error.message == "Invalid audit search query."
    assert error.validations == (Validation(key, f'Query param "{key}" {problem}'),)


def test_all_wrong_values_are_named_in_the_order_of_the_table_then_the_unknown_keys() -> None:
    error = refused("zzz:1 action:x aaa:2 request_id:y date_to:z", AUDIT_FILTERS)
    assert [validation.field for validation in error.validations] == ["request_id", "date_to", "action", "zzz", "aaa"]


def test_the_error_has_the_one_shape() -> None:
    assert refused("foo:bar", AUDIT_FILTERS).body() == {
        "message": "Invalid audit search query.",
        "validations": [Validation("foo", '"foo" is not a valid query param')._asdict()],
    }
