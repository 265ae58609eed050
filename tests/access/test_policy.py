from __future__ import annotations

import pytest

from chalicelib.access.policy import ACTIONS, Permission, exists, permissions, vote

CRUD = "create, read, update, delete"
SHARED = f"{CRUD}, share"
WORKSPACE = (
    f"{CRUD}, start, stop, ssh, application_connect, create_agent, delete_agent, update_agent, share, use_shared"
)
POLICY = [
    ("user", f"{CRUD}, read_personal, update_personal"),
    ("workspace, workspace_dormant", WORKSPACE),
    ("prebuilt_workspace", "update, delete"),
    ("template", f"{CRUD}, use, view_insights"),
    ("api_key", CRUD),
    ("audit_log", "read, create"),
    ("connection_log", "read, update"),
    (
        (
            "organization, organization_member, group, workspace_proxy, provisioner_daemon, system,"
            " tailnet_coordinator, oauth2_app, oauth2_app_secret, notification_message, crypto_key, user_secret,"
            " user_skill, workspace_build_orchestration, ai_provider, ai_gateway_key"
        ),
        CRUD,
    ),
    ("task", CRUD),
    ("chat", SHARED),
    ("group_member", "read"),
    ("license", "create, read, delete"),
    ("deployment_config", "read, update"),
    ("deployment_stats, replicas, debug_info", "read"),
    ("file", "create, read"),
    ("provisioner_jobs", "read, update, create"),
    ("assign_role", "assign, unassign, read"),
    ("assign_org_role", f"assign, unassign, {CRUD}"),
    ("oauth2_app_code_token, webpush_subscription", "create, read, delete"),
    ("notification_template, notification_preference, idpsync_settings, ai_model_price", "read, update"),
    (
        "inbox_notification, workspace_agent_resource_monitor, usage_event, aibridge_interception",
        "create, read, update",
    ),
    ("workspace_agent_devcontainers", "create"),
    ("ai_seat", "create, read"),
    ("boundary_log", "create, read, delete"),
    ("boundary_usage", "read, update, delete"),
    ("chat_model_config, mcp_server_config, organization_skill, chat_project", SHARED),
    ("chat_project_memory", "create, read, delete"),
    ("chat_automation", CRUD),
]
ROWS = [(resource, actions.split(", ")) for resources, actions in POLICY for resource in resources.split(", ")]


@pytest.mark.parametrize(("resource", "actions"), ROWS)
def test_every_resource_has_exactly_its_actions(resource: str, actions: list[str]) -> None:
    assert sorted(ACTIONS[resource]) == sorted(actions)


def test_the_table_has_no_other_resource() -> None:
    assert sorted(ACTIONS) == sorted(resource for resource, _ in ROWS)


@pytest.mark.parametrize(
    ("resource", "action", "expected"),
    [
        ("workspace", "ssh", True),
        ("workspace", "*", False),
        ("workspace", "", False),
        ("*", "read", False),
        ("*", "*", False),
        ("prebuilt_workspace", "read", False),
        ("nothing", "read", False),
    ],
)
def test_an_action_exists_when_the_table_names_it(resource: str, action: str, expected: bool) -> None:
    assert exists(resource, action) is expected


@pytest.mark.parametrize(
    ("granted", "asked", "expected"),
    [
        ("workspace:read", "workspace:read", True),
        ("workspace:*", "workspace:read", True),
        ("*:read", "workspace:read", True),
        ("*:*", "workspace:read", True),
        ("workspace:read", "workspace:ssh", False),
        ("workspace:read", "template:read", False),
        ("workspace:read", "workspace:*", False),
        ("workspace:*", "*:*", False),
    ],
)
def test_a_wildcard_counts_on_the_granted_side_only(granted: str, asked: str, expected: bool) -> None:
    resource, action = asked.split(":")
    assert permissions(granted)[0].matches(resource, action) is expected


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ((), 0),
        (permissions("template:read"), 0),
        (permissions("workspace:read"), 1),
        (permissions("workspace:*", "template:read"), 1),
        (permissions("workspace:read", negate=True), -1),
        (permissions("*:*") + permissions("workspace:read", negate=True), -1),
        (permissions("workspace:read", negate=True) + permissions("*:*"), -1),
        (permissions("workspace:read") + permissions("workspace:ssh", negate=True), 1),
    ],
)
def test_one_refusal_outweighs_all_grants(granted: tuple[Permission, ...], expected: int) -> None:
    assert vote(granted, "workspace", "read") == expected


def test_permissions_are_written_the_short_way() -> None:
    assert permissions("template:read,use", "file:*") == (
        Permission("template", "read"),
        Permission("template", "use"),
        Permission("file", "*"),
    )
    assert str(Permission("template", "use")) == "template:use"
