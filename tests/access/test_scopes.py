from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.access import scopes
from chalicelib.access.catalogue import COMPOSITES, INTERNAL, PUBLIC
from chalicelib.access.policy import ACTIONS, Permission, permissions

# What Coder's newest clients know.
NEWEST = json.loads("""
["api_key:*","api_key:create","api_key:delete","api_key:read","api_key:update","chat_model_config:read",
"chat_model_config:share","coder:all","coder:apikeys.manage_self","coder:application_connect","coder:templates.author",
"coder:templates.build","coder:workspaces.access","coder:workspaces.create","coder:workspaces.delete",
"coder:workspaces.operate","file:*","file:create","file:read","inbox_notification:read","inbox_notification:update",
"organization:*","organization:delete","organization:read","organization:update","organization_skill:*",
"organization_skill:create","organization_skill:delete","organization_skill:read","organization_skill:share",
"organization_skill:update","template:*","template:create","template:delete","template:read","template:update",
"template:use","user:*","user:read","user:read_personal","user:update_personal","user_secret:*","user_secret:create",
"user_secret:delete","user_secret:read","user_secret:update","user_skill:*","user_skill:create","user_skill:delete",
"user_skill:read","user_skill:update","workspace:*","workspace:application_connect","workspace:create",
"workspace:delete","workspace:read","workspace:ssh","workspace:start","workspace:stop","workspace:update"]
""")
# What older clients know besides, and what reading or writing the logs needs.
ADDED = [
    *("task:*", "task:create", "task:delete", "task:read", "task:update"),
    *("audit_log:*", "audit_log:read", "audit_log:create"),
    *("connection_log:*", "connection_log:read", "connection_log:update"),
    *("organization_member:read", "group:read", "coder:logs.read", "coder:logs.ingest"),
]

COMPOSITE_CASES = [
    (
        "coder:workspaces.create",
        (
            "template:read template:use workspace:create workspace:update workspace:read workspace:start workspace:stop"
            " organization_member:read"
        ),
    ),
    (
        "coder:workspaces.operate",
        "workspace:read workspace:update template:read workspace:start workspace:stop organization_member:read",
    ),
    ("coder:workspaces.delete", "workspace:read workspace:delete template:read template:use organization_member:read"),
    (
        "coder:workspaces.access",
        "workspace:read workspace:ssh workspace:application_connect template:read organization_member:read",
    ),
    ("coder:templates.build", "template:read file:create file:read provisioner_jobs:read"),
    (
        "coder:templates.author",
        "template:read template:create template:update template:delete template:view_insights file:create file:read",
    ),
    ("coder:apikeys.manage_self", "api_key:read api_key:create api_key:update api_key:delete"),
    ("coder:logs.read", "audit_log:read connection_log:read user:read organization:read"),
    ("coder:logs.ingest", "audit_log:create connection_log:update"),
    ("coder:all", "*:*"),
    ("coder:application_connect", "workspace:application_connect"),
]
LOW_LEVEL = [f"{resource}:{action}" for resource, actions in ACTIONS.items() for action in (*actions, "*")]

public = st.sampled_from(PUBLIC)


def test_the_catalogue_is_the_known_names_in_order_of_bytes() -> None:
    assert len(NEWEST) == 60
    assert list(PUBLIC) == sorted([*NEWEST, *ADDED], key=str.encode)
    assert len(set(PUBLIC)) == 75


@pytest.mark.parametrize(("name", "expected"), COMPOSITE_CASES)
def test_a_bundle_expands_to_its_row(name: str, expected: str) -> None:
    assert sorted(map(str, scopes.expand(name))) == sorted(expected.split())


def test_every_composite_is_in_the_table_and_public() -> None:
    assert set(COMPOSITES) == {name for name, _ in COMPOSITE_CASES} - {"coder:all", "coder:application_connect"}
    assert set(COMPOSITES) <= set(PUBLIC)


def test_the_internal_scope_reads_everything_but_users_and_cannot_be_asked_for() -> None:
    assert {permission.resource for permission in scopes.expand("no_user_data")} == set(ACTIONS) - {"user"}
    assert not any(map(scopes.is_public, INTERNAL))


@pytest.mark.parametrize("name", LOW_LEVEL)
def test_a_low_level_name_is_one_permission(name: str) -> None:
    resource, action = name.split(":")
    assert scopes.expand(name) == (Permission(resource, action),)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ":",
        "workspace",
        "workspace:",
        ":read",
        "*",
        "*:*",
        "*:read",
        "unknown:read",
        "unknown:*",
        "workspace:bogus",
        "a:b:c",
        "workspace:read:x",
        "Workspace:read",
        " workspace:read",
        "workspace:read ",
        "coder:nothing",
        "user.*",
        "all",
        "application_connect",
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(name: str) -> None:
    with pytest.raises(scopes.UnknownScope, match="no scope named ") as caught:
        scopes.expand(name)
    assert str(caught.value) == f'no scope named "{name}"'


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_scope_expands_to_grants_of_the_table_alone(name: str) -> None:
    for resource, action, negate in scopes.expand(name):
        assert not negate
        assert (resource, action) == ("*", "*") or action == "*" or action in ACTIONS[resource]
        assert resource in ("*", *ACTIONS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("workspace:read", True),
        ("template:use", True),
        ("workspace:*", True),
        ("coder:workspaces.create", True),
        ("user:read", True),
        ("chat_model_config:share", True),
        ("all", True),
        ("application_connect", True),
        ("coder:all", True),
        ("coder:application_connect", True),
        ("debug_info:read", False),
        ("unknown:read", False),
        ("audit_log:read", True),
        ("connection_log:update", True),
        ("organization_member:read", True),
        ("group:read", True),
        ("organization_member:*", False),
        ("organization:create", False),
        ("template:view_insights", False),
        ("workspace:share", False),
        ("workspace:create_agent", False),
        ("user:create", False),
        ("user:update", False),
        ("user:delete", False),
        ("group:*", False),
        ("deployment_config:read", False),
        ("provisioner_jobs:read", False),
        ("ai_provider:*", False),
        ("user.*", False),
        ("", False),
        ("All", False),
    ],
)
def test_a_client_may_ask_for_public_names_and_aliases(name: str, expected: bool) -> None:
    assert scopes.is_public(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all", "coder:all"),
        ("application_connect", "coder:application_connect"),
        ("coder:all", "coder:all"),
        ("coder:application_connect", "coder:application_connect"),
        ("workspace:read", "workspace:read"),
        ("not_a_real_scope", "not_a_real_scope"),
    ],
)
def test_an_alias_becomes_the_scope_it_means(name: str, expected: str) -> None:
    assert scopes.canonical(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t ", " \t "),
        ("all", "coder:all"),
        ("  workspace:read\tall\n coder:all workspace:read ", "workspace:read coder:all"),
        ("x application_connect x", "x coder:application_connect"),
    ],
)
def test_a_list_of_names_is_made_canonical_once_each(text: str, expected: str) -> None:
    assert scopes.canonical_list(text) == expected


@pytest.mark.parametrize(
    ("scope", "several", "expected"),
    [
        ("", [], ()),
        ("workspace:read", [], ("workspace:read",)),
        ("application_connect", [], ("coder:application_connect",)),
        ("all", [], ("coder:all",)),
        ("coder:all", [], ("coder:all",)),
        ("", ["all"], ("coder:all",)),
        ("", ["template:use", "all", "coder:all"], ("template:use", "coder:all")),
        ("workspace:read", ["template:use"], ("template:use",)),
        ("debug_info:read", ["template:use"], ("template:use",)),
    ],
)
def test_aliases_are_taken_in_both_fields_and_the_new_field_wins(
    scope: str, several: list[str], expected: tuple[str, ...]
) -> None:
    assert scopes.requested(scope, several) == expected


@pytest.mark.parametrize(
    ("scope", "several", "offender"),
    [
        ("debug_info:read", [], "debug_info:read"),
        ("test", [], "test"),
        ("", ["workspace:read", "nope", "debug_info:read"], "nope"),
        ("", [""], ""),
        ("", [" all"], " all"),
    ],
)
def test_the_first_name_that_is_not_public_is_named(scope: str, several: list[str], offender: str) -> None:
    with pytest.raises(scopes.UnsupportedScope) as caught:
        scopes.requested(scope, several)
    assert str(caught.value) == f'invalid or unsupported API key scope: "{offender}"'


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (["coder:all"], "all"),
        (["coder:application_connect"], "application_connect"),
        (["coder:all", "coder:application_connect"], "application_connect"),
        (["workspace:read"], ""),
        ([], ""),
    ],
)
def test_clients_of_the_first_release_read_one_word(held: list[str], expected: str) -> None:
    assert scopes.deprecated_scope(held) == expected


@pytest.mark.parametrize(
    ("allowed", "requested", "expected"),
    [
        ("workspace:read", "workspace:read", True),
        ("coder:workspaces.access", "workspace:ssh", True),
        ("coder:workspaces.access", "workspace:delete", False),
        ("coder:all", "user_secret:delete", True),
        ("workspace:read", "coder:all", False),
        ("workspace:*", "workspace:ssh", True),
        ("template:read file:* provisioner_jobs:read", "coder:templates.build", True),
        ("template:read file:*", "coder:templates.build", False),
        ("", "workspace:read", False),
        ("file:create file:read", "file:*", False),
        ("audit_log:* connection_log:* user:* organization:*", "coder:logs.read", True),
        ("coder:logs.ingest", "audit_log:read", False),
        ("coder:logs.read", "connection_log:update", False),
    ],
)
def test_one_set_covers_a_scope_when_every_permission_is_in_it(
    allowed: str,
    requested: str,
    expected: bool,
) -> None:
    assert scopes.covers(allowed.split(), requested) is expected


@pytest.mark.parametrize(
    ("allowed", "requested", "message"),
    [
        ("coder:all", "not_a_real_scope", 'expand requested scope: no scope named "not_a_real_scope"'),
        (
            "not_a_real_scope",
            "workspace:read",
            'expand allowed scope "not_a_real_scope": no scope named "not_a_real_scope"',
        ),
        (
            "coder:all not_a_real_scope",
            "workspace:read",
            'expand allowed scope "not_a_real_scope": no scope named "not_a_real_scope"',
        ),
        ("coder:all", "all", 'expand requested scope: no scope named "all"'),
        ("coder:all", "application_connect", 'expand requested scope: no scope named "application_connect"'),
        (
            "application_connect",
            "coder:application_connect",
            'expand allowed scope "application_connect": no scope named "application_connect"',
        ),
    ],
)
def test_a_name_that_stands_for_nothing_cannot_be_compared(allowed: str, requested: str, message: str) -> None:
    with pytest.raises(scopes.CoverageUnknown) as caught:
        scopes.covers(allowed.split(), requested)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_scope_covers_itself_and_all_covers_it(name: str) -> None:
    assert scopes.covers([name], name)
    assert scopes.covers(["coder:all"], name)
    assert scopes.covers([name], "coder:all") is (name == "coder:all")


@settings(deadline=None)
@given(st.lists(public, max_size=4), st.lists(public, max_size=2), public)
def test_more_scopes_cover_no_less(names: list[str], more: list[str], requested: str) -> None:
    assert scopes.covers(names + more, requested) or not scopes.covers(names, requested)


@settings(deadline=None)
@given(public, public, public)
def test_covering_is_transitive(wide: str, middle: str, narrow: str) -> None:
    if scopes.covers([wide], middle) and scopes.covers([middle], narrow):
        assert scopes.covers([wide], narrow)


@pytest.mark.parametrize("name", [*PUBLIC, *INTERNAL, *LOW_LEVEL])
def test_a_description_says_what_the_scope_grants_and_no_more(name: str) -> None:
    expansion, text = scopes.describe(name)
    assert text.strip() == text
    assert text
    assert "\n" not in text
    assert len(text) < 100
    assert len(set(expansion)) == len(expansion) > 0
    held = permissions(*expansion)
    for resource, action, _ in scopes.expand(name):
        asked = ACTIONS[resource] if action == "*" and resource != "*" else (action,)
        assert all(any(one.matches(resource, wanted) for one in held) for wanted in asked)
    if name != "coder:all":
        assert all(scopes.covers([name], one) for one in expansion)


def test_a_description_spells_out_a_resource() -> None:
    assert scopes.describe("audit_log:*").expansion == ("audit_log:read", "audit_log:create")
    assert scopes.describe("coder:all").expansion == ("*:*",)
    assert scopes.describe("workspace:ssh") == (("workspace:ssh",), "Connect by SSH to workspaces")


def test_no_two_public_scopes_are_described_alike() -> None:
    texts = [scopes.describe(name).text for name in PUBLIC]
    assert len(set(texts)) == len(texts)
