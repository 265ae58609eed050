from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.logs.diff import diff, sanitised
from chalicelib.logs.secret_names import names_secret
from chalicelib.logs.tracked import RESOURCES, TRACKED
from chalicelib.logs.vocabulary import RESOURCE_TYPES

ID = "0d1f8a0c-5b0e-4c55-b7f6-52c1d9e0fb14"
OTHER = "9f2b7c1e-6d3c-4a7a-8a58-0e5b5a3d1c11"
NIL = "00000000-0000-0000-0000-000000000000"
MOMENT = "2025-07-10T10:14:38.942776Z"
NO_MOMENT = "0001-01-01T00:00:00Z"
HOUR = 3_600_000_000_000


def change(old: Any, new: Any) -> dict[str, Any]:
    return {"old": old, "new": new, "secret": False}


SECRET_TEXT = {"old": "", "new": "", "secret": True}
SECRET_BYTES = {"secret": True}

RULES = [
    pytest.param(
        "template",
        {"name": "", "default_ttl": 0},
        {"name": "bar", "default_ttl": 10},
        {"name": change("", "bar"), "default_ttl": change(0, 10)},
        id="LeftEmpty",
    ),
    pytest.param(
        "template",
        {"name": "Bar", "default_ttl": 10},
        {"name": "", "default_ttl": 0},
        {"name": change("Bar", ""), "default_ttl": change(10, 0)},
        id="RightEmpty",
    ),
    pytest.param("template", {"name": "a", "default_ttl": 1}, {"name": "a", "default_ttl": 1}, {}, id="NoChange"),
    pytest.param(
        "template",
        {"name": "", "default_ttl": 1},
        {"name": "Bar", "default_ttl": 1},
        {"name": change("", "Bar")},
        id="SingleFieldChange",
    ),
    pytest.param("template", {"name": None}, {"name": "baz"}, {"name": change("", "baz")}, id="PointerLeftNil"),
    pytest.param("template", {"name": "baz"}, {"name": None}, {"name": change("baz", "")}, id="PointerRightNil"),
    pytest.param(
        "group",
        {"Group": {"name": "old", "quota_allowance": 1}, "members": ["a"]},
        {"Group": {"name": "new", "quota_allowance": 2}, "members": ["b"]},
        {"name": change("old", "new"), "quota_allowance": change(1, 2), "members": change(["a"], ["b"])},
        id="EmbeddedStruct",
    ),
    pytest.param(
        "group",
        {"Group": None, "members": ["a"]},
        {"Group": {"name": "new", "quota_allowance": 2}, "members": ["a"]},
        {"name": change("", "new"), "quota_allowance": change(0, 2)},
        id="NilEmbeddedPointer",
    ),
    pytest.param(
        "group",
        {"Group": {"name": "inner"}, "name": "outer"},
        {"Group": {"name": "inner"}, "name": "changed"},
        {"name": change("outer", "changed")},
        id="OuterFieldHidesEmbeddedOne",
    ),
]

CREATED = [
    pytest.param(
        "git_ssh_key",
        {"user_id": ID, "private_key": "a very secret key", "public_key": "a public key", "created_at": MOMENT},
        {"user_id": change("", ID), "private_key": SECRET_TEXT, "public_key": change("", "a public key")},
        id="GitSSHKey",
    ),
    pytest.param(
        "template",
        {
            "id": ID,
            "name": "rust",
            "provisioner": "terraform",
            "active_version_id": OTHER,
            "default_ttl": HOUR,
            "created_by": OTHER,
            "organization_id": OTHER,
            "created_at": MOMENT,
            "deprecated": "",
            "require_active_version": False,
        },
        {
            "id": change("", ID),
            "name": change("", "rust"),
            "provisioner": change("", "terraform"),
            "active_version_id": change("", OTHER),
            "default_ttl": change(0, HOUR),
            "created_by": change("", OTHER),
        },
        id="Template",
    ),
    pytest.param(
        "template_version",
        {"id": ID, "template_id": OTHER, "created_by": OTHER, "name": "rust", "organization_id": OTHER},
        {
            "id": change("", ID),
            "template_id": change("null", OTHER),
            "created_by": change("", OTHER),
            "name": change("", "rust"),
        },
        id="TemplateVersion",
    ),
    pytest.param(
        "template_version",
        {"id": ID, "template_id": None, "created_by": OTHER, "name": "rust"},
        {"id": change("", ID), "created_by": change("", OTHER), "name": change("", "rust")},
        id="TemplateVersion without template",
    ),
    pytest.param(
        "user",
        {
            "id": ID,
            "email": "colin@coder.com",
            "username": "colin",
            "hashed_password": "aHVudGVyMTI=",
            "status": "active",
            "rbac_roles": ["omega admin"],
            "avatar_url": "/a.png",
        },
        {
            "id": change("", ID),
            "email": change("", "colin@coder.com"),
            "username": change("", "colin"),
            "hashed_password": SECRET_BYTES,
            "status": change("", "active"),
            "rbac_roles": {"new": ["omega admin"], "secret": False},
        },
        id="User",
    ),
    pytest.param(
        "chat",
        {"id": ID, "owner_id": OTHER, "workspace_id": ID, "title": "what nobody may read", "status": "waiting"},
        {
            "id": change("", ID),
            "owner_id": change("", OTHER),
            "workspace_id": change("null", ID),
            "title": SECRET_TEXT,
        },
        id="Chat",
    ),
    pytest.param(
        "user_skill",
        {"id": ID, "user_id": OTHER, "name": "n", "description": "d", "content": "c", "updated_at": MOMENT},
        {
            "id": change("", ID),
            "user_id": change("", OTHER),
            "name": change("", "n"),
            "description": change("", "d"),
            "content": change("", "c"),
        },
        id="UserSkill",
    ),
    pytest.param(
        "workspace",
        {
            "id": ID,
            "owner_id": OTHER,
            "template_id": OTHER,
            "name": "rust workspace",
            "autostart_schedule": "0 12 * * 1-5",
            "ttl": 8 * HOUR,
        },
        {
            "id": change("", ID),
            "owner_id": change("", OTHER),
            "template_id": change("", OTHER),
            "name": change("", "rust workspace"),
            "autostart_schedule": change("null", "0 12 * * 1-5"),
            "ttl": change(0, 8 * HOUR),
        },
        id="Workspace",
    ),
    pytest.param(
        "workspace",
        {"id": ID, "owner_id": OTHER, "template_id": OTHER, "name": "w", "autostart_schedule": None, "ttl": None},
        {
            "id": change("", ID),
            "owner_id": change("", OTHER),
            "template_id": change("", OTHER),
            "name": change("", "w"),
        },
        id="Workspace NullSchedules",
    ),
]

CONVERSIONS = [
    pytest.param("user", "id", NIL, ID, change("", ID), id="nil UUID"),
    pytest.param("task", "workspace_id", ID, None, change(ID, "null"), id="null of a nullable UUID"),
    pytest.param("workspace", "autostart_schedule", "x", None, change("x", "null"), id="null of a nullable text"),
    pytest.param("workspace", "ttl", 5, None, change(5, 0), id="null of a nullable number"),
    pytest.param(
        "workspace", "favorite", None, True, {"old": False, "new": True, "secret": False}, id="null of a flag"
    ),
    pytest.param(
        "organization", "is_default", True, 1, {"old": True, "new": 1, "secret": False}, id="a flag is no number"
    ),
    pytest.param("template", "default_ttl", None, 0.0, None, id="no number and none at all are the same"),
    pytest.param("user", "rbac_roles", ["a"], None, {"old": ["a"], "secret": False}, id="null of a list"),
    pytest.param("chat", "labels", None, {"a": "b"}, {"new": {"a": "b"}, "secret": False}, id="null of an object"),
    pytest.param("api_key", "expires_at", None, MOMENT, change(NO_MOMENT, MOMENT), id="no moment"),
    pytest.param(
        "workspace",
        "dormant_at",
        None,
        MOMENT,
        change({"Time": NO_MOMENT, "Valid": False}, {"Time": MOMENT, "Valid": True}),
        id="a nullable moment, bare",
    ),
    pytest.param(
        "workspace",
        "dormant_at",
        {"Time": MOMENT, "Valid": True},
        {"Time": NO_MOMENT, "Valid": False},
        change({"Time": MOMENT, "Valid": True}, {"Time": NO_MOMENT, "Valid": False}),
        id="a nullable moment, wrapped",
    ),
    pytest.param(
        "workspace",
        "autostart_schedule",
        {"String": "", "Valid": False},
        {"String": "0 12 * * 1-5", "Valid": True},
        change("null", "0 12 * * 1-5"),
        id="a wrapped text",
    ),
    pytest.param(
        "workspace", "ttl", {"Int64": 0, "Valid": False}, {"Int64": 7, "Valid": True}, change(0, 7), id="wrapped number"
    ),
    pytest.param(
        "chat",
        "workspace_id",
        {"UUID": NIL, "Valid": False},
        {"UUID": ID, "Valid": True},
        change("null", ID),
        id="a wrapped UUID",
    ),
    pytest.param(
        "template",
        "group_acl",
        {},
        {OTHER: ["read", "use"], ID: ["admin"]},
        change("map[]", f"map[{ID}:[admin] {OTHER}:[read use]]"),
        id="ACL of a template",
    ),
    pytest.param("template", "user_acl", None, {}, None, id="no ACL and an empty one are the same"),
    pytest.param(
        "chat", "user_acl", {"a": ["read"]}, {"a": ["use"]}, change({"a": ["read"]}, {"a": ["use"]}), id="other ACLs"
    ),
    pytest.param(
        "custom_role",
        "site_permissions",
        [],
        [
            {"negate": False, "resource_type": "workspace", "action": "read"},
            {"negate": True, "resource_type": "template", "action": "use"},
        ],
        change([], ["workspace.read", "-template.use"]),
        id="permissions",
    ),
    pytest.param("ai_provider", "settings", None, "{}", SECRET_TEXT, id="a nullable secret"),
    pytest.param("user", "hashed_password", "b2xk", "bmV3", SECRET_BYTES, id="secret bytes"),
    pytest.param("user", "hashed_password", "c2FtZQ==", "c2FtZQ==", None, id="an unchanged secret"),
    pytest.param("user", "avatar_url", "a", "b", None, id="an ignored field"),
    pytest.param("user", "no_such_field", "a", "b", None, id="an unknown field"),
]


@pytest.mark.parametrize(("resource_type", "old", "new", "expected"), RULES)
def test_a_diff_has_the_changed_fields_alone(
    resource_type: str, old: dict[str, Any], new: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert diff(old, new, resource_type) == expected


@pytest.mark.parametrize(("resource_type", "new", "expected"), CREATED)
def test_a_new_resource_differs_from_zero_values(
    resource_type: str, new: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert diff(None, new, resource_type) == expected


@pytest.mark.parametrize(("resource_type", "old", "expected"), CREATED)
def test_a_deleted_resource_differs_the_other_way_round(
    resource_type: str, old: dict[str, Any], expected: dict[str, Any]
) -> None:
    swapped = {"old": "new", "new": "old", "secret": "secret"}
    assert diff(old, None, resource_type) == {
        name: {swapped[side]: value for side, value in parts.items()} for name, parts in expected.items()
    }


@pytest.mark.parametrize(("resource_type", "field", "old", "new", "expected"), CONVERSIONS)
def test_values_are_converted(
    resource_type: str, field: str, old: Any, new: Any, expected: dict[str, Any] | None
) -> None:
    computed = diff({field: old}, {field: new}, resource_type)
    # As text, because Python takes true for 1.
    assert json.dumps(computed, sort_keys=True) == json.dumps({field: expected} if expected else {}, sort_keys=True)


@pytest.mark.parametrize("resource_type", ["workspace_agent", "workspace_app", "no_such_type"])
def test_a_type_without_tracked_fields_has_an_empty_diff(resource_type: str) -> None:
    assert diff({"id": ID}, {"id": OTHER}, resource_type) == {}


def test_what_was_not_and_is_not_has_an_empty_diff() -> None:
    assert diff(None, None, "user") == {}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, {}),
        ({"a": {"old": 1, "new": 2, "secret": False}}, {"a": {"old": 1, "new": 2, "secret": False}}),
        ({"a": {"Old": 1, "New": 2, "Secret": False}}, {"a": {"old": 1, "new": 2, "secret": False}}),
        ({"a": {"OLD": 1, "nEw": 2}}, {"a": {"old": 1, "new": 2, "secret": False}}),
        ({"a": {"old": "", "new": 0, "secret": False}}, {"a": {"old": "", "new": 0, "secret": False}}),
        ({"a": {"old": None, "new": [], "secret": None}}, {"a": {"new": [], "secret": False}}),
        ({"a": {}}, {"a": {"secret": False}}),
        ({"a": {"Old": "hunter1", "New": "hunter2", "Secret": True}}, {"a": {"old": "", "new": "", "secret": True}}),
        ({"a": {"old": 7, "new": True, "secret": True}}, {"a": {"old": 0, "new": False, "secret": True}}),
        ({"a": {"old": ["x"], "new": {"y": "z"}, "secret": True}}, {"a": {"secret": True}}),
        ({"a": {"new": "", "secret": True}}, {"a": {"new": "", "secret": True}}),
        ({"1": 2}, {"1": {"new": 2, "secret": False}}),
        ({"a": ["old", "new"]}, {"a": {"new": ["old", "new"], "secret": False}}),
        ({"a": "", "b": None}, {"a": {"new": "", "secret": False}, "b": {"secret": False}}),
    ],
)
def test_a_sent_diff_takes_the_form_of_the_api(sent: dict[str, Any], expected: dict[str, Any]) -> None:
    clean = sanitised(sent)
    assert json.dumps(clean, sort_keys=True) == json.dumps(expected, sort_keys=True)


CREDENTIALS = [
    ("api_key", "hashed_secret"),
    ("license", "jwt"),
    ("user", "hashed_password"),
    ("user", "hashed_one_time_passcode"),
    ("oauth2_provider_app_secret", "hashed_secret"),
    ("git_ssh_key", "private_key"),
    ("workspace_proxy", "token_hashed_secret"),
    ("ai_provider_key", "api_key"),
    ("user_secret", "value"),
]


@pytest.mark.parametrize(("resource_type", "field"), CREDENTIALS)
def test_no_credential_is_stored_however_its_name_is_spelled(resource_type: str, field: str) -> None:
    camel = field.title().replace("_", "")
    for name in (field, field.upper(), camel, field.replace("_", " "), field.replace("_", "-"), f" {field}_"):
        assert sanitised({name: {"old": "hunter1", "new": "hunter2"}}, resource_type) == {
            name: {"old": "", "new": "", "secret": True}
        }
        assert sanitised({name: "hunter2"}, resource_type) == {name: {"new": "", "secret": True}}
    assert sanitised({"name": "hunter2"}, resource_type) == {"name": {"new": "hunter2", "secret": False}}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (None, "must be an object of changed fields"),
        ([], "must be an object of changed fields"),
        ("{}", "must be an object of changed fields"),
        ({"a": {"old": 1, "Old": 2}}, "the change of 'a' has the same part twice"),
        ({"a": {"old": 1, "secrett": True}}, "the change of 'a' has old, new and secret, not 'secrett'"),
        ({"a": {"old": 1, "secret": "yes"}}, "secret in the change of 'a' must be true or false"),
        ({"a": {"old": 1, "secret": 1}}, "secret in the change of 'a' must be true or false"),
    ],
)
def test_what_is_no_diff_is_refused_with_the_reason(sent: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        sanitised(sent)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
# A name drawn by chance may be that of a secret, such as "apiKey".
plain_names = st.text(max_size=8).filter(lambda name: not names_secret(name))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_names, inner, max_size=3),
    max_leaves=5,
)
resource_types = st.sampled_from(RESOURCE_TYPES)
diffs = st.dictionaries(
    plain_names,
    st.fixed_dictionaries(
        {},
        optional={
            "old": values,
            "new": values,
            "secret": st.booleans(),
        },
    ),
    max_size=4,
)


def resources(resource_type: str) -> st.SearchStrategy[dict[str, Any]]:
    if resource_type not in RESOURCES:
        return st.just({})
    return st.dictionaries(st.sampled_from(sorted(TRACKED[RESOURCES[resource_type].struct])), values, max_size=8)


@settings(deadline=None)
@given(st.data(), resource_types)
def test_nothing_differs_from_itself(data: st.DataObject, resource_type: str) -> None:
    same = data.draw(resources(resource_type))
    assert diff(same, same, resource_type) == {}
    assert diff(same, json.loads(json.dumps(same)), resource_type) == {}


@settings(deadline=None)
@given(st.data(), resource_types)
def test_a_computed_diff_is_a_diff_in_the_form_of_the_api(data: st.DataObject, resource_type: str) -> None:
    old, new = data.draw(resources(resource_type)), data.draw(resources(resource_type))
    computed = diff(old, new, resource_type)
    assert sanitised(computed, resource_type) == computed
    assert set(computed) <= set(old) | set(new)


@settings(deadline=None)
@given(diffs)
def test_sanitising_twice_changes_nothing_more(sent: dict[str, Any]) -> None:
    once = sanitised(sent)
    assert json.dumps(sanitised(once), sort_keys=True) == json.dumps(once, sort_keys=True)


@settings(deadline=None)
@given(diffs)
def test_both_spellings_of_a_diff_are_one(sent: dict[str, Any]) -> None:
    stored_form = {name: {part.capitalize(): value for part, value in parts.items()} for name, parts in sent.items()}
    assert json.dumps(sanitised(stored_form)) == json.dumps(sanitised(sent))


@settings(deadline=None)
@given(diffs)
def test_a_secret_keeps_no_value_and_anything_else_keeps_every_value(sent: dict[str, Any]) -> None:
    clean = sanitised(sent)
    assert list(clean) == list(sent)
    for name, parts in sent.items():
        kept = clean[name]
        if parts.get("secret"):
            assert kept["secret"] is True
            assert not any(kept.get(side) for side in ("old", "new"))
        else:
            given_sides = {side: parts[side] for side in ("old", "new") if parts.get(side) is not None}
            assert kept == {**given_sides, "secret": False}


@settings(deadline=None)
@given(st.data(), resource_types)
def test_a_computed_diff_never_shows_a_secret(data: st.DataObject, resource_type: str) -> None:
    old, new = data.draw(resources(resource_type)), data.draw(resources(resource_type))
    modes = TRACKED[RESOURCES[resource_type].struct] if resource_type in RESOURCES else {}
    for name, parts in diff(old, new, resource_type).items():
        assert parts["secret"] is (modes[name] == "secret")
        assert not parts["secret"] or not any(parts.get(side) for side in ("old", "new"))
