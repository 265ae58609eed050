from __future__ import annotations

import pytest

from chalicelib.access.policy import ACTIONS, WILDCARD, exists, vote
from chalicelib.access.roles import (
    ASSIGNABLE,
    ORGANIZATION_ROLES,
    ROLES,
    SITE_ROLES,
    assignable,
    is_organization_role,
    is_site_role,
)

RESOURCES = ("api_key", "audit_log", "connection_log", "user", "organization", "workspace", "template")
WORKSPACE_WITHOUT_ACCESS = ",".join(
    action for action in ACTIONS["workspace"] if action not in {"ssh", "application_connect"}
)

# One row a role: level and actions for each resource above, "-" for nothing. S, O, U, M are the levels of a role.
MATRIX = [
    ("owner", "S all", "S all", "S all", "S all", "S all", "S all", "S all"),
    ("member", "U all", "-", "-", "U read,read_personal,update_personal", "-", "-", "-"),
    ("auditor", "-", "S read", "S read", "S read", "S read", "-", "S read,view_insights"),
    ("template-admin", "-", "-", "-", "S read", "S read", "S read", "S all"),
    ("user-admin", "-", "-", "-", "S all", "S read", "-", "-"),
    (
        "organization-admin",
        "O all",
        "O read",
        "O read",
        "S read",
        "O all",
        f"O {WORKSPACE_WITHOUT_ACCESS}",
        "O all",
    ),
    ("organization-auditor", "-", "O read", "O read", "-", "O read", "-", "O read,view_insights"),
    ("organization-user-admin", "-", "-", "-", "S read", "O read", "-", "-"),
    ("organization-template-admin", "-", "-", "-", "-", "O read", "O read", "O all"),
    ("organization-member", "M all", "-", "-", "-", "O read", "-", "-"),
    ("organization-workspace-access", "-", "-", "-", "-", "-", "M all", "-"),
    ("organization-service-account", "M all", "-", "-", "-", "O read", "-", "-"),
]
CELLS = [(role, *cell) for role, *cells in MATRIX for cell in zip(RESOURCES, cells, strict=True)]

OTHER_GRANTS = [
    (
        "auditor",
        "S",
        (
            "assign_org_role group group_member organization_member deployment_stats deployment_config"
            " aibridge_interception boundary_log chat_model_config"
        ),
        "read",
    ),
    ("template-admin", "S", "file", "create,read"),
    ("template-admin", "S", "workspace_dormant group group_member organization_member assign_org_role", "read"),
    ("template-admin", "S", "prebuilt_workspace", "update,delete"),
    ("template-admin", "S", "provisioner_daemon", "all"),
    ("user-admin", "S", "assign_role assign_org_role", "assign,unassign,read"),
    ("user-admin", "S", "group organization_member", "all"),
    ("user-admin", "S", "group_member", "read"),
    ("user-admin", "S", "idpsync_settings", "read,update"),
    ("organization-user-admin", "O", "assign_org_role", "assign,unassign,read"),
    ("organization-user-admin", "O", "organization_member group", "all"),
    ("organization-user-admin", "O", "group_member", "read"),
    ("organization-user-admin", "O", "idpsync_settings", "read,update"),
    ("organization-template-admin", "O", "file provisioner_daemon provisioner_jobs", "all"),
    ("organization-template-admin", "O", "prebuilt_workspace", "update,delete"),
    ("organization-template-admin", "O", "group group_member organization_member", "read"),
    ("member", "S", "assign_role oauth2_app workspace_proxy", "read"),
    ("member", "U", "user_secret", "all"),
    ("organization-member", "O", "provisioner_daemon assign_org_role organization_member group", "read"),
    ("owner", "S", "user_secret usage_event boundary_usage ai_seat", ""),
    ("owner", "S", "user_skill", "read,delete"),
    ("owner", "S", "boundary_log", "read"),
    ("owner", "S", "ai_gateway_key", "create,read,delete"),
    ("owner", "S", "prebuilt_workspace", "update,delete"),
    (
        "owner",
        "S",
        "workspace_dormant",
        "read,delete,create,update,stop,create_agent,delete_agent,update_agent",
    ),
]
OTHER_CELLS = [
    (role, level, resource, actions)
    for role, level, resources, actions in OTHER_GRANTS
    for resource in resources.split()
]


def granted(role: str, resource: str) -> dict[str, set[str]]:
    """The actions on a resource that a role grants at each level."""
    levels = {"S": "site", "O": "organization", "U": "user", "M": "member"}
    return {
        level: {action for action in ACTIONS[resource] if vote(getattr(ROLES[role], name), resource, action) > 0}
        for level, name in levels.items()
    }


def spelled(actions: str, resource: str) -> set[str]:
    return set(ACTIONS[resource]) if actions == "all" else set(actions.split(",")) - {""}


@pytest.mark.parametrize(("role", "resource", "cell"), CELLS)
def test_a_role_grants_what_its_row_says_and_at_no_other_level(role: str, resource: str, cell: str) -> None:
    expected: dict[str, set[str]] = {"S": set(), "O": set(), "U": set(), "M": set()}
    if cell != "-":
        level, actions = cell.split(" ")
        expected[level] = spelled(actions, resource)
    assert granted(role, resource) == expected


@pytest.mark.parametrize(("role", "level", "resource", "actions"), OTHER_CELLS)
def test_a_role_grants_the_rest_of_its_list(role: str, level: str, resource: str, actions: str) -> None:
    assert granted(role, resource)[level] == spelled(actions, resource)


def test_the_ban_refuses_making_and_deleting_workspaces_and_nothing_else() -> None:
    role = ROLES["organization-workspace-creation-ban"]
    refused = {action for action in ACTIONS["workspace"] if vote(role.organization, "workspace", action) < 0}
    assert refused == {"create", "delete", "create_agent", "delete_agent"}
    assert all(permission.negate for permission in role.organization)
    assert not role.site + role.user + role.member


@pytest.mark.parametrize("name", ROLES)
def test_every_grant_is_in_the_policy_table(name: str) -> None:
    role = ROLES[name]
    for resource, action, _ in role.site + role.organization + role.user + role.member:
        assert exists(resource, action) or (resource in ACTIONS and action == WILDCARD)


def test_an_organization_admin_holds_what_an_owner_holds_but_workspace_access_users_and_writing_the_logs() -> None:
    beyond = {"workspace": {"ssh", "application_connect"}, "audit_log": {"create"}, "connection_log": {"update"}}
    for resource in set(ACTIONS) - {"user"}:
        owner = granted("owner", resource)["S"] - beyond.get(resource, set())
        assert granted("organization-admin", resource)["O"] == owner


@pytest.mark.parametrize("name", sorted({*ROLES} - {"owner"}))
@pytest.mark.parametrize("log", ["audit_log", "connection_log"])
def test_nobody_but_an_owner_writes_a_log(name: str, log: str) -> None:
    role = ROLES[name]
    granted_actions = {
        permission.action
        for permission in role.site + role.organization + role.user + role.member
        if permission.resource in (log, WILDCARD)
    }
    assert granted_actions <= {"read"}


def test_a_name_is_a_role_of_one_kind() -> None:
    assert not set(SITE_ROLES) & set(ORGANIZATION_ROLES)
    assert is_site_role("auditor")
    assert not is_organization_role("auditor")
    assert is_organization_role("organization-auditor")
    assert not is_site_role("organization-auditor")
    assert not is_site_role("my-custom-role")
    assert not is_organization_role("my-custom-role")
    assert all(role.name == name and role.display_name for name, role in ROLES.items())


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (["owner"], set(ROLES)),
        (["user-admin"], {"member", "organization-member", "organization-workspace-access"}),
        (["organization-admin"], set(ORGANIZATION_ROLES)),
        (["organization-user-admin"], {"organization-member", "organization-workspace-access"}),
        (
            ["organization-user-admin", "user-admin"],
            {"member", "organization-member", "organization-workspace-access"},
        ),
        (["auditor", "member", "organization-auditor", "my-custom-role"], set()),
        ([], set()),
    ],
)
def test_a_holder_may_hand_out_what_the_table_says(held: list[str], expected: set[str]) -> None:
    assert assignable(held) == expected


def test_nobody_but_an_owner_hands_out_a_role_that_reads_the_logs_everywhere() -> None:
    assert [holder for holder, names in ASSIGNABLE.items() if {"auditor", "owner"} & names] == ["owner"]
