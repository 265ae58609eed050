"""The query language of users: what each key finds, and the words for what is wrong."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Invalid
from chalicelib.records import User
from chalicelib.search.platform_filters import TEMPLATE_FILTERS
from chalicelib.search.user_filters import MEMBER_FILTERS, PAGED_MEMBER_FILTERS, USER_FILTERS, UserKind, UserTable
from chalicelib.search.user_query import parse
from chalicelib.times import NEVER

ANN = User(
    id="9f2b7c1e-6d3c-4a7a-8a58-0e5b5a3d1c11",
    username="Ann",
    email="ann@example.com",
    name="Ann of Green Gables",
    avatar_url="",
    status="active",
    login_type="oidc",
    roles=("auditor", "user-admin"),
    organization_roles={},
    created_at=datetime(2025, 1, 2, tzinfo=UTC),
    updated_at=datetime(2025, 1, 2, tzinfo=UTC),
    last_seen_at=datetime(2025, 6, 1, 12, tzinfo=UTC),
    github_com_user_id=17,
)
ROBOT = replace(
    ANN,
    username="robot",
    email="",
    name="",
    status="dormant",
    login_type="none",
    roles=(),
    last_seen_at=NEVER,
    is_service_account=True,
    github_com_user_id=0,
)


@pytest.mark.parametrize(
    ("query", "ann", "robot"),
    [
        ("", True, True),
        ("ann", True, False),
        ("EXAMPLE.COM", True, False),
        ("green gables", True, False),
        ('"green gables"', True, False),
        ("search:nn", True, False),
        ("zzzznobody", False, False),
        ("name:of", True, False),
        ("name:ann@", False, False),
        ("username:ANN", True, False),
        ("username:an", False, False),
        ("email:Ann@Example.com", True, False),
        ("email:ann", False, False),
        ("status:active", True, False),
        ("status:active,dormant", True, True),
        ("status:active status:dormant", True, True),
        ("status:suspended", False, False),
        ("login_type:none", False, True),
        ("login_type:oidc,github", True, False),
        ("role:auditor", True, False),
        ("role:owner,user-admin", True, False),
        ("role:owner", False, False),
        ("role:no-such-role", False, False),
        ("role:member", True, True),
        ("role:member,owner", False, False),
        ("service_account:true", False, True),
        ("service_account:F", True, False),
        ('last_seen_after:"2025-06-01T12:00:00Z"', True, False),
        ('last_seen_after:"2025-06-01T12:00:00.000001Z"', False, False),
        ('last_seen_before:"2025-06-01T12:00:00Z"', True, True),
        ('last_seen_before:"2025-06-01T11:59:59.999999Z"', False, True),
        ('created_after:"2025-01-02T00:00:00Z" created_before:"2025-01-02T01:00:00+01:00"', True, True),
        ('created_after:"2025-01-03T00:00:00Z"', False, False),
        ("github_com_user_id:17", True, False),
        ("github_com_user_id:0", True, True),
        ("status:active role:owner", False, False),
        ("status:active ann role:auditor", True, False),
        ('status:""', True, True),
    ],
)
def test_a_query_finds_whom_it_names(query: str, *, ann: bool, robot: bool) -> None:
    asked = parse(query, USER_FILTERS)
    assert (asked.matches(ANN), asked.matches(ROBOT)) == (ann, robot)


@pytest.mark.parametrize(
    ("query", "field", "detail"),
    [
        ("foo:bar", "foo", '"foo" is not a valid query param'),
        ("status:inactive", "status", 'Query param "status" has invalid values: "inactive" is not a valid value'),
        (
            "status:active,gone,x",
            "status",
            'Query param "status" has invalid values: "gone" is not a valid value, "x" is not a valid value',
        ),
        ("search:a:b", "q", "Query element \"search:a:b\" can only contain 1 ':'"),
        ("search:", "q", "Query element \"search:\" cannot start or end with ':'"),
        (
            "name:a name:b",
            "name",
            'Query param "name" provided more than once, found 2 times. Only provide 1 instance of this query param.',
        ),
        (
            "service_account:maybe",
            "service_account",
            'Query param "service_account" must be a valid boolean: strconv.ParseBool: parsing "maybe": invalid syntax',
        ),
        (
            "github_com_user_id:x",
            "github_com_user_id",
            'Query param "github_com_user_id" must be a valid int64: strconv.ParseInt: parsing "x": invalid syntax',
        ),
        (
            "github_com_user_id:9223372036854775808",
            "github_com_user_id",
            (
                'Query param "github_com_user_id" must be a valid int64: strconv.ParseInt: '
                'parsing "9223372036854775808": value out of range'
            ),
        ),
    ],
)
def test_what_cannot_be_asked_is_said(query: str, field: str, detail: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(query, USER_FILTERS)
    assert caught.value.message == "Invalid user search query."
    assert [tuple(problem) for problem in caught.value.validations] == [(field, detail)]


def test_every_problem_of_a_query_is_said_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        parse("zeta:1 last_seen_after:yesterday status:gone alpha:2", USER_FILTERS)
    assert [problem.field for problem in caught.value.validations] == ["status", "last_seen_after", "zeta", "alpha"]


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("", True),
        (f"user_id:{ANN.id}", True),
        (ANN.id, True),
        ("user_id:00000000-0000-0000-0000-000000000000", True),
        ("user_id:2b7e6c5b-4a39-4827-b615-04f3e2d1c017", False),
        ("github_user_id:17", True),
        ("github_user_id:18", False),
        ("include_system:true", True),
    ],
)
def test_the_unpaged_list_of_members_has_a_language_of_its_own(query: str, *, matches: bool) -> None:
    assert parse(query, MEMBER_FILTERS).matches(ANN) is matches


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (MEMBER_FILTERS, "Invalid organization member search query."),
        (PAGED_MEMBER_FILTERS, "Invalid member search query."),
    ],
)
def test_each_list_says_which_query_was_wrong(table: UserTable, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse("nothing:x", table)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("query", "unique"),
    [
        ("username:ANN status:active", ("username", "ann")),
        ("email:ann@example.com", ("email", "ann@example.com")),
        ("name:ann", None),
        ("", None),
    ],
)
def test_a_filter_knows_whether_one_user_at_most_can_match(query: str, unique: tuple[str, str] | None) -> None:
    assert parse(query, USER_FILTERS).unique == unique


@pytest.mark.parametrize("table", [USER_FILTERS, MEMBER_FILTERS, PAGED_MEMBER_FILTERS])
def test_every_key_compares_fields_that_users_have(table: UserTable) -> None:
    known = {field.name for field in fields(User)}
    for key in table.keys:
        assert set(key.fields) <= known
        assert bool(key.words) is (key.kind is UserKind.WORDS)


SAMPLES = {
    UserKind.PART: "x",
    UserKind.EXACT: "x",
    UserKind.ROLES: "owner",
    UserKind.FLAG: "true",
    UserKind.ID: ANN.id,
    UserKind.NUMBER: "1",
    UserKind.IDS: ANN.id,
    UserKind.SYSTEM: "false",
    UserKind.AFTER: '"2025-01-01T00:00:00Z"',
    UserKind.BEFORE: '"2025-01-01T00:00:00Z"',
}


@pytest.mark.parametrize("kind", UserKind)
def test_every_kind_of_key_can_be_read(kind: UserKind) -> None:
    tables = (USER_FILTERS, MEMBER_FILTERS, TEMPLATE_FILTERS)
    key, table = next((key, table) for table in tables for key in table.keys if key.kind is kind)
    sample = key.words[0] if kind is UserKind.WORDS else SAMPLES[kind]
    assert parse(f"{key.key}:{sample}", table).matches(ANN) in (True, False)


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_an_error_that_a_client_may_hear(query: str) -> None:
    try:
        asked = parse(query, USER_FILTERS)
    except Invalid:
        return
    assert asked.matches(ANN) in (True, False)
