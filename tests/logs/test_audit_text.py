from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.logs.audit_text import (
    ACTION_WORDS,
    LINKS,
    LOOKED_UP,
    RESOURCE_WORDS,
    Looked,
    additional_fields,
    description,
    looked_up,
    resource_link,
)
from chalicelib.logs.vocabulary import AUDIT_ACTIONS, AUDITED_TYPES, RESOURCE_TYPES
from chalicelib.records import AuditLog

NIL = "00000000-0000-0000-0000-000000000000"
ID = "4d1a2f6e-0d2b-4a0e-8a1d-7c3b2e5f6a13"
WORKSPACE = "05567e23-31e2-4c00-bd05-4d499d437347"
ROW = AuditLog(
    id="b3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10",
    time=datetime(2025, 7, 10, tzinfo=UTC),
    user_id="0c9f6f0a-93a0-4d55-9d0e-21b0b7a54c12",
    organization_id=None,
    ip=None,
    user_agent=None,
    resource_type="workspace",
    resource_id=ID,
    resource_target="dev",
    resource_icon="",
    action="create",
    status_code=200,
    request_id=NIL,
    diff={},
    additional_fields={},
)
BUILD = {
    "workspace_name": "dev",
    "build_number": "7",
    "build_reason": "initiator",
    "workspace_owner": "colin",
    "workspace_id": WORKSPACE,
}
UNKNOWN = {
    "workspace_name": "unknown",
    "build_number": "unknown",
    "build_reason": "unknown",
    "workspace_owner": "unknown",
}

ACTIONS = {
    "create": "created",
    "write": "updated",
    "delete": "deleted",
    "start": "started",
    "stop": "stopped",
    "login": "logged in",
    "logout": "logged out",
    "register": "registered",
    "request_password_reset": "password reset requested",
    "connect": "connected",
    "disconnect": "disconnected",
    "open": "opened",
    "close": "closed",
}

RESOURCES = {
    "organization": "organization",
    "template": "template",
    "template_version": "template version",
    "user": "user",
    "workspace": "workspace",
    "git_ssh_key": "git ssh key",
    "api_key": "token",
    "group": "group",
    "workspace_build": "workspace",
    "license": "license",
    "workspace_proxy": "workspace proxy",
    "convert_login": "login type conversion",
    "health_settings": "health_settings",
    "oauth2_provider_app": "oauth2 app",
    "oauth2_provider_app_secret": "oauth2 app secret",
    "custom_role": "custom role",
    "organization_member": "organization member",
    "notifications_settings": "notifications_settings",
    "notification_template": "notification template",
    "idp_sync_settings_organization": "settings",
    "idp_sync_settings_group": "settings",
    "idp_sync_settings_role": "settings",
    "workspace_agent": "workspace agent",
    "workspace_app": "workspace app",
    "prebuilds_settings": "prebuilds_settings",
    "task": "task",
    "ai_seat": "ai seat",
    "chat": "chat",
    "user_secret": "user secret",
    "ai_provider": "ai provider",
    "ai_provider_key": "ai provider key",
    "group_ai_budget": "group ai budget",
    "user_skill": "user skill",
    "ai_gateway_key": "ai gateway key",
    "user_ai_budget_override": "user ai budget override",
    "retention_run": "retention run",
    "retention_hold": "retention hold",
    "export": "export",
    "external_auth_link": "external auth link",
}

ARCHIVED = {"archived": {"old": False, "new": True, "secret": False}}
UNARCHIVED = {"archived": {"old": True, "new": False, "secret": False}}
USER_ACL = {"user_acl": {"old": {}, "new": {"a": ["read"]}, "secret": False}}
GROUP_ACL = {"group_acl": {"old": {}, "new": {"a": ["read"]}, "secret": False}}
PIN = {"pin_order": {"old": 0, "new": 1, "secret": False}}


def row(resource_type: str, action: str = "create", **changes: Any) -> AuditLog:
    return replace(ROW, resource_type=resource_type, action=action, **changes)


def test_the_words_are_of_the_two_closed_lists() -> None:
    assert list(ACTION_WORDS) == list(ACTIONS) == list(AUDIT_ACTIONS)
    assert list(RESOURCE_WORDS) == list(RESOURCES) == list(AUDITED_TYPES)
    assert set(LOOKED_UP) <= set(RESOURCE_TYPES)
    assert set(LINKS) <= set(RESOURCE_TYPES)


@pytest.mark.parametrize(("action", "words"), ACTIONS.items())
def test_every_action_has_its_words(action: str, words: str) -> None:
    expected = f"{words} for {{target}}" if action == "request_password_reset" else f"{{user}} {words} user {{target}}"
    assert description(row("user", action)) == expected


@pytest.mark.parametrize(("resource_type", "words"), RESOURCES.items())
def test_every_resource_type_has_its_words(resource_type: str, words: str) -> None:
    special = {
        "git_ssh_key": "{user} deleted the git ssh key",
        "convert_login": "{user} deleted login type conversion to {target}",
    }
    expected = special.get(resource_type, f"{{user}} deleted {words} {{target}}")
    assert description(row(resource_type, "delete")) == expected
    assert RESOURCE_WORDS[resource_type] == words


@pytest.mark.parametrize(
    ("resource_type", "action", "status_code", "diff", "expected"),
    [
        pytest.param("workspace", "create", 200, {}, "{user} created workspace {target}", id="mainline"),
        pytest.param(
            "workspace",
            "create",
            400,
            {},
            "{user} unsuccessfully attempted to create workspace {target}",
            id="unsuccessful",
        ),
        pytest.param("api_key", "login", 200, {}, "{user} logged in", id="login"),
        pytest.param("api_key", "logout", 200, {}, "{user} logged out", id="logout"),
        pytest.param("api_key", "register", 201, {}, "{user} registered", id="register"),
        pytest.param("api_key", "login", 401, {}, "{user} unsuccessfully attempted to login", id="login_failed"),
        pytest.param("api_key", "create", 201, {}, "{user} created token {target}", id="token"),
        pytest.param("git_ssh_key", "delete", 200, {}, "{user} deleted the git ssh key", id="gitsshkey"),
        pytest.param(
            "workspace_app",
            "open",
            303,
            {},
            "{user} was redirected attempting to open workspace app {target}",
            id="redirected",
        ),
        pytest.param("workspace", "write", 302, {}, "{user} updated workspace {target}", id="other_redirect"),
        pytest.param("workspace", "write", 399, {}, "{user} updated workspace {target}", id="last_success"),
        pytest.param(
            "user",
            "request_password_reset",
            500,
            {},
            "unsuccessfully attempted to request_password_reset for {target}",
            id="reset_failed",
        ),
        pytest.param("some_thing", "some_deed", 200, {}, "{user} unknown unknown {target}", id="unknown_words"),
        pytest.param("chat", "write", 200, ARCHIVED, "{user} archived chat {target}", id="chat_archived"),
        pytest.param("chat", "write", 200, UNARCHIVED, "{user} unarchived chat {target}", id="chat_unarchived"),
        pytest.param("chat", "write", 200, USER_ACL, "{user} updated sharing for chat {target}", id="chat_user_acl"),
        pytest.param("chat", "write", 200, GROUP_ACL, "{user} updated sharing for chat {target}", id="chat_group_acl"),
        pytest.param(
            "chat", "write", 200, USER_ACL | GROUP_ACL, "{user} updated sharing for chat {target}", id="chat_both_acls"
        ),
        pytest.param("chat", "write", 200, ARCHIVED | PIN, "{user} updated chat {target}", id="chat_archived_and_more"),
        pytest.param("chat", "write", 200, USER_ACL | PIN, "{user} updated chat {target}", id="chat_sharing_and_more"),
        pytest.param("chat", "write", 200, {}, "{user} updated chat {target}", id="chat_no_diff"),
        pytest.param(
            "chat",
            "write",
            400,
            ARCHIVED,
            "{user} unsuccessfully attempted to write chat {target}",
            id="chat_failed_write",
        ),
        pytest.param(
            "chat",
            "write",
            303,
            ARCHIVED,
            "{user} was redirected attempting to write chat {target}",
            id="chat_redirected",
        ),
        pytest.param("chat", "create", 200, ARCHIVED, "{user} created chat {target}", id="chat_non_write"),
        pytest.param("task", "write", 200, ARCHIVED, "{user} updated task {target}", id="no_chat"),
    ],
)
def test_a_description_says_what_happened(
    resource_type: str, action: str, status_code: int, diff: dict[str, Any], expected: str
) -> None:
    assert description(row(resource_type, action, status_code=status_code, diff=diff)) == expected


@pytest.mark.parametrize(
    ("fields", "readable"),
    [
        ({}, True),
        (BUILD, True),
        ({"automatic_actor": "coder", "automatic_subsystem": "dormancy"}, True),
        ({**BUILD, "connection_type": "SSH"}, True),
        ({"workspace_name": None, "workspace_id": None}, True),
        ({"something_else": [1, 2]}, True),
        ({**BUILD, "workspace_name": 1}, False),
        ({**BUILD, "build_number": 7}, False),
        ({**BUILD, "build_reason": ["initiator"]}, False),
        ({**BUILD, "workspace_owner": {}}, False),
        ({**BUILD, "workspace_id": "dev"}, False),
        ({**BUILD, "workspace_id": ""}, False),
        ({**BUILD, "workspace_id": 1}, False),
    ],
    ids=str,
)
def test_additional_fields_that_cannot_be_read_are_shown_as_unknown(fields: dict[str, Any], *, readable: bool) -> None:
    assert additional_fields(row("workspace_build", additional_fields=fields)) == (fields if readable else UNKNOWN)


NAMES = {"owner": "colin", "organization": "acme", "app": "app"}


@pytest.mark.parametrize(
    ("resource_type", "expected"),
    [
        ("template", "/templates/dev"),
        ("user", "/users?filter=dev"),
        ("workspace", "/@colin/dev"),
        ("workspace_build", "/@colin/dev/builds/7"),
        ("workspace_agent", "/@colin/dev"),
        ("workspace_app", "/@colin/dev"),
        ("oauth2_provider_app", f"/deployment/oauth2-provider/apps/{ID}"),
        ("oauth2_provider_app_secret", "/deployment/oauth2-provider/apps/app"),
        ("task", f"/tasks/colin/{ID}"),
        ("chat", f"/agents/{ID}"),
        ("group_ai_budget", "/organizations/acme/groups/dev"),
        *((name, "") for name in AUDITED_TYPES if name not in LINKS),
    ],
)
def test_every_resource_type_has_its_link_until_it_is_deleted(resource_type: str, expected: str) -> None:
    made = row(resource_type, additional_fields=BUILD)
    assert resource_link(made, deleted=False, names=NAMES) == expected
    assert resource_link(made, deleted=True, names=NAMES) == ""


@pytest.mark.parametrize(
    ("resource_type", "changes", "owner", "expected"),
    [
        ("workspace", {"additional_fields": BUILD}, "", "/@colin/dev"),
        ("workspace", {"additional_fields": BUILD}, "renamed", "/@renamed/dev"),
        ("workspace", {}, "", ""),
        ("workspace", {"resource_target": ""}, "colin", ""),
        ("workspace_build", {"additional_fields": {**BUILD, "build_number": ""}}, "colin", ""),
        ("workspace_build", {"additional_fields": {"build_number": "7"}}, "colin", ""),
        ("workspace_build", {"additional_fields": {**BUILD, "build_number": 7}}, "colin", ""),
        ("workspace_agent", {"additional_fields": {}}, "colin", ""),
        ("oauth2_provider_app_secret", {}, "colin", ""),
        ("group_ai_budget", {}, "colin", ""),
        ("task", {}, "", ""),
        ("template", {"resource_target": "a/../b?c#d {id}"}, "", "/templates/a%2F..%2Fb%3Fc%23d%20%7Bid%7D"),
        ("template", {"resource_target": "\ud800"}, "", "/templates/%3F"),
        ("template", {"resource_target": "a.b_c-d~1"}, "", "/templates/a.b_c-d~1"),
    ],
)
def test_a_link_is_whole_or_not_at_all(resource_type: str, changes: dict[str, Any], owner: str, expected: str) -> None:
    assert resource_link(row(resource_type, **changes), deleted=False, names={"owner": owner}) == expected


@pytest.mark.parametrize(
    ("resource_type", "expected"),
    [
        ("template", Looked("template", ID)),
        ("user", Looked("user", ID)),
        ("workspace", Looked("workspace", ID)),
        ("workspace_build", Looked("workspace", WORKSPACE)),
        ("workspace_agent", Looked("workspace", WORKSPACE)),
        ("workspace_app", Looked("workspace", WORKSPACE)),
        ("oauth2_provider_app", Looked("oauth2_provider_app", ID)),
        ("oauth2_provider_app_secret", Looked("oauth2_provider_app_secret", ID)),
        ("task", Looked("task", ID)),
        ("chat", Looked("chat", ID)),
        ("user_secret", Looked("user_secret", ID)),
        *((name, None) for name in AUDITED_TYPES if name not in LOOKED_UP),
    ],
)
def test_what_is_looked_up_follows_from_the_resource_type(resource_type: str, expected: Looked | None) -> None:
    assert looked_up(row(resource_type, additional_fields=BUILD)) == expected


@pytest.mark.parametrize("workspace_id", [None, NIL, "dev", 7])
def test_a_build_of_no_known_workspace_is_not_looked_up(workspace_id: Any) -> None:
    assert looked_up(row("workspace_build", additional_fields={"workspace_id": workspace_id})) is None
